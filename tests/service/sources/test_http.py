"""An HTTP service as a source: one that is slow, wrong, down, and back."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from abac.condition.schema import Assurance
from abac.pip.source import NOTHING, FailureKind
from abac.service.sources.http import MAX_BYTES, HttpSource
from tests.service.sources.declaring import AT, declared, now, person, values
from tests.service.sources.serving import Service, after, breaks_off, drips, says

GIVES = "owns: [subject.tier, subject.tags, subject.age], mapping: {subject.age: years}"
PATIENT = 20
ANA = {"tier": "high", "tags": ["a", "b"], "years": 30, "hat": {"colour": "red"}}
KNOWN = {"subject.tier": "high", "subject.tags": frozenset({"a", "b"}), "subject.age": 30}


class Time:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def service():
    one = Service().up()
    yield one
    one.down()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def opened(service, time):
    made = []

    def open_(path="/people/{id}", headers=None, **options):
        written = "".join(f", {k}: {v}" for k, v in ({"retries": 0, "timeout": PATIENT} | options).items())
        text = f"{{name: crm, kind: http, entity: subject, assurance: documented, {GIVES}"
        one = declared(f'{text}, url: "{service.url}{path}"{written}}}')
        made.append(HttpSource(one, headers or {}, now, time))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def kind(answer):
    (failure,) = answer.failures
    assert answer.held == {}
    assert failure.source == "crm"
    return failure.kind


def test_what_the_service_says_comes_with_its_assurance_source_and_time(service, opened):
    service.answer = says(ANA)
    answer = opened(headers={"Authorization": "Bearer t"}).look_up(person("ana"))
    assert answer.failures == ()
    assert values(answer) == KNOWN
    one = answer.held["subject.tags"]
    assert (one.assurance, one.complete, one.source, one.as_of) == (Assurance.DOCUMENTED, False, "crm", AT)
    assert service.headers[0]["Authorization"] == "Bearer t"


def test_the_attributes_may_stand_further_down(service, opened):
    service.answer = says({"data": {"a/b": ANA}})
    assert values(opened(at="/data/a~1b").look_up(person("ana"))) == KNOWN
    assert kind(opened(at="/data/other").look_up(person("ana"))) is FailureKind.MALFORMED


@pytest.mark.parametrize("identity", ["a/b", "../x", "a?b=c", "a#b", "a b", "é", "%2e", "a\0"])
def test_an_id_is_one_segment_of_the_path_whatever_is_in_it(service, opened, identity):
    service.answer = says(ANA)
    assert opened("/people/{id}/all").look_up(person(identity)).failures == ()
    (path,) = service.asked
    assert path.startswith("/people/")
    assert path.endswith("/all")
    assert path.count("/") == 3
    assert not set("?# ") & set(path)


@pytest.mark.parametrize("identity", [".", "..", "", "\ud800"])
def test_an_id_that_would_be_another_path_is_not_asked_for(service, opened, identity):
    assert kind(opened().look_up(person(identity))) is FailureKind.REFUSED
    assert service.asked == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says({}, 500), FailureKind.REFUSED),
        (says({}, 401), FailureKind.REFUSED),
        (says({}, 204), FailureKind.REFUSED),
        (says({}, 302, Location="/people/root"), FailureKind.REFUSED),
        (says(b"<html>"), FailureKind.MALFORMED),
        (says([ANA]), FailureKind.MALFORMED),
        (says(b'{"tier": "low", "tier": "high"}'), FailureKind.MALFORMED),
        (says(b'{"years": NaN}'), FailureKind.MALFORMED),
        (says(b'{"tier": "\xff"}'), FailureKind.MALFORMED),
        (says(b"[" * 100_000), FailureKind.MALFORMED),
        (says(b" " * (MAX_BYTES + 1)), FailureKind.MALFORMED),
        (breaks_off, FailureKind.UNREACHABLE),
        (lambda handler: handler.wfile.write(b"hello\r\n\r\n"), FailureKind.UNREACHABLE),
    ],
)
def test_a_service_that_is_wrong_is_a_failure(service, opened, answer, expected):
    service.answer = answer
    source = opened()
    assert kind(source.look_up(person("ana"))) is expected
    service.answer = says(ANA)
    assert values(source.look_up(person("ana"))) == KNOWN


def test_a_value_that_does_not_fit_fails_its_attribute_and_no_other(service, opened):
    service.answer = says(ANA | {"years": "thirty"})
    answer = opened(at='""').look_up(person("ana"))
    (failure,) = answer.failures
    assert (failure.kind, failure.attribute, failure.place) == (FailureKind.WRONG_VALUE, "subject.age", "/years")
    assert values(answer) == {k: v for k, v in KNOWN.items() if k != "subject.age"}


@pytest.mark.parametrize("dawdle", [lambda event: after(event, says(ANA)), drips], ids=["late", "in drips"])
def test_a_service_that_is_slow_is_a_failure_however_it_dawdles(service, opened, dawdle):
    event = threading.Event()
    service.answer = dawdle(event)
    source = opened(timeout=0.1)
    assert kind(source.look_up(person("ana"))) is FailureKind.TIMEOUT
    assert kind(asyncio.run(source.look_up_soon(person("ana")))) is FailureKind.TIMEOUT
    event.set()


def test_one_that_nobody_knows_is_no_failure(service, opened):
    service.answer = says({"error": "who?"}, 404)
    source = opened()
    assert source.look_up(person("ana")) == NOTHING
    assert source.look_up(person("ana")) == NOTHING
    assert len(service.asked) == 1


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (429, 3), (502, 3), (500, 1), (403, 1)])
def test_what_another_try_may_mend_is_tried_again_so_many_times(service, opened, status, tries):
    service.answer = says({}, status)
    assert kind(opened(retries=2).look_up(person("ana"))) is FailureKind.REFUSED
    assert len(service.asked) == tries


def test_a_second_try_that_succeeds_is_an_answer(service, opened):
    def first_fails(handler):
        (says(ANA) if len(service.asked) > 1 else breaks_off)(handler)

    service.answer = first_fails
    assert values(opened(retries=1).look_up(person("ana"))) == KNOWN


def test_an_answer_is_used_again_for_its_time_and_not_a_moment_longer(service, opened, time):
    service.answer = says(ANA)
    source = opened(ttl=30)
    assert values(source.look_up(person("ana"))) == KNOWN
    service.down()
    time.seconds += 29.9
    assert values(source.look_up(person("ana"))) == KNOWN
    assert values(asyncio.run(source.look_up_soon(person("ana")))) == KNOWN
    time.seconds += 0.1
    assert kind(source.look_up(person("ana"))) is FailureKind.UNREACHABLE
    assert len(service.asked) == 1
    service.up()
    assert values(source.look_up(person("ana"))) == KNOWN


def test_the_time_of_an_answer_runs_from_when_it_was_asked_for(service, opened, time):
    def slow(handler):
        time.seconds += 20
        says(ANA)(handler)

    service.answer = slow
    source = opened(ttl=30, timeout=5)
    source.look_up(person("ana"))
    time.seconds += 10
    source.look_up(person("ana"))
    assert len(service.asked) == 2


def test_nothing_is_kept_where_the_time_is_nought_and_no_failure_ever(service, opened):
    service.answer = says(ANA)
    source = opened(ttl=0)
    source.look_up(person("ana"))
    source.look_up(person("ana"))
    assert len(service.asked) == 2
    service.answer = says(ANA | {"years": "thirty"})
    other = opened(ttl=30)
    other.look_up(person("bo"))
    service.answer = says(ANA)
    assert values(other.look_up(person("bo"))) == KNOWN


def test_look_ups_of_one_entity_at_one_time_are_one_request(service, opened):
    event = threading.Event()
    service.answer = after(event, says(ANA))
    source = opened(timeout=10)

    async def many():
        asked = [asyncio.ensure_future(source.look_up_soon(person("ana"))) for _ in range(20)]
        await asyncio.sleep(0.05)
        asked[0].cancel()  # the first gives up, and the others get their answer all the same
        event.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(source.look_up, person("ana")) for _ in range(4)]
        first, *others = asyncio.run(many())
        others += [one.result() for one in waiting]
    assert isinstance(first, asyncio.CancelledError)
    assert len(others) == 23
    assert all(values(one) == KNOWN for one in others)
    assert len(service.asked) == 1


def test_a_service_that_keeps_failing_is_left_alone_then_tried_once(service, opened, time):
    service.answer = says({}, 500)
    source = opened(ttl=0, breaker="{failures: 3, seconds: 10}")
    kinds = [kind(source.look_up(person(f"p{n}"))) for n in range(6)]
    assert kinds == [FailureKind.REFUSED] * 3 + [FailureKind.CIRCUIT_OPEN] * 3
    assert len(service.asked) == 3
    time.seconds += 10

    event = threading.Event()
    service.answer = after(event, says({}, 500))
    with ThreadPoolExecutor(8) as threads:
        probes = [threads.submit(source.look_up, person(f"q{n}")) for n in range(8)]
        event.set()
        kinds = sorted(kind(one.result()).value for one in probes)
    assert kinds == ["circuit-open"] * 7 + ["refused"]
    assert len(service.asked) == 4

    time.seconds += 9
    assert kind(source.look_up(person("r"))) is FailureKind.CIRCUIT_OPEN
    time.seconds += 1
    service.answer = says(ANA)
    assert values(source.look_up(person("r"))) == KNOWN
    service.answer = says({}, 500)
    assert [kind(source.look_up(person("s"))) for _ in range(3)] == [FailureKind.REFUSED] * 3


def test_one_bad_record_does_not_shut_the_others_out(service, opened):
    def only_ana_is_bad(handler):
        says(b"<html>" if handler.path.endswith("ana") else ANA)(handler)

    service.answer = only_ana_is_bad
    source = opened(breaker="{failures: 2, seconds: 10}")
    for _ in range(4):
        assert kind(source.look_up(person("ana"))) is FailureKind.MALFORMED
    assert values(source.look_up(person("bo"))) == KNOWN


def test_a_service_that_was_down_and_is_back_is_asked_again(service, opened, time):
    service.answer = says(ANA)
    source = opened(ttl=0, breaker="{failures: 1, seconds: 10}")
    assert values(source.look_up(person("ana"))) == KNOWN
    service.down()
    assert kind(source.look_up(person("ana"))) is FailureKind.UNREACHABLE
    assert kind(source.look_up(person("ana"))) is FailureKind.CIRCUIT_OPEN
    service.up()
    time.seconds += 10
    assert values(source.look_up(person("ana"))) == KNOWN


def test_a_source_that_is_closed_lets_go_of_its_thread(service, opened):
    service.answer = says(ANA)
    source = opened()
    source.look_up(person("ana"))
    running = [t for t in threading.enumerate() if t.name == "abac-source-crm"]
    source.close()
    for thread in running:
        thread.join(10)
    assert not any(thread.is_alive() for thread in running)
    source.close()
