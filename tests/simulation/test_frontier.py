"""The frontier's rows equal a report of the population really drawn at that coverage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from abac.simulation.frontier import unbeaten
from abac.simulation.run import run
from tests.simulation import june


def row_of(entry: dict[str, Any], coverage: float | None) -> dict[str, Any]:
    """Return the frontier's row of a directive's entry at a coverage."""
    key = (entry["id"], entry["posture"], entry["yardstick"], coverage)
    rows = june.report(2_000)["frontier"]
    return next(r for r in rows if (r["id"], r["posture"], r["yardstick"], r["coverage"]) == key)


def test_as_it_is_on_file_it_says_what_the_directives_say():
    for entry in june.report(2_000)["directives"]:
        row = row_of(entry, None)
        assert (row["over"], row["under"]) == (entry["over_block"]["people"], entry["under_block"]["people"])


def test_at_every_coverage_it_is_what_a_report_of_that_coverage_says():
    chosen = ("d1-foreign-nationals", "t1-country-groups", "p1-customer-gate")
    for coverage in (0.0, 0.5, 1.0):
        inputs = june.covered(2_000, coverage, coverage)
        studies = tuple(s for s in inputs.studies if s.id in chosen)
        for entry in run(replace(inputs, studies=studies, sweeps=())).report["directives"]:
            row, told = row_of(entry, coverage), (entry["over_block"]["people"], entry["under_block"]["people"])
            assert (row["over"], row["under"]) == told, row


def test_the_unbeaten_are_those_that_no_other_does_better_than():
    base = {"posture": "strict", "yardstick": "scope", "coverage": None}
    points = [(0, 9), (5, 5), (6, 5), (9, 0), (9, 0)]
    rows = [base | {"id": str(i), "over": o, "under": u} for i, (o, u) in enumerate(points)]
    assert [r["unbeaten"] for r in unbeaten(rows)] == [True, True, False, True, True]
