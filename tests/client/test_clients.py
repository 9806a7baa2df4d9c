"""Both clients against a real server: the Todo vectors, and everything that can go wrong."""

import json
import threading

import pytest

from abac.client import Action, Evaluation, Resource, SearchError, Semantic, Subject
from abac.client.answer import MALFORMED, NO_ANSWER, NOT_EVALUATED, OWED, REFUSED
from abac.client.wire import WireError
from tests.client.todo import ACTIONS, BETH, MORTY, RICK, TODOS, USERS, VECTORS, reply

VECTOR = json.loads(VECTORS.read_text())
RICK_ASKS = (Subject("user", RICK), "can_read_todos", Resource("todo", "todo-1"))


def entity(kind, found):
    return kind(found["type"], found["id"], found.get("properties"))


def question(found):
    return Evaluation(
        entity(Subject, found["subject"]) if "subject" in found else None,
        Action(**found["action"]) if "action" in found else None,
        entity(Resource, found["resource"]) if "resource" in found else None,
        found.get("context"),
    )


# --- what it is for --------------------------------------------------------------------------------------------


def test_the_forty_interop_evaluations(client):
    assert len(VECTOR["evaluation"]) == 40
    for one in VECTOR["evaluation"]:
        answer = client.ask(question(one["request"]))
        assert answer.permitted is one["expected"], one
        assert bool(answer) is one["expected"]
        assert not answer.failure


def test_the_interop_batches(client):
    for one in VECTOR["evaluations"]:
        items = [question(item) for item in one["request"]["evaluations"]]
        answers = client.evaluate_all(items, shared=question(one["request"]))
        assert [a.permitted for a in answers] == [e["decision"] for e in one["expected"]]


def test_a_question_is_written_as_the_specification_has_it(client, todo):
    client.evaluate(
        Subject("user", RICK, {"hat": "é"}),
        Action("can_read_todos", {"loud": True}),
        Resource("todo", "todo-1"),
        {"ip": None},
        request_id="r-1",
    )
    ((path, headers, asked),) = todo.seen
    assert path == "/access/v1/evaluation"
    assert asked == {
        "subject": {"type": "user", "id": RICK, "properties": {"hat": "é"}},
        "action": {"name": "can_read_todos", "properties": {"loud": True}},
        "resource": {"type": "todo", "id": "todo-1"},
        "context": {"ip": None},
    }
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Request-ID"] == "r-1"


def test_the_key_goes_with_every_question(opened, todo):
    key = "k-1"
    opened(token=key, headers={"X-Tenant": "a"}).evaluate(*RICK_ASKS)
    headers = todo.seen[0][1]
    assert headers["Authorization"] == "Bearer k-1"
    assert headers["X-Tenant"] == "a"


def test_a_request_id_is_made_where_none_is_given_and_stands_in_the_answer(client, todo):
    answers = [client.evaluate(*RICK_ASKS) for _ in range(2)]
    sent = [headers["X-Request-ID"] for _, headers, _ in todo.seen]
    assert [a.request_id for a in answers] == sent
    assert len(set(sent)) == 2


@pytest.mark.parametrize(
    ("semantic", "asked", "expected"),
    [
        (Semantic.EXECUTE_ALL, (RICK, "x", RICK), [True, False, True]),
        (Semantic.DENY_ON_FIRST_DENY, (RICK, "x", RICK), [True, False, None]),
        (Semantic.DENY_ON_FIRST_DENY, (RICK, RICK), [True, True]),
        (Semantic.PERMIT_ON_FIRST_PERMIT, ("x", RICK, "x", RICK), [False, True, None, None]),
        (Semantic.PERMIT_ON_FIRST_PERMIT, ("x", "y"), [False, False]),
    ],
)
def test_a_batch_ends_as_its_semantic_says_and_what_it_leaves_out_is_not_permitted(
    client, semantic, asked, expected
):
    shared = Evaluation(None, Action("can_read_todos"), Resource("todo", "todo-1"))
    items = [Evaluation(Subject("user", one)) for one in asked]
    answers = client.evaluate_all(items, shared=shared, semantic=semantic)
    assert [None if a.failure == NOT_EVALUATED else a.permitted for a in answers] == expected
    assert not any(a.permitted for a, e in zip(answers, expected, strict=True) if e is None)


def test_no_items_are_no_question(client, todo):
    assert client.evaluate_all([]) == ()
    assert todo.seen == []


def test_an_item_that_lacks_a_part_is_not_permitted_and_says_why(client):
    bad, good = client.evaluate_all([Evaluation(Subject("user", RICK)), Evaluation(*_typed(RICK_ASKS))])
    assert (bad.permitted, bad.reason) == (False, "no action")
    assert good.permitted


def _typed(asked):
    return asked[0], Action(asked[1]), asked[2]


def test_searches_go_through_all_pages(client, todo):
    found = client.search_subjects("user", "can_read_todos", RICK_ASKS[2], limit=2)
    assert found == [Subject("user", i) for i in USERS]
    pages = [asked.get("page") for _, _, asked in todo.seen]
    assert pages == [{"limit": 2}, {"limit": 2, "token": "2"}, {"limit": 2, "token": "4"}]
    assert "id" not in todo.seen[0][2]["subject"]
    assert client.search_resources(Subject("user", MORTY), "can_update_todo", "todo") == [
        Resource("todo", "todo-1")
    ]
    assert client.search_actions(Subject("user", BETH), RICK_ASKS[2]) == [
        Action(a) for a in ACTIONS if "read" in a
    ]
    assert len(client.search_resources(RICK_ASKS[0], "can_delete_todo", "todo")) == len(TODOS)
    assert client.search_subjects("robot", "can_read_todos", RICK_ASKS[2]) == []


# --- what can go wrong -----------------------------------------------------------------------------------------


def says(status, value, **headers):
    return lambda handler: reply(handler, status, value, **headers)


def breaks_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"decision": true}')
    handler.close_connection = True


@pytest.mark.parametrize(
    ("fault", "failure", "said"),
    [
        (says(200, {"decision": "true"}), MALFORMED, "`decision` is not true or false"),
        (says(200, {"decision": 1}), MALFORMED, "`decision` is not true or false"),
        (says(200, {"permit": True}), MALFORMED, "`decision` is not true or false"),
        (says(200, [{"decision": True}]), MALFORMED, "not an object"),
        (says(200, {"decision": True, "context": "ok"}), MALFORMED, "`context` is not an object"),
        (says(200, {"decision": True, "context": {"obligations": [{"do": "log"}]}}), MALFORMED, "has no id"),
        (says(200, {"decision": True, "context": {"obligations": "log"}}), MALFORMED, "has no id"),
        (says(200, b'{"decision": false, "decision": true}'), MALFORMED, "stands twice"),
        (says(200, b'{"decision": true'), MALFORMED, "not JSON"),
        (says(200, b'{"decision": true, "x": "\xff"}'), MALFORMED, "UTF-8"),
        (says(200, b'{"decision": true, "x": NaN}'), MALFORMED, "NaN"),
        (says(200, b'{"decision": true, "x": ' + b"[" * 90 + b"]" * 90 + b"}"), MALFORMED, "nested"),
        (says(200, b""), MALFORMED, "not JSON"),
        (says(200, {"decision": True}, Content_Type="text/html"), MALFORMED, "not JSON"),
        (says(200, {"decision": True}, X_Request_ID="another"), MALFORMED, "another request"),
        (says(201, {"decision": True}), REFUSED, "201"),
        (says(204, b""), REFUSED, "204"),
        (says(302, {"decision": True}, Location="/access/v1/evaluation"), REFUSED, "302"),
        (says(400, {"message": "no subject"}), REFUSED, "400: no subject"),
        (says(401, {"decision": True}), REFUSED, "401"),
        (says(403, {"detail": "not your key"}), REFUSED, "403: not your key"),
        (says(500, {"decision": True}), REFUSED, "500"),
        (says(503, b"<html>"), REFUSED, "503"),
        (breaks_off, NO_ANSWER, "cannot be reached"),
    ],
)
def test_whatever_is_not_a_well_formed_answer_does_not_permit(client, todo, fault, failure, said):
    todo.fault = fault
    answer = client.evaluate(*RICK_ASKS)
    assert not answer.permitted
    assert not answer
    assert answer.failure == failure
    assert said in answer.reason
    for one in client.evaluate_all([Evaluation(*_typed(RICK_ASKS))] * 3):
        assert not one
        assert one.failure in (failure, MALFORMED)
    with pytest.raises(SearchError):
        client.search_actions(RICK_ASKS[0], RICK_ASKS[2])
    todo.fault = None
    assert client.evaluate(*RICK_ASKS)


def test_an_answer_that_is_too_long_is_none(client, todo, monkeypatch):
    monkeypatch.setattr("abac.client.synchronous.MAX_BYTES", 1_000)
    monkeypatch.setattr("abac.client.asynchronous.MAX_BYTES", 1_000)
    todo.fault = says(200, {"decision": True, "context": {"x": "x" * 2_000}})
    answer = client.evaluate(*RICK_ASKS)
    assert (answer.permitted, answer.failure) == (False, MALFORMED)


@pytest.mark.parametrize("drips", [False, True], ids=["late", "in drips"])
def test_an_answer_that_comes_late_is_none(opened, todo, drips):
    event = threading.Event()

    def slow(handler):
        if drips:
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            while not event.wait(0.02):
                handler.wfile.write(b" ")
        event.wait(20)

    todo.fault = slow
    client = opened(timeout=0.5)
    answer = client.evaluate(*RICK_ASKS)
    event.set()
    assert (answer.permitted, answer.failure, answer.reason) == (False, NO_ANSWER, "no answer within 0.5 s")
    assert len(todo.seen) == 1


def test_a_server_that_is_down_does_not_permit_and_one_that_is_back_does(client, todo):
    assert client.evaluate(*RICK_ASKS)
    todo.down()
    answer = client.evaluate(*RICK_ASKS)
    assert (answer.permitted, answer.failure) == (False, NO_ANSWER)
    assert "cannot be reached" in answer.reason
    todo.up()
    assert client.evaluate(*RICK_ASKS)


def test_a_question_that_was_not_heard_is_asked_again(opened, todo, monkeypatch):
    client = opened(retries=100, timeout=60)
    todo.down()
    waiting = threading.Timer(0.12, todo.up)
    monkeypatch.setattr("abac.client.exchange.PAUSE", 0.1)
    waiting.start()
    assert client.evaluate(*RICK_ASKS)
    waiting.join()
    assert len(todo.seen) == 1


@pytest.mark.parametrize(
    ("status", "header", "tries"), [(503, "0", 2), (429, "0", 2), (503, "", 1), (500, "0", 1)]
)
def test_it_asks_again_only_where_the_server_says_that_it_did_not_take_the_question(
    client, todo, status, header, tries
):
    def once(handler):
        todo.fault = None
        reply(handler, status, {}, Retry_After=header)

    todo.fault = once
    assert client.evaluate(*RICK_ASKS).permitted is (tries == 2)
    assert len(todo.seen) == tries


@pytest.mark.parametrize("fault", [breaks_off, says(502, {}), says(200, {})])
def test_a_question_that_may_have_been_decided_is_not_asked_again(opened, todo, fault):
    todo.fault = fault
    assert not opened(retries=3).evaluate(*RICK_ASKS)
    assert len(todo.seen) == 1


def test_it_does_not_wait_for_a_server_longer_than_for_an_answer(opened, todo):
    todo.fault = says(503, {}, Retry_After="3600")
    answer = opened(retries=3, timeout=20).evaluate(*RICK_ASKS)
    assert (answer.permitted, len(todo.seen)) == (False, 1)


@pytest.mark.parametrize(
    ("found", "semantic"),
    [
        ([True], Semantic.EXECUTE_ALL),
        ([True] * 3, Semantic.EXECUTE_ALL),
        ([], Semantic.EXECUTE_ALL),
        ([True], Semantic.DENY_ON_FIRST_DENY),
        ([False, True], Semantic.DENY_ON_FIRST_DENY),
        ([False], Semantic.PERMIT_ON_FIRST_PERMIT),
        ([True, True], Semantic.PERMIT_ON_FIRST_PERMIT),
    ],
)
def test_a_batch_whose_answers_cannot_be_told_apart_permits_nothing(client, todo, found, semantic):
    todo.fault = says(200, {"evaluations": [{"decision": one} for one in found]})
    answers = client.evaluate_all([Evaluation(*_typed(RICK_ASKS))] * 2, semantic=semantic)
    assert [(a.permitted, a.failure) for a in answers] == [(False, MALFORMED)] * 2


@pytest.mark.parametrize(
    "answer",
    [
        {"results": {}},
        {"results": ["a"]},
        {"results": [{"id": "a"}]},
        {"results": [], "page": []},
        {"results": [], "page": {"next_token": 7}},
        {"results": [{"type": "user", "id": "a"}], "page": {"next_token": "again"}},
    ],
)
def test_a_search_that_cannot_be_done_to_its_end_is_an_error_never_a_short_list(client, todo, answer):
    todo.fault = says(200, answer)
    with pytest.raises(SearchError):
        client.search_subjects("user", "can_read_todos", RICK_ASKS[2])
    assert len(todo.seen) <= 2


def test_a_permit_at_the_price_of_an_obligation_permits_who_carries_it_out(opened, todo):
    owed = {"obligations": [{"id": "log", "parameters": {"level": 3}}], "advice": [{"id": "warn"}]}
    todo.fault = says(200, {"decision": True, "context": owed})
    answer = opened().evaluate(*RICK_ASKS)
    assert (answer.permitted, answer.failure, answer.reason) == (False, OWED, "nobody here carries out `log`")
    answer = opened(discharges=["log"]).evaluate(*RICK_ASKS)
    assert answer.permitted
    assert [(o.id, o.parameters) for o in answer.obligations] == [("log", {"level": 3})]
    assert [(a.id, a.advice) for a in answer.advice] == [("warn", True)]
    todo.fault = says(200, {"evaluations": [{"decision": True, "context": owed}]})
    (answer,) = opened().evaluate_all([Evaluation(*_typed(RICK_ASKS))])
    assert (answer.permitted, answer.failure) == (False, OWED)


def test_a_deny_comes_with_what_was_said(client, todo):
    context = {
        "id": "0197",
        "outcome": "DENY",
        "unknown": ["subject.tier"],
        "reason_user": {"denied": "You may not."},
        "message": {"summary": "An order says no.", "directive": {"id": "d1", "title": "T"}},
    }
    todo.fault = says(200, {"decision": False, "context": context})
    answer = client.evaluate(*RICK_ASKS)
    assert (answer.reason, answer.id, answer.outcome) == ("An order says no.", "0197", "DENY")
    assert (answer.unknown, answer.order["id"], answer.blocked) == (("subject.tier",), "d1", True)
    del context["message"]
    todo.fault = says(200, {"decision": False, "context": context})
    answer = client.evaluate(*RICK_ASKS)
    assert (answer.reason, answer.order, answer.blocked) == ("You may not.", {}, False)


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
def test_a_question_that_cannot_be_written_is_an_error_before_anything_is_sent(client, todo, value):
    with pytest.raises(WireError):
        client.evaluate(RICK_ASKS[0], RICK_ASKS[1], RICK_ASKS[2], {"x": value})
    with pytest.raises(WireError):
        client.evaluate(*RICK_ASKS, request_id="a\r\nb")
    assert todo.seen == []


@pytest.mark.parametrize("url", ["", "todo", "ftp://todo", "http://"])
def test_a_url_that_is_none_is_refused_at_once(url):
    from abac.client import AsyncClient, Client

    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match="not the URL"):
            kind(url)
