"""All sources of a document together: from a caller's request to one that can be decided on."""

import asyncio
import threading
from collections import Counter

import pytest

from abac.condition.schema import Assurance, Category
from abac.errors import FindingsError
from abac.pip.ownership import Claim
from abac.pip.source import Answer, FailureKind
from abac.policy.request import UNTRUSTED, Request, assertions
from abac.service.sources.asking import Sources
from abac.service.sources.opening import open_sources
from tests.reading import schema
from tests.service.sources.declaring import AT, now
from tests.service.sources.serving import Service, after, says

DOCUMENT = """\
sources:
  - name: hr
    kind: yaml
    entity: subject
    file: people/hr.yaml
    assurance: verified
    lists: true
    owns: [subject.tier]
  - name: crm
    kind: http
    entity: subject
    assurance: documented
    url: URL/people/{id}
    headers: {Authorization: {env: CRM_TOKEN}}
    retries: 0
    timeout: 5
    owns: [subject.country]
    attests: [subject.tier]
  - name: models
    kind: yaml
    entity: resource
    file: models.yaml
    assurance: verified
    owns: [resource.cost]
"""
SENT = Request({"id": "ana", "tier": "high", "age": 30}, "read", {"id": "fable", "cost": 0}, {}, UNTRUSTED)


class Counted(Counter):
    def failed(self, source, kind):
        self[source, kind] += 1


@pytest.fixture
def service():
    one = Service().up()
    one.answer = says({"country": "FR", "tier": "low"})
    yield one
    one.down()


@pytest.fixture
def counted():
    return Counted()


@pytest.fixture
def sources(tmp_path, service, counted):
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "hr.yaml").write_text("- {id: ana, tier: low}\n")
    (tmp_path / "models.yaml").write_text("- {id: fable, cost: 5}\n")
    path = tmp_path / "sources.yaml"
    path.write_text(DOCUMENT.replace("URL", service.url))
    opened = open_sources(path, schema(), environment={"CRM_TOKEN": "Bearer t"}, now=now, failures=counted)
    yield opened
    opened.close()


def told(resolution):
    return {p: (a.value, a.assurance) for p, a in assertions(resolution.request, schema()).items()}


WHOLE = {
    "subject.id": ("ana", Assurance.INFERRED),
    "subject.age": (30, Assurance.INFERRED),
    "subject.tier": ("low", Assurance.VERIFIED),
    "subject.country": ("FR", Assurance.DOCUMENTED),
    "action.name": ("read", Assurance.INFERRED),
    "resource.id": ("fable", Assurance.INFERRED),
    "resource.cost": (5, Assurance.VERIFIED),
    "environment.now": (AT, Assurance.VERIFIED),
}


def test_a_request_is_put_together_from_all_who_own_something_of_it(sources, service):
    resolution = sources.resolve(SENT)
    assert told(resolution) == WHOLE
    assert resolution.ignored == ("resource.cost", "subject.tier")
    assert service.headers[0]["Authorization"] == "Bearer t"
    assert told(asyncio.run(sources.resolve_soon(SENT))) == WHOLE


def test_a_service_that_is_down_makes_unknown_what_it_owns_and_what_it_attests(sources, service, counted):
    service.down()
    for resolution in (sources.resolve(SENT), asyncio.run(sources.resolve_soon(SENT))):
        lost = {"subject.country", "subject.tier"}
        assert told(resolution) == {p: v for p, v in WHOLE.items() if p not in lost}
        assert [f.kind for f in resolution.failures] == [FailureKind.UNREACHABLE]
    assert counted == {("crm", FailureKind.UNREACHABLE): 2}


def test_all_sources_are_asked_at_once(tmp_path):
    meeting = threading.Barrier(2, timeout=20)

    def together(handler):
        meeting.wait()
        says({"tier": "low", "country": "FR"})(handler)

    services = [Service().up(), Service().up()]
    entries = []
    for one, owns in zip(services, ("subject.tier", "subject.country"), strict=True):
        one.answer = together
        entries.append(
            f"  - {{name: s{one.port}, kind: http, entity: subject, assurance: verified, timeout: 20,"
            f' url: "{one.url}/{{id}}", owns: [{owns}]}}\n'
        )
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n" + "".join(entries))
    sources = open_sources(path, schema(), environment={}, now=now)
    resolution = asyncio.run(sources.resolve_soon(SENT))
    assert {"subject.tier", "subject.country"} <= set(told(resolution))
    sources.close()
    for one in services:
        one.down()


def test_a_source_that_raises_did_not_answer():
    class Broken:
        name = "broken"

        def look_up(self, entity):
            raise ZeroDivisionError(entity.id)

        async def look_up_soon(self, entity):
            raise ZeroDivisionError(entity.id)

        def close(self):
            pass

    counted = Counted()
    claim = Claim("broken", Category.SUBJECT, frozenset({"subject.tier"}))
    sources = Sources(schema(), [(claim, Broken())], now=now, failures=counted)
    for resolution in (sources.resolve(SENT), asyncio.run(sources.resolve_soon(SENT))):
        assert "subject.tier" not in told(resolution)
        assert resolution.failures[0].kind is FailureKind.FAULT
    assert counted == {("broken", FailureKind.FAULT): 2}


def test_an_answer_for_what_a_source_does_not_own_is_not_heard():
    class Chatty:
        name = "chatty"

        def look_up(self, entity):
            assert entity.id == "ana"
            return Answer(assertions(Request({"flag": True, "tier": "low"}), schema()))

        def close(self):
            pass

    claim = Claim("chatty", Category.SUBJECT, frozenset({"subject.tier"}))
    found = told(Sources(schema(), [(claim, Chatty())], now=now).resolve(SENT))
    assert found["subject.tier"][0] == "low"
    assert "subject.flag" not in found


def test_without_sources_the_caller_sends_all_and_the_service_the_time(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n  - {name: caller, kind: none}\n")
    sources = open_sources(path, schema(), environment={}, now=now)
    sent = Request(SENT.subject, "read", {}, {"now": "2020-01-01T00:00:00Z"}, UNTRUSTED)
    found = told(sources.resolve(sent))
    assert found["subject.tier"] == ("high", Assurance.INFERRED)
    assert found["environment.now"] == (AT, Assurance.VERIFIED)
    assert sources.lister(Category.SUBJECT) is None


def test_searches_go_over_the_source_that_lists(sources):
    name, lister = sources.lister(Category.SUBJECT, "user")
    assert name == "hr"
    page = lister.entities("user")
    assert [entity.id for entity, _ in page.entities] == ["ana"]
    assert sources.lister(Category.RESOURCE) is None


def test_secrets_stand_in_the_environment_and_what_is_missing_is_told_at_its_place(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(DOCUMENT.replace("URL", "https://crm.example"))
    with pytest.raises(FindingsError) as told_:
        open_sources(path, schema(), environment={}, now=now)
    (finding,) = told_.value.diagnostics
    assert (finding.span.line, finding.code) == (9, "environment")
    assert "`CRM_TOKEN`" in finding.message


@pytest.mark.parametrize("url", ["people", "nosuchdatabase://host/x"])
def test_a_database_that_cannot_be_opened_is_told_at_its_place_without_its_url(tmp_path, url):
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources:\n"
        "  - {name: hr, kind: table, entity: subject, assurance: verified, database: {env: HR}, table: t}\n"
    )
    with pytest.raises(FindingsError) as told_:
        open_sources(path, schema(), environment={"HR": url}, now=now)
    (finding,) = told_.value.diagnostics
    assert finding.span.line == 2
    assert url not in finding.message


def test_a_slow_source_holds_up_no_event_loop(sources, service):
    event = threading.Event()
    service.answer = after(event, says({"country": "FR", "tier": "low"}))

    async def tick():
        asked = asyncio.ensure_future(sources.resolve_soon(SENT))
        for _ in range(5):
            await asyncio.sleep(0.01)
        assert not asked.done()
        event.set()
        return await asked

    assert told(asyncio.run(tick())) == WHOLE
