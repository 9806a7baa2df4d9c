"""A program under a ceiling answers as the program answers the same request with every value annotated."""

from __future__ import annotations

from typing import Any

import pytest

import abac
from abac.condition.schema import Assurance
from abac.policy.request import Request
from abac.service.ceiling import CALLER, Ceiling, Ceilings, under
from benchmarks.decisions import program, requests


@pytest.mark.parametrize("level", list(Assurance))
@pytest.mark.parametrize("complete", [True, False])
def test_bare_values_under_a_ceiling_are_values_annotated_with_it(level: Assurance, complete: bool):
    plain = program(200)
    seen = under(plain, Ceiling(level, complete))
    for subject, resource in requests(300, known=0.9):
        said = {name: _said(name, value, level, complete) for name, value in subject.items()}
        annotated = {name: _said(name, value, level, complete) for name, value in resource.items()}
        bare = seen.run(Request(subject, "invoke", resource, {}, CALLER), frozenset())
        full = plain.run(Request(said, "invoke", annotated), frozenset())
        assert bare == full


def _said(name: str, value: Any, level: Assurance, complete: bool) -> dict[str, Any]:
    whole = {"complete": complete} if name == "citizenships" else {}
    return {"value": value, "assurance": str(level)} | whole


def test_the_revision_is_the_programs_own():
    plain = program(20)
    seen = under(plain, Ceiling())
    assert seen.revision == plain.revision
    subject, resource = requests(1)[0]
    assert seen.run(Request(subject, "invoke", resource, {}, CALLER), frozenset()).revision == plain.revision


def test_ceilings_are_made_once_and_anew_for_another_program():
    one, other, third, held = program(10), program(11), program(12), Ceilings()
    first = held.under(one, Ceiling())
    assert held.under(one, Ceiling()) is first
    assert held.under(one, Ceiling(Assurance.VERIFIED)) is not first
    assert held.under(other, Ceiling()).revision == other.revision
    assert held.under(one, Ceiling()) is first, "the last two are kept"
    held.under(third, Ceiling())
    assert held.under(one, Ceiling()) is not first
    assert held.under(one, Ceiling()).revision == one.revision


def test_a_program_is_prepared_for_the_ceilings_in_use(monkeypatch: pytest.MonkeyPatch):
    one, other, held = program(10), program(11), Ceilings()
    for level in (Assurance.DECLARED, Assurance.VERIFIED):
        held.under(one, Ceiling(level))
    held.prepare(other)
    monkeypatch.setattr("abac.service.ceiling.under", None)  # whoever makes one now fails
    for level in (Assurance.DECLARED, Assurance.VERIFIED):
        assert held.under(other, Ceiling(level)).revision == other.revision


def test_a_program_under_a_ceiling_is_a_program():
    seen = under(program(10), Ceiling())
    subject, resource = requests(1)[0]
    request = Request(subject, "invoke", resource, {}, CALLER)
    assert abac.explain(seen, request).outcome == abac.decide(seen, request)
