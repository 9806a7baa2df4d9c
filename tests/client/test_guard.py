"""The middleware and the dependency: one question, one answer, whoever is asked, in process or over HTTP."""

import asyncio
import json
import socket
import threading

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, WebSocket

import abac
from abac.client import UNGUARDED, AsyncClient, Evaluation, Guard, InProcess, Permitted, Resource, Subject
from abac.client.answer import NO_ANSWER
from abac.client.asgi import ANSWER
from abac.client.dependency import NotPermitted, respond
from abac.client.wire import Action
from tests.client.programs import IN_FORCE, PROVIDER, invoke, program
from tests.client.todo import BETH, RICK, reply


def in_process():
    return InProcess(abac.DecisionPoint(program()), clock=lambda: IN_FORCE)


def about_models(headers):
    """What is asked of a request for a model: its user and citizenship stand in headers, in this test."""
    return invoke(headers.get("x-user", "ana"), headers.get("x-citizenship"))


def question(scope):
    headers = {n.decode(): v.decode() for n, v in scope["headers"]}
    return UNGUARDED if scope["path"] == "/health" else about_models(headers)


def behind_a_guard(asks, ask=question):
    app = FastAPI()
    app.add_middleware(Guard, asks=asks, question=ask, provider=PROVIDER)

    @app.get("/health")
    def health():
        return "ok"

    @app.get("/use")
    def use():
        return "used"

    @app.websocket("/talk")
    async def talk(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    return app


def behind_a_dependency(asks, ask=lambda request: about_models(request.headers)):
    app = FastAPI()
    app.add_exception_handler(NotPermitted, respond)

    @app.get("/health")
    def health():
        return "ok"

    @app.get("/use")
    def use(answer=Depends(Permitted(asks, ask, provider=PROVIDER))):  # noqa: B008  # FastAPI's way
        return {"outcome": answer.outcome}

    return app


APPS = pytest.mark.parametrize("made", [behind_a_guard, behind_a_dependency], ids=["middleware", "dependency"])


def get(app, path, **headers):
    async def sent():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return asyncio.run(sent())


@APPS
def test_who_may_gets_through_and_what_is_open_is_open(made):
    app = made(in_process())
    assert get(app, "/health").status_code == 200
    assert get(app, "/use", x_citizenship="US").status_code == 200


@APPS
def test_where_an_order_denies_the_answer_is_451_and_names_who_blocks_and_whose_order_it_is(made):
    response = get(made(in_process()), "/use", x_citizenship="FR", x_request_id="r-7")
    assert response.status_code == 451
    assert response.headers["link"] == f'<{PROVIDER}>; rel="blocked-by"'
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    assert problem["order"]["id"] == "d1-foreign-nationals"
    assert problem["order"]["authority"].startswith("US Department of Commerce")
    assert problem["blocked_by"] == PROVIDER
    assert problem["request_id"] == "r-7"
    assert (problem["status"], problem["title"]) == (451, "Unavailable For Legal Reasons")
    assert "reason_admin" not in response.text


@APPS
def test_where_it_cannot_be_decided_the_answer_is_403_and_says_what_would_settle_it(made):
    response = get(made(in_process()), "/use")
    assert response.status_code == 403
    assert "link" not in response.headers
    problem = response.json()
    assert "subject.citizenships_current" in problem["unknown"]
    assert problem["order"]["id"] == "d1-foreign-nationals"


def about_todos(headers):
    return Evaluation(Subject("user", headers["x-user"]), Action("can_create_todo"), Resource("todo", "todo-1"))


def over_http(todo):
    return AsyncClient(todo.url, timeout=20)


def todos(made, asks):
    if made is behind_a_dependency:
        return made(asks, lambda request: about_todos(request.headers))
    return made(asks, lambda scope: about_todos({n.decode(): v.decode() for n, v in scope["headers"]}))


@APPS
def test_the_same_code_asks_over_http(made, todo):
    app = todos(made, over_http(todo))
    assert get(app, "/use", x_user=RICK, x_request_id="r-8").status_code == 200
    assert todo.seen[0][1]["X-Request-ID"] == "r-8"
    assert get(todos(made, over_http(todo)), "/use", x_user=BETH).status_code == 403
    context = {"outcome": "DENY", "message": {"summary": "No.", "directive": {"id": "d9"}, "since": "2026"}}
    todo.fault = lambda handler: reply(handler, 200, {"decision": False, "context": context})
    response = get(todos(made, over_http(todo)), "/use", x_user=BETH)
    assert response.status_code == 451
    assert (response.json()["order"], response.json()["since"]) == ({"id": "d9"}, "2026")


@APPS
@pytest.mark.parametrize("status", [200, 500])
def test_where_there_is_no_decision_nobody_gets_through(made, todo, status):
    todo.fault = lambda handler: reply(handler, status, b"{}")
    response = get(todos(made, over_http(todo)), "/use", x_user=RICK)
    assert response.status_code == 403
    todo.down()
    response = get(todos(made, over_http(todo)), "/use", x_user=RICK)
    assert response.status_code == 403
    assert response.json()["code"] == NO_ANSWER
    assert str(todo.port) not in response.text


@APPS
@pytest.mark.parametrize("nothing", [None, True, "UNGUARDED", {}])
def test_a_request_of_which_nothing_is_asked_is_refused(made, nothing):
    async def later(_):
        return nothing

    for ask in (lambda _: nothing, later):
        assert get(made(in_process(), ask), "/use").status_code == 403


@APPS
def test_a_question_that_fails_lets_nobody_through(made):
    def broken(_):
        raise KeyError("user")

    with pytest.raises(KeyError):
        get(made(in_process(), broken), "/use")


def test_without_the_handler_the_problem_is_the_detail():
    app = behind_a_dependency(in_process())
    del app.exception_handlers[NotPermitted]
    response = get(app, "/use", x_citizenship="FR")
    assert response.status_code == 451
    assert response.headers["link"] == f'<{PROVIDER}>; rel="blocked-by"'
    assert response.json()["detail"]["order"]["id"] == "d1-foreign-nationals"


@pytest.mark.parametrize(
    "provider", ["", "provider", "javascript:x", 'https://a"b', "https://a>b", "https://a\r\nX: y"]
)
def test_a_provider_that_is_no_uri_is_refused_at_once(provider):
    with pytest.raises(ValueError, match="provider"):
        Guard(None, asks=in_process(), question=question, provider=provider)
    with pytest.raises(ValueError, match="provider"):
        Permitted(in_process(), question, provider=provider)


def through(app, scope):
    """What an ASGI application sends."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    asyncio.run(app(scope, receive, send))
    return sent


def websocket(citizenship, **more):
    headers = [(b"x-citizenship", citizenship.encode())]
    return {"type": "websocket", "path": "/talk", "headers": headers, "query_string": b""} | more


def test_a_websocket_is_guarded_as_well():
    app = behind_a_guard(in_process())
    assert [m["type"] for m in through(app, websocket("US"))][:2] == ["websocket.accept", "websocket.send"]
    assert through(app, websocket("FR")) == [{"type": "websocket.close", "code": 1008}]
    start, body = through(app, websocket("FR", extensions={"websocket.http.response": {}}))
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 451)
    assert json.loads(body["body"])["order"]["id"] == "d1-foreign-nationals"


def test_the_application_finds_the_answer_in_its_scope_and_starts_and_stops_unguarded():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)

    guard = Guard(app, asks=in_process(), question=question, provider=PROVIDER)
    through(guard, {"type": "http", "path": "/use", "headers": [(b"x-citizenship", b"US")]})
    through(guard, {"type": "http", "path": "/health", "headers": []})
    through(guard, {"type": "lifespan"})
    assert seen[0][ANSWER].permitted
    assert seen[1][ANSWER] is None
    assert ANSWER not in seen[2]
    through(guard, {"type": "http", "path": "/use", "headers": [(b"x-citizenship", b"FR")]})
    assert len(seen) == 3


def test_a_real_server_says_451_on_the_wire():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(behind_a_guard(in_process()), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            for _ in range(200):
                if server.started:
                    break
                thread.join(0.05)
            response = client.get(f"http://127.0.0.1:{port}/use", headers={"x-citizenship": "FR"})
            permitted = client.get(f"http://127.0.0.1:{port}/use", headers={"x-citizenship": "US"})
        server.should_exit = True
        thread.join(20)
    assert response.status_code == 451
    assert response.headers["link"] == f'<{PROVIDER}>; rel="blocked-by"'
    assert response.json()["order"]["id"] == "d1-foreign-nationals"
    assert permitted.json() == "used"
