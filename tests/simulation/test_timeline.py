"""The timeline: each date decided by what was recorded up to it, the times of notice, and the days to binding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abac.policy.directive import Event, StatusEvent
from abac.simulation.change import Columns
from abac.simulation.scenario import Moment
from abac.simulation.timeline import days_to_binding, instant, minutes_of_notice, timeline
from tests.simulation import june

INPUTS = june.inputs(2_000)
COLUMNS = Columns.of(INPUTS.population, INPUTS.read)
PROGRAM = INPUTS.program
AT = datetime(2026, 6, 12, 21, 21, tzinfo=UTC)


def directive(name: str):
    return next(d for d in PROGRAM.directives if d.id == name)


def program(**changed):
    """Return the program with directives replaced by name (underscores for hyphens)."""
    new = {name.replace("_", "-"): value for name, value in changed.items()}
    return replace(PROGRAM, directives=tuple(new.get(d.id, d) for d in PROGRAM.directives))


def shares(of=PROGRAM, *moments: datetime, directives=("d1-foreign-nationals",)) -> list[float]:
    """Return the share of requests for Fable 5 permitted at each moment."""
    dates = tuple(Moment(m, "x") for m in moments)
    scenario = replace(INPUTS.scenario, timeline=dates, timeline_directives=directives)
    return [row["permitted_share"] for row in timeline(scenario, of, COLUMNS) if row["model"] == "fable-5"]


def test_the_timeline_of_the_scenario():
    told = {(row["as_of"][:10], row["model"]): row["permitted_share"] for row in june.report(2_000)["timeline"]}
    fable = [
        told[day, "fable-5"] for day in ("2026-06-02", "2026-06-09", "2026-06-12", "2026-06-26", "2026-07-01")
    ]
    assert fable == [0.0, 1.0, 0.0, 0.0, 1.0]
    assert told["2026-06-12", "mythos-5"] == 0.0
    assert 0.0 < told["2026-06-26", "mythos-5"] < 1.0, "Annex A and the provider's own staff"
    assert {s for (_, m), s in told.items() if m in ("opus-4.5", "gpt-5.5", "gemini-3-pro")} == {1.0}


def test_a_directive_is_in_force_from_its_instant_and_not_before():
    assert shares(PROGRAM, AT - timedelta(microseconds=1), AT) == [1.0, 0.0]


def test_a_directive_recorded_late_does_not_change_what_was_known_before():
    """In force on the 12th, recorded on the 14th: nobody could have decided by it on the 13th."""
    late = tuple(replace(e, recorded=AT + timedelta(days=2)) for e in directive("d1-foreign-nationals").events[:1])
    changed = program(d1_foreign_nationals=replace(directive("d1-foreign-nationals"), events=late))
    day = timedelta(days=1)
    assert shares(changed, AT, AT + day, AT + 2 * day, AT + 3 * day) == [1.0, 1.0, 0.0, 0.0]
    assert changed.directives != PROGRAM.directives


def test_a_rescission_recorded_late_keeps_it_in_force_until_it_is_known():
    rescinded = StatusEvent(Event.RESCINDED, AT + timedelta(days=1), AT + timedelta(days=3))
    events = (directive("d1-foreign-nationals").events[0], rescinded)
    changed = program(d1_foreign_nationals=replace(directive("d1-foreign-nationals"), events=events))
    days = [AT + timedelta(days=n) for n in range(5)]
    assert shares(changed, *days) == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_a_suspension_opens_a_gap():
    first = directive("d1-foreign-nationals").events[0]
    events = (
        first,
        *(
            StatusEvent(event, AT + timedelta(days=n), AT)
            for event, n in ((Event.SUSPENDED, 1), (Event.RESUMED, 2))
        ),
    )
    changed = program(d1_foreign_nationals=replace(directive("d1-foreign-nationals"), events=events))
    assert shares(changed, *(AT + timedelta(hours=h) for h in (0, 24, 47, 48))) == [0.0, 1.0, 1.0, 0.0]


def test_only_the_directives_named_take_part():
    assert shares(PROGRAM, AT, directives=()) == [1.0]
    assert shares(PROGRAM, AT, directives=("t3-capability",)) == [1.0], "the safeguard is discharged"


def test_every_date_has_a_row_for_every_model_in_use():
    rows = june.report(2_000)["timeline"]
    models = {c.split("|")[0] for c in INPUTS.population.use.columns if INPUTS.population.use[c].max()}
    assert {(r["as_of"], r["model"]) for r in rows} == {
        (instant(m.as_of), model) for m in INPUTS.scenario.timeline for model in models
    }


def test_ten_days_from_voluntary_to_binding():
    assert days_to_binding(PROGRAM, INPUTS.scenario) == june.report(2_000)["days_voluntary_to_binding"] == 10


def test_without_a_voluntary_start_or_a_binding_end_there_are_no_days():
    none = replace(INPUTS.scenario, voluntary="")
    assert days_to_binding(PROGRAM, none) == 0
    alone = replace(INPUTS.scenario, timeline_directives=("v0-framework", "p1-customer-gate"))
    assert days_to_binding(PROGRAM, alone) == 0


def told_times(**times):
    d1 = directive("d1-foreign-nationals")
    about = dict(d1.about) | {"times": {k: v for k, v in times.items() if v}}
    return replace(d1, about=tuple(about.items()))


@pytest.mark.parametrize(
    ("received", "comply_by", "minutes"),
    [
        ("2026-06-12T21:21:00Z", "2026-06-12T22:51:00Z", 90),
        ("2026-06-12T21:21:00Z", "2026-06-12T22:50:59Z", 89),
        ("2026-06-12T20:21:00Z", None, 60),  # to taking effect
        ("2026-06-13T00:00:00Z", None, 0),  # in force before it was received
        ("2026-06-12T23:21:00+02:00", None, 0),
        (None, "2026-06-12T22:51:00Z", 0),
    ],
)
def test_notice_runs_from_receipt(received, comply_by, minutes):
    assert minutes_of_notice(told_times(received=received, comply_by=comply_by)) == minutes


def test_no_directive_gives_no_notice():
    assert minutes_of_notice(None) == 0
