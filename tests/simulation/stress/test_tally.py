"""What is counted at a setting is what the report of that population counts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from abac.simulation.run import run
from abac.simulation.stress import intervals
from abac.simulation.stress.engine import Engine, Stressed
from abac.simulation.stress.setting import Setting
from abac.simulation.stress.tally import OUTCOMES, effect
from abac.simulation.study import Study
from tests.simulation import june
from tests.simulation.stress.stressed import stressed

SUBJECTS = 2_000


@cache
def reported(coverage: float, attesting: float) -> dict[str, Any]:
    inputs = replace(june.covered(SUBJECTS, coverage, attesting), sweeps=())
    return run(inputs).report


@cache
def everything() -> Engine:
    whole = stressed(SUBJECTS)
    return Engine(replace(whole, test=replace(whole.test, studies=())))


def ratio(engine: Engine, name: str, study: str, setting: Setting, **more: Any) -> float | None:
    tally, outcome = engine.tally(study, setting, **more), OUTCOMES[name]
    return intervals.ratio(engine.design, outcome.part(tally, setting), outcome.whole(tally))[0]


@pytest.mark.parametrize("posture", ["strict", "step-up", "shutdown", "lenient"])
@pytest.mark.parametrize(("coverage", "attesting"), [(0.0, 0.0), (0.5, 0.5)])
def test_figures_equal_the_report(posture: str, coverage: float, attesting: float) -> None:
    told, engine = reported(coverage, attesting), everything()
    setting = engine.stressed.filed.with_values({"coverage": coverage, "attesting": attesting, "posture": posture})
    for study in engine.studies:
        scope, purpose = (june.entry(told, study, posture, y) for y in ("scope", "purpose"))
        assert ratio(engine, "decidable", study, setting) == scope["decidable_share"]
        assert ratio(engine, "precision", study, setting) == purpose["precision"]
        assert ratio(engine, "recall", study, setting) == purpose["recall"]
        assert ratio(engine, "precision_scope", study, setting) == scope["precision"]
        assert ratio(engine, "recall_scope", study, setting) == scope["recall"]
        tally = engine.tally(study, setting)
        assert tally.us_blocked.sum() == sum(scope["us_persons_denied"].values())
        assert tally.blocked.sum() == scope["blocked"]["requests"]


def test_with_everything_asserted_truly_a_directive_is_right_by_its_own_yardstick() -> None:
    engine = everything()
    setting = engine.stressed.filed
    said = 0
    for study in engine.studies:
        collected = frozenset(engine.bound(study, "own").reads())
        for name in ("precision_scope", "recall_scope"):
            found = ratio(engine, name, study, setting, collected=collected)
            assert found in (None, 1.0), (study, name)
            said += found is not None
    assert said >= 12  # six directives deny somebody


def test_a_reading_is_the_directive_under_the_other_person_test() -> None:
    engine, setting = everything(), stressed(SUBJECTS).filed.but(coverage=0.6, attesting=0.4)
    for name in OUTCOMES:
        mine = ratio(engine, name, "d1-foreign-nationals", setting.but(reading="non-citizen@1"))
        assert mine == ratio(engine, name, "d1-passport-reading", setting)


def test_location_matters_to_the_reading_that_looks_at_it_and_to_no_other() -> None:
    engine = everything()
    for reading, matters in (("own", False), ("foreign-person-bulk-data@1", True)):
        settings = [engine.stressed.base.with_values({"reading": reading, "location.wrong": w}) for w in (0, 0.25)]
        found = [ratio(engine, "recall_scope", "d1-foreign-nationals", s) for s in settings]
        assert (found[0] != found[1]) == matters


def test_contained_has_its_closed_form() -> None:
    engine, setting = everything(), stressed(SUBJECTS).base
    for study in engine.studies:
        tally = engine.tally(study, setting)
        total = {
            n: float(getattr(tally, n).sum()) for n in ("shut", "open", "guarded_shut", "guarded_open", "right")
        }
        assert total["shut"] + total["open"] == total["right"]
        for breadth in (0.0, 0.3, 1.0):
            for parity in (0.0, 0.5, 1.0):
                stopped = effect(breadth, 0.99, 0.0)
                before = breadth + (1 - breadth) * parity  # reached by whom a substitute is open to
                for one, after in (("open", parity), ("guarded_open", None)):
                    local = breadth * (1 - stopped)
                    reach = after if after is not None else local + (1 - local) * parity
                    total[f"{one} gained"] = total[one] * (before - reach)
                expected = (
                    total["open gained"]
                    + total["guarded_open gained"]
                    + total["shut"] * breadth
                    + total["guarded_shut"] * breadth * stopped
                )
                found = tally.contained(breadth, parity, stopped).sum()
                assert found == pytest.approx(expected)


def test_a_study_that_the_directive_does_not_touch_is_not_counted() -> None:
    whole: Stressed = stressed(SUBJECTS)
    engine = Engine(whole)
    assert 0 < len(engine) < SUBJECTS
    assert set(engine.studies) == set(whole.test.studies)
    assert all(isinstance(s, Study) for s in engine.studies.values())
