"""`verify` passes every sound report, and no count that is not what it says."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from abac.simulation import posture, study, whose
from abac.simulation.change import Decided
from abac.simulation.measures import Units
from abac.simulation.recount.parts import halves, part
from abac.simulation.recount.verify import Verified, _Look, verify
from abac.simulation.report.meaning import meaning
from abac.simulation.run import Inputs, run
from tests.simulation import june

STUDIES = ("d1-foreign-nationals", "t2-end-users")


def small(inputs: Inputs) -> Inputs:
    chosen = tuple(s for s in inputs.studies if s.id in STUDIES)
    return replace(inputs, studies=chosen, postures=("strict", "step-up"))


def verified(inputs: Inputs, report: Any = None) -> Verified:
    told = report or run(inputs).report
    return verify(inputs, told, fresh=told, size=100, examples=1)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return small(june.covered(1_200, 0.5, 0.3))


@pytest.fixture(scope="module")
def report(inputs: Inputs) -> Any:
    return run(inputs).report


def test_a_sound_report_passes_and_everything_was_looked_at(inputs: Inputs, report: Any):
    found = verified(inputs, report)
    assert found.broken == ()
    assert found.subjects > 150
    assert min(found.decisions, found.figures, found.sums) > 500


def test_a_count_of_the_wrong_people_is_told_with_one_of_them(inputs: Inputs, monkeypatch: pytest.MonkeyPatch):
    """Whoever is denied counted as a US person: the figure, both numbers, and somebody who is none."""

    def of_any_country(applied: Any, among: Any) -> int:
        units = applied.studied.units
        return int(np.count_nonzero(units.anyone(applied.blocked.low) & units.persons & among))

    monkeypatch.setattr(whose, "_us_people", of_any_country)
    broken = verified(inputs).broken
    assert {b.difference.path.rpartition(".")[2] for b in broken} <= {"customers", "staff", "applicants"}
    first = str(broken[0])
    assert "directives[d1-foreign-nationals, strict, scope].us_persons_denied.customers: the report says" in first
    assert "US persons who lose access" in first
    assert "citizenships_current=" in first
    assert "US" not in first.partition("true ")[2].partition("citizenships_current=")[2].partition("}")[0]


def test_a_wrong_posture_is_noticed(inputs: Inputs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "abac.simulation.study.completes",
        lambda seed, rows, share: ~posture.completes(seed, rows, share),
    )
    broken = verified(inputs).broken
    assert {"directives[d1-foreign-nationals, step-up, scope].blocked.people"} <= {
        b.difference.path for b in broken
    }


def test_a_wrong_decision_is_noticed_among_all_the_others(inputs: Inputs, monkeypatch: pytest.MonkeyPatch):
    decide = study.decide

    def unchanged(programs: Any, wanted: Any, at: Any, frame: Any) -> Any:
        first, *rest = decide(programs, wanted, at, frame)
        return [first, *(Decided(first.codes, one.owed) for one in rest)]

    monkeypatch.setattr(study, "decide", unchanged)
    broken = verified(inputs).broken
    assert any(b.difference.path.startswith("decisions[") and "s-0" in b.example for b in broken)


def figures(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from figures(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from figures(inner, (*path, place))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


STATED = {"seed", "subjects", "minutes_of_notice", "days_voluntary_to_binding", "assumptions"}
IDENTITIES = {"number", "tier", "minutes_to_enforce"}


def test_one_more_in_any_count_of_the_report_does_not_add_up(inputs: Inputs, report: Any):
    """Every twentieth integer of the report, each raised by one by itself."""
    kept = [run(part(inputs, rows)).report for rows in halves(Units(inputs.population), 0)]
    again = iter(kept)
    look = _Look(inputs, report, lambda _: next(again))
    assert [d for d in look.sums(0) if d] == []
    for path, value in list(figures(report))[::20]:
        if path[0] in STATED or path[-1] in IDENTITIES:
            continue
        told = copy.deepcopy(report)
        parent = told
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value + 1
        look._report, again = told, iter(kept)
        assert [d for d in look.sums(0) if d], path


def test_every_number_says_what_it_counts(report: Any):
    for path, _ in figures(report):
        if path[0] not in {"assumptions", "seed"}:
            text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
            assert len(meaning(text)) > 12, text


def test_a_brought_population_is_counted_in_possible_worlds(report: Any):
    brought = june.covered(1_200, 0.5, 0.3)
    people = replace(brought.population, truth=None, synthetic=False, seed=None)
    inputs = small(replace(brought, population=people, sweeps=()))
    told = run(inputs).report
    assert verified(inputs, told).broken == ()
    narrow = copy.deepcopy(told)
    for entry in narrow["directives"]:
        entry["over_block"]["people"]["high"] = entry["over_block"]["people"]["low"]
    assert verified(inputs, narrow).broken
