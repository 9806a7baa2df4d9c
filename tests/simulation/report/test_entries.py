from __future__ import annotations

from abac.simulation.report import entries, figures


def test_options_come_in_the_order_of_the_postures(known):
    assert [o["posture"] for o in entries.options(known)] == list(entries.POSTURES)


def test_a_split_of_exact_counts_sums_to_the_blocked(known):
    for one in known["directives"]:
        split = entries.Split.of(one)
        assert split.rightly + split.wrongly == one["blocked"]["people"]


def test_a_split_of_bounds_holds_every_completion():
    one = {"blocked": {"people": 100}, "over_block": {"people": {"low": 20, "high": 70, "point": None}}}
    assert entries.Split.of(one).rightly == {"low": 30, "high": 80, "point": None}
    one["over_block"]["people"] = {"low": 20, "high": 70, "point": 40}
    assert figures.point(entries.Split.of(one).rightly) == 60


def test_reach_says_how_a_directive_aims(known):
    reach = {e["id"]: entries.reach(e) for e in entries.of_posture(known, "strict", "scope")}
    assert reach["d1-foreign-nationals"] == "broad"
    assert reach["t2-end-users"] == "targeted"
    assert reach["t3-capability"] == "denies nobody"


def test_without_a_named_directive_in_force_the_first_that_blocks_is_meant(known):
    del known["in_force"]
    assert entries.in_force(known) == "d1-foreign-nationals"


def test_a_brought_population_is_not_synthetic_unless_it_says_so(known, bounded):
    del known["synthetic"], bounded["synthetic"]
    assert entries.is_synthetic(known)
    assert not entries.is_synthetic(bounded)
