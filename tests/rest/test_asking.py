"""What a caller's word is worth: ceilings, sets, types, time, and what the schema does not have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import abac
from abac.condition.schema import Assurance, Category
from abac.policy.decision import Decision
from abac.rest.authzen.asking import Asker, refused
from abac.rest.authzen.naming import Types
from abac.rest.authzen.wire import Action, Entity, Evaluation
from abac.rest.problems import Problem
from abac.service.ceiling import Ceiling, under
from tests.rest.running import MODEL

NOON = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)
SCHEMA = """
schema: abac/1
attributes:
  subject:
    id: {type: string}
    kind: {type: {enum: [person, agent]}, assurance: verified}
    tier: {type: int, assurance: verified}
    countries: {type: {set of: string}, assurance: verified}
  resource:
    id: {type: string}
    type: {type: string}
  action:
    name: {type: string}
  environment:
    now: {type: date-time, assurance: verified}
    region: {type: string}
"""
D = """
directive: d
title: Only the verified
kind: targeted
binding: true
firmness: assumption
authority: {body: a test, theory: none}
times: {issued: 2026-01-01T00:00:00Z, received: 2026-01-01T00:00:00Z}
status: [{event: effective, at: 2026-01-01T00:00:00Z, recorded: 2026-01-01T00:00:00Z}]
requires: {subject.tier: documented}
clauses: [{id: c, kind: deny, subject: r.sub.tier < 3, resource: "true"}]
in_flight: cut
evidence: []
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> abac.Program:
    folder: Path = tmp_path_factory.mktemp("policies")
    (folder / "schema.yaml").write_text(SCHEMA)
    (folder / "rows.csv").write_text("p, true, true, invoke, allow\n")
    (folder / "d.yaml").write_text(D)
    return abac.compile(folder / "schema.yaml", MODEL, [folder / "rows.csv", folder / "d.yaml"])


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> abac.Program:
    folder: Path = tmp_path_factory.mktemp("rows")
    (folder / "schema.yaml").write_text(SCHEMA)
    row = 'p, "US" in r.sub.countries && !("FR" in r.sub.countries), true, invoke, allow\n'
    (folder / "rows.csv").write_text(row)
    return abac.compile(folder / "schema.yaml", MODEL, [folder / "rows.csv"])


def asker(program: abac.Program, ceiling: Ceiling | None = None, types: Types | None = None) -> Asker:
    ceiling = ceiling or Ceiling()
    return Asker(under(program, ceiling), ceiling, types or Types(), lambda: NOON)


def evaluation(subject: dict[str, Any] | None = None, context: Any = None, kind: str = "person") -> Evaluation:
    return Evaluation(Entity(kind, "ana", subject), Action("invoke"), Entity("model", "m"), context)


def decided(by: Asker, asked: Evaluation, *, flat: bool = False) -> Decision:
    return by.program.run(by.ask(asked, flat=flat).request, frozenset()).decision


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    ("level", "decision"),
    [
        (Assurance.INFERRED, Decision.INDETERMINATE),
        (Assurance.DECLARED, Decision.INDETERMINATE),
        (Assurance.DOCUMENTED, Decision.PERMIT),
        (Assurance.VERIFIED, Decision.PERMIT),
    ],
)
def test_a_bare_value_is_worth_the_ceiling(
    program: abac.Program, level: Assurance, decision: Decision, flat: bool
):
    assert decided(asker(program, Ceiling(level)), evaluation({"tier": 5}), flat=flat) is decision


def test_an_annotated_value_is_lowered_to_the_ceiling_and_never_raised(program: abac.Program):
    by = asker(program, Ceiling(Assurance.DOCUMENTED))
    for said, decision in (("verified", "PERMIT"), ("documented", "PERMIT"), ("declared", "INDETERMINATE")):
        asked = evaluation({"tier": {"value": 5, "assurance": said}})
        assert decided(by, asked).value == decision
    assert decided(by, evaluation({"tier": {"value": 5}})) is Decision.INDETERMINATE, "it says nothing of itself"
    by = asker(program)
    assert decided(by, evaluation({"tier": {"value": 5, "assurance": "verified"}})) is Decision.INDETERMINATE


def test_the_elements_of_a_set_are_lowered_too(program: abac.Program):
    element = {"value": "US", "assurance": "verified"}
    found = asker(program).ask(evaluation({"countries": [element, "FR"]})).request.subject["countries"]
    assert found == [{"value": "US", "assurance": "declared"}, "FR"]
    whole = {"value": [element], "assurance": "verified", "complete": True}
    found = asker(program).ask(evaluation({"countries": whole})).request.subject["countries"]
    assert found == {
        "value": [{"value": "US", "assurance": "declared"}],
        "assurance": "declared",
        "complete": True,
    }


def test_a_source_that_a_caller_names_is_told_as_the_callers(program: abac.Program):
    said = {"value": 5, "assurance": "declared", "source": "the registry"}
    found = asker(program).ask(evaluation({"tier": said})).request.subject["tier"]
    assert found["source"] == "request/the registry"


@pytest.mark.parametrize("flat", [True, False])
def test_a_bare_set_is_incomplete_unless_the_key_is_configured_as_complete(rows: abac.Program, flat: bool):
    asked = evaluation({"countries": ["US"]})
    assert decided(asker(rows), asked, flat=flat) is Decision.INDETERMINATE
    assert decided(asker(rows, Ceiling(complete=True)), asked, flat=flat) is Decision.PERMIT
    said = evaluation({"countries": {"value": ["US"], "complete": True}})
    assert decided(asker(rows), said) is Decision.PERMIT
    assert decided(asker(rows, Ceiling(complete=True)), evaluation({"countries": {"value": ["US"]}})) is (
        Decision.INDETERMINATE
    )


def test_the_time_is_the_services_own(program: abac.Program):
    asked = asker(program).ask(evaluation({}, {"now": "2020-01-01T00:00:00Z", "region": "eu"}))
    assert asked.request.environment == {"region": "eu", "now": NOON}
    assert asked.ignored == ("context.now",)


def test_a_what_if_has_the_time_it_asks_about_at_the_callers_ceiling(program: abac.Program):
    asked = asker(program).ask(evaluation({}, {"now": "2020-01-01T00:00:00Z", "what_if": True}))
    assert asked.what_if
    assert asked.request.environment["now"] == {"value": "2020-01-01T00:00:00Z", "assurance": "declared"}
    assert asked.ignored == ()
    assert asker(program).ask(evaluation({}, {"what_if": True})).request.environment == {"now": NOON}


@pytest.mark.parametrize("mark", ["yes", 1, "true", []])
def test_a_mark_that_is_neither_true_nor_false_is_refused(program: abac.Program, mark: object):
    with pytest.raises(Problem, match="expected true or false"):
        asker(program).ask(evaluation({}, {"what_if": mark}))


def test_a_type_becomes_kind_where_the_schema_has_it_else_type(program: abac.Program):
    request = asker(program).ask(evaluation()).request
    assert (request.subject["kind"], request.resource["type"]) == ("person", "model")


def test_a_type_the_schema_does_not_have_is_ignored_and_told(program: abac.Program):
    asked = asker(program).ask(evaluation(kind="user"))
    assert "kind" not in asked.request.subject
    assert asked.ignored == ("subject.type",)
    assert asker(program).ask(evaluation({"kind": "agent"}, kind="user")).request.subject["kind"] == "agent"


def test_types_are_configurable(program: abac.Program):
    types = Types({Category.RESOURCE: "", Category.SUBJECT: "kind"}, {"user": "person"})
    request = asker(program, types=types).ask(evaluation(kind="user")).request
    assert request.subject["kind"] == "person"
    assert "type" not in request.resource


def test_what_the_schema_does_not_have_is_ignored_and_told(program: abac.Program):
    body = evaluation({"tier": 5, "shoe_size": 43, "id": "someone else"}, {"moon": "full"})
    asked = asker(program).ask(body)
    assert asked.request.subject == {"tier": 5, "id": "ana", "kind": "person"}
    assert asked.ignored == ("subject.properties.shoe_size", "subject.properties.id", "context.moon")


def test_ignoring_never_permits_more(program: abac.Program):
    """What is ignored is as if it had not been sent: the decision is that of the request without it."""
    by = asker(program, Ceiling(Assurance.VERIFIED))
    for known in ({"tier": 5}, {"tier": 1}, {}):
        assert decided(by, evaluation(known | {"unheard_of": "x"})) is decided(by, evaluation(known))


def test_null_is_absent(program: abac.Program):
    by = asker(program, Ceiling(Assurance.VERIFIED))
    assert decided(by, evaluation({"tier": None})) is decided(by, evaluation({})) is Decision.INDETERMINATE


def test_a_batch_is_put_as_its_items_one_by_one(program: abac.Program):
    by = asker(program)
    shared = Entity("person", "ana", {"tier": 5, "shoe_size": 43})
    items: list[Any] = [
        Evaluation(
            shared, Action("invoke"), Entity("model", str(n)), None if n % 2 else {"region": "eu", "moon": 1}
        )
        for n in range(6)
    ]
    items.insert(3, Problem(400, "x", "y"))
    batch = by.ask_all(items, flat=False)
    assert batch[3] is items[3]
    alone = [by.ask(item) for item in items if not isinstance(item, Problem)]
    assert [one for n, one in enumerate(batch) if n != 3] == alone


def test_paths_are_those_of_the_wire():
    for ours, theirs in (
        ("subject.tier", "subject.properties.tier"),
        ("subject.id", "subject.id"),
        ("action.name", "action.name"),
        ("environment.region", "context.region"),
        ("environment.now.as_of", "context.now.as_of"),
    ):
        assert refused(abac.RequestError(ours, "wrong")).path == theirs


def test_a_batch_is_at_one_time(program: abac.Program):
    times = iter(NOON.replace(minute=n) for n in range(60))
    by = Asker(under(program, Ceiling()), Ceiling(), Types(), lambda: next(times))
    items = [evaluation({}, {"region": str(n)} if n else None) for n in range(4)]
    found = by.ask_all(items, flat=False)
    assert {one.request.environment["now"] for one in found if not isinstance(one, Problem)} == {NOON}
