"""The rows of the report hang together: what must hold between its figures, whatever the numbers are."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from abac.simulation.report.validate import validate
from abac.simulation.run import run
from tests.simulation import june

POSTURES, YARDSTICKS = ("strict", "step-up", "shutdown", "lenient"), ("scope", "purpose")


def some_on_file():
    return run(june.covered(4_000, 0.6, 0.3)).report


REPORTS = {"nothing on file": lambda: june.report(4_000), "some on file": some_on_file}


@pytest.fixture(scope="module", params=REPORTS)
def told(request):
    return REPORTS[request.param]()


def rows(told, **wanted):
    return [e for e in told["directives"] if all(e[k] == v for k, v in wanted.items())]


def by_posture(told, name, yardstick="scope"):
    return {p: june.entry(told, name, p, yardstick) for p in POSTURES}


def names(told):
    return list(dict.fromkeys(e["id"] for e in told["directives"]))


def test_the_report_is_valid(told):
    validate(told)


def test_there_is_one_entry_per_directive_posture_and_yardstick(told):
    found = [(e["id"], e["posture"], e["yardstick"]) for e in told["directives"]]
    studies = [s.id for s in june.inputs(4_000).studies]
    assert found == list(product(studies, POSTURES, YARDSTICKS))


def test_only_what_depends_on_the_yardstick_differs_between_yardsticks(told):
    own = {"yardstick", "over_block", "under_block", "precision", "recall"}
    for scope, purpose in zip(rows(told, yardstick="scope"), rows(told, yardstick="purpose"), strict=True):
        assert {k: v for k, v in scope.items() if k not in own} == {
            k: v for k, v in purpose.items() if k not in own
        }


def test_blocked_is_rightly_and_wrongly(told):
    for e in told["directives"]:
        blocked, over = e["blocked"]["requests"], e["over_block"]["requests"]
        assert over <= blocked
        if e["precision"] is None:
            assert blocked == 0
        else:
            assert e["precision"] == (blocked - over) / blocked


def test_recall_is_of_the_target(told):
    for e in told["directives"]:
        right = e["blocked"]["requests"] - e["over_block"]["requests"]
        target = right + e["under_block"]["requests"]
        assert e["recall"] == (right / target if target else None)


def test_each_denied_request_goes_somewhere_once(told):
    for e in told["directives"]:
        for displaced in e["displaced"].values():
            assert sum(displaced["to"].values()) == e["blocked"]["requests"]
            assert displaced["people"] <= e["blocked"]["people"]
            assert (displaced["share"] is None) == (e["blocked"]["people"] == 0)


def test_strict_blocks_at_least_as_step_up_and_that_as_lenient(told):
    for name in names(told):
        found = by_posture(told, name)
        for unit in ("people", "organisations", "requests"):
            strict, step_up, lenient, shutdown = (
                found[p]["blocked"][unit] for p in ("strict", "step-up", "lenient", "shutdown")
            )
            assert lenient <= step_up <= strict <= shutdown


def test_shutdown_stops_every_request_permitted_before_on_what_it_is_about(told):
    for name in names(told):
        found = by_posture(told, name)
        assert found["shutdown"]["under_block"]["requests"] == 0
        assert found["shutdown"]["safeguarded"]["requests"] <= found["strict"]["safeguarded"]["requests"]


def test_strict_lets_nobody_through_whom_the_letter_forbids_and_the_file_does_not_wrongly_clear(told):
    assert june.entry(told, "d1-foreign-nationals")["under_block"]["requests"] == 0
    assert june.entry(told, "d1-foreign-nationals")["recall"] == 1.0


def test_step_up_is_exact_about_whom_it_clears(told):
    """Whoever brings evidence is decided by the truth: nobody forbidden comes through."""
    assert june.entry(told, "d1-foreign-nationals", "step-up")["under_block"]["requests"] == 0


def test_sessions_end_at_the_boundary_before_anybody_brings_evidence(told):
    for name in names(told):
        found = by_posture(told, name)
        assert found["step-up"]["sessions_cut"] == found["strict"]["sessions_cut"]
        assert found["lenient"]["sessions_cut"] <= found["strict"]["sessions_cut"]


def test_sessions_belong_to_somebody(told):
    for e in told["directives"]:
        assert sum(e["sessions_cut_whose"].values()) == e["sessions_cut"]


def test_work_in_flight_ends_only_where_the_directive_cuts_it_or_all_is_shut_down(told):
    finish = {"p1-customer-gate", "t3-capability"}
    for e in told["directives"]:
        if e["id"] in finish and e["posture"] != "shutdown":
            assert e["sessions_cut"] == 0
    assert june.entry(told, "p1-customer-gate", "shutdown")["sessions_cut"] > 0
    assert june.entry(told, "d1-foreign-nationals")["sessions_cut"] > 0


def test_contained_is_at_most_the_purpose_and_parity_shown_contains_no_more(told):
    for e in rows(told, yardstick="purpose"):
        assert e["contained_parity_shown"] <= e["contained"]
        assert e["contained"] <= e["blocked"]["people"]


def test_keys_and_agents_are_part_of_the_requests_blocked(told):
    for e in told["directives"]:
        assert e["keys"]["requests"] + e["agents"]["requests"] <= e["blocked"]["requests"]
        assert e["dark_organisations"] <= e["blocked"]["organisations"]


def test_the_undecided_hang_on_no_posture(told):
    for name in names(told):
        found = by_posture(told, name).values()
        assert len({str(e["undecided"]) for e in found}) == 1
        assert len({e["decidable_share"] for e in found}) == 1


def test_the_options_are_the_entries_of_the_directive_in_force(told):
    assert [o["posture"] for o in told["options"]] == list(POSTURES)
    for o in told["options"]:
        e = june.entry(told, told["in_force"], o["posture"])
        assert o["us_persons_denied"] == e["us_persons_denied"]
        assert o["sessions_cut"] == e["sessions_cut"]
        assert o["permitted_though_forbidden"] == e["under_block"]["requests"]
        assert o["undecidable_share"] == pytest.approx(1 - e["decidable_share"])
        assert o["reachable_elsewhere"] == {k: v["people"] for k, v in e["displaced"].items()}
        posture = june.inputs(4_000).scenario.postures[o["posture"]]
        assert (o["minutes_to_enforce"], o["reversible"]) == (posture.minutes_to_enforce, posture.reversible)


def test_words_come_from_the_documents(told):
    directives = {d.id: d for d in june.inputs(4_000).program.directives}
    for e in told["directives"]:
        if e["id"] == "baseline":
            assert (e["kind"], e["authority"], e["broad"]) == ("before", "", False)
            continue
        directive = directives[e["id"]]
        assert e["kind"] == directive.kind
        assert e["title"] == directive.told("title")
        assert e["authority"] == directive.told("authority")["body"]
        assert e["counterfactual"] == (e["id"] == "p1-customer-gate")
        assert e["broad"] == (directive.kind in ("broad", "narrowed", "allow-list"))


def test_only_the_postures_asked_for_are_told():
    inputs = replace(june.inputs(1_000), postures=("lenient", "strict"), sweeps=())
    told = run(inputs).report
    assert {e["posture"] for e in told["directives"]} == {"lenient", "strict"}
    assert [o["posture"] for o in told["options"]] == ["lenient", "strict"]
    validate(told)
