"""Every section of an impact report is verified: one number changed by hand in any of them is told by its name."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from abac.service.impact import Asked, make, verify
from abac.simulation.population import Assumption
from abac.simulation.recount.verify_stress import verify_stress
from abac.simulation.run import run
from abac.simulation.stress import bound
from tests.simulation import june
from tests.simulation.stress.stressed import stressed

STUDIES = ("d1-foreign-nationals", "t2-end-users")
LOGGED = Assumption("use", "requests logged from then to now", "a test", "as logged")
SIZES: dict[str, Any] = {"size": 30, "examples": 0}


def small_test(size: int = 400) -> Any:
    whole = stressed(size)
    varied = tuple(
        v for v in whole.test.varied if v.name in ("coverage", "reading", "dual.native", "bypass.breadth")
    )
    return replace(whole, test=replace(whole.test, studies=STUDIES, varied=varied, draws=8, grid=4))


@pytest.fixture(scope="module")
def asked():
    inputs = june.covered(300, 0.5, 0.3)
    studies = tuple(s for s in inputs.studies if s.id in STUDIES)
    few = replace(inputs.population, asserted=inputs.population.asserted[:40], truth=None, synthetic=False)
    log = replace(
        few, use=few.use[:40], sessions=few.sessions[:40], assumptions=(LOGGED,), catalogue=few.catalogue
    )
    return Asked(replace(inputs, studies=studies, postures=("strict",)), log, stressed=small_test())


@pytest.fixture(scope="module")
def made(asked):
    return make(asked)


def at(report: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        if isinstance(step, dict):
            report = next(row for row in report if all(row[k] == v for k, v in step.items()))
        else:
            report = report[step]
    return report


D1 = {"id": "d1-foreign-nationals"}
CHANGED: dict[str, tuple[Any, ...]] = {
    "subjects": ("subjects",),
    "minutes_of_notice": ("minutes_of_notice",),
    "options": ("options", 0, "sessions_cut"),
    "directives": ("directives", 0, "decidable_share"),
    "directives' substitutes": ("directives", 0, "displaced", "parity_shown", "people"),
    "person_tests": ("person_tests", "foreign-person-ear@1|non-citizen@1", "disagree"),
    "person_matrix": ("person_matrix", "pairs", 4, "clauses", 0, "subjects"),
    "person_matrix, on file": ("person_matrix", "tests", 0, "unknown_on_file", "people"),
    "frontier": ("frontier", {**D1, "coverage": 0.75, "posture": "strict", "yardstick": "purpose"}, "over"),
    "blackout": ("blackout", 3, "decidable_share"),
    "sweeps": ("sweeps", "organisations", 3, "citizens_denied_share"),
    "selective_compliance_at": ("selective_compliance_at", "coverage"),
    "timeline": ("timeline", 0, "permitted_share"),
    "dependence": ("dependence", 0, "users"),
    "second_sources": ("second_sources", 0, "price"),
    "assumptions": ("assumptions", {"name": "posture step-up"}, "value", "completion"),
    "layers: log": ("layers", {"layer": "log"}, "counts", "requests"),
    "layers: log, directives": ("layers", {"layer": "log"}, "studies", 0, "decidable_share"),
    "layers: population": ("layers", {"layer": "population"}, "known_on_file", "subject.location"),
    "layers: boundaries": ("layers", {"layer": "boundaries"}, "counts", "changed"),
    "layers: proof": ("layers", {"layer": "proof"}, "counts", "proved"),
    "stress: at_base": ("stress", "at_base", "d1-foreign-nationals", "decidable", "value"),
    "stress: sweeps": ("stress", "sweeps", 0, "rows", 1, "outcomes", "us_persons_denied", "value"),
    "stress: monte_carlo": ("stress", "monte_carlo", 0, "outcomes", "decidable", "quantiles", 1, "value"),
    "stress: break_even": ("stress", "break_even", 1, "ahead", 2, 1),
    "stress: collecting": ("stress", "collecting", 0, "with_everything"),
    "stress: flows": ("stress", "flows", 0, "denied"),
    "stress: second_sources": ("stress", "second_sources", 0, "users"),
}


@pytest.fixture(scope="module")
def tampered(asked, made):
    """A number of every section changed, and what verifying says of it: path to what is told there."""
    told, changed = copy.deepcopy(made.report), {}
    for section, path in CHANGED.items():
        parent = at(told, path[:-1])
        was = parent[path[-1]]
        parent[path[-1]] = 0.5 if was is None else was + 1 if isinstance(was, int) else was + 0.001
        changed[section] = parent[path[-1]]
    found = verify(asked, told, made=made, **SIZES)
    return changed, {b.difference.path: b.difference for b in found.broken}


@pytest.mark.parametrize("section", CHANGED)
def test_a_number_changed_by_hand_is_told(tampered, section):
    changed, broken = tampered
    path = CHANGED[section]
    own = [d for place, d in broken.items() if place.startswith(str(path[0])) and place.endswith(_end(path[-1]))]
    assert any(d.told == changed[section] for d in own), sorted(broken)


def _end(step: Any) -> str:
    return (
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if step not in ("subjects", "minutes_of_notice")
        else step
    )


def test_nothing_else_is_told(tampered):
    """What is told is what was changed, or what it stands in: the rest of the report is sound."""
    _, broken = tampered
    ends = {str(path[-1]) for path in CHANGED.values() if not isinstance(path[-1], int)}
    ends |= {"share", "headline", "[2][1]"}  # of those displaced; the sentence on d1; a point of the plane
    assert [d for place, d in broken.items() if not place.endswith(tuple(ends))] == []


def test_without_a_run_made_already_one_is_made(asked):
    """Whoever has but the report and what it was made of comes to the same."""
    few = replace(june.inputs(300), studies=asked.inputs.studies[:1], postures=("strict",), sweeps=())
    alone = Asked(few)
    told = run(few).report
    told["headline"] += "!"
    assert {b.difference.path for b in verify(alone, told, **SIZES).broken} == {"headline", "layers"}


def test_a_stress_test_whose_decisions_are_not_the_reference_s_is_told(monkeypatch: pytest.MonkeyPatch):
    """The sums of the engine are not believed: the same subjects are decided and counted once more."""
    test = small_test(300)
    sound = [d for d in verify_stress(test, {}, fresh={}, rows=20, draws=3) if d]
    assert sound == []
    monkeypatch.setattr(bound, "undecided", lambda codes: codes == 0)
    wrong = {d.path.split("[")[0] for d in verify_stress(test, {}, fresh={}, rows=20, draws=3) if d}
    assert {"stress.at_base.d1-foreign-nationals.decidable.value", "stress.sweeps", "stress.collecting"} <= wrong
