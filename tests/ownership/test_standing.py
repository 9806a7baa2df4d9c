"""The answers against every completion counted out, and against the words of the rule on known shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.ownership.building import graph_of
from abac.ownership.graph import WHOLE, Repeated, Stake
from abac.ownership.reading import BIS, EU, MULTIPLIED, OFAC, UK
from abac.ownership.spread import Bound, spread
from abac.ownership.standing import Answer, marks, standing
from tests.ownership.counted import blocked, completions, drawn

LISTED = ["bad", "worse"]


def told(*stakes, closed=(), persons=(), by=OFAC, listed=LISTED):
    graph = graph_of([Stake.of(*s) for s in stakes], also=listed, closed=closed, disclosed=persons)
    found = standing(graph, marks(graph, listed), by)
    return {name: str(found[name]) for name in graph.names if name not in listed}


@given(drawn())
def test_the_answers_are_those_of_every_completion_counted_out(one):
    """Sound and exact: definite is every completion, possible is some, cannot determine is some with the rest."""
    graph = one.graph
    found = standing(graph, one.marks, OFAC)
    stated = [blocked(graph, c, one.listed, undisclosed=False) for c in completions(graph)]
    tipped = [blocked(graph, c, one.listed, undisclosed=True) for c in completions(graph)]
    for i, name in enumerate(graph.names):
        if all(name in s for s in stated):
            expected = Answer.DEFINITE
        elif any(name in s for s in stated) and not graph.faulty[i]:
            expected = Answer.POSSIBLE
        elif any(name in s for s in tipped):
            expected = Answer.CANNOT_DETERMINE
        else:
            expected = Answer.NONE
        assert found[name] is expected, name


@given(drawn())
def test_one_completion_reaches_the_least_and_one_the_most_of_all_entities_at_once(one):
    graph = one.graph
    sets = [blocked(graph, c, one.listed, undisclosed=False) for c in completions(graph)]
    least, most = (spread(graph, one.marks, b, WHOLE // 2).blocked for b in (Bound.LEAST, Bound.MOST))
    assert {graph.names[i] for i in np.flatnonzero(least)} in sets
    assert {graph.names[i] for i in np.flatnonzero(most)} in sets


@given(drawn())
def test_what_blocked_owners_hold_lies_within_the_bounds(one):
    graph = one.graph
    found = standing(graph, one.marks, OFAC)
    for shares in completions(graph):
        gone = blocked(graph, shares, one.listed, undisclosed=False)
        for i, name in enumerate(graph.names):
            held = sum(v for (owner, owned), v in shares.items() if owned == name and owner in gone)
            if not graph.faulty[i]:
                assert found.low[i] <= held <= found.high[i] <= found.highest[i]


@given(drawn())
def test_the_product_lies_within_its_bounds_and_below_the_rule(one):
    graph = one.graph
    found, rule = standing(graph, one.marks, MULTIPLIED), standing(graph, one.marks, OFAC)
    for shares in completions(graph):
        held = product_of(graph, shares, one.listed)
        for i, name in enumerate(graph.names):
            if not graph.faulty[i]:
                assert found.low[i] - 2 <= held[name] <= found.high[i] + 2
    assert rule.marked(Answer.DEFINITE).sum() >= one.marks.sum()


def product_of(graph, shares, listed):
    """The least solution of the products, by going round often."""
    held = dict.fromkeys(graph.names, 0.0)
    for _ in range(200):
        held = {
            name: sum(
                v * (1.0 if owner in listed else held[owner] / WHOLE)
                for (owner, owned), v in shares.items()
                if owned == name
            )
            for name in graph.names
        }
    return held


@given(drawn())
def test_one_owner_alone_is_sound(one):
    """Definite: some listed party holds more than half in every completion; possible exactly where one can."""
    graph = one.graph
    found = standing(graph, one.marks, UK)
    sets = [
        {n for p in one.listed for n in blocked(graph, c, {p}, undisclosed=False, least=WHOLE // 2 + 1)}
        for c in completions(graph)
    ]
    for i, name in enumerate(graph.names):
        if found[name] is Answer.DEFINITE:
            assert all(name in s for s in sets)
        if not graph.faulty[i]:
            assert (found[name] >= Answer.POSSIBLE) == any(name in s for s in sets)


STAKES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([0.05, 0.1, 0.15, 0.25])), max_size=24
)


@given(STAKES, st.sets(st.integers(0, 7)), st.randoms())
def test_known_shares_give_the_words_of_the_rule_in_any_order(stakes, listed, random):
    def fast(rows):
        graph = graph_of(
            [Stake.of(str(a), str(b), 2 * s) for a, b, s in rows],
            also=map(str, range(8)),
            repeated=Repeated.APART,
        )
        ok = ~graph.over
        found = spread(graph, np.array([i in listed for i in range(8)]), Bound.LEAST, WHOLE // 2)
        return found.blocked.tolist(), ok

    shuffled = random.sample(stakes, len(stakes))
    answers, fine = fast(stakes)
    assert answers == fast(shuffled)[0]
    gone = set(listed)
    while True:
        held = [sum(round(200 * s) for o, e, s in stakes if e == i and o in gone) for i in range(8)]
        grown = gone | {i for i in range(8) if fine[i] and held[i] >= 50}
        if grown == gone:
            break
        gone = grown
    assert answers == [i in gone for i in range(8)]


@settings(max_examples=20)
@given(st.integers(1, 400), st.integers(0, 3))
def test_wide_rounds_and_narrow_rounds_agree(width, depth):
    stakes = [Stake.of("bad", f"0-{i}", 0.5) for i in range(width)]
    stakes += [Stake.of(f"{d}-{i}", f"{d + 1}-{i}", 0.5) for d in range(depth) for i in range(width)]
    stakes += [Stake.of(f"{depth}-{i}", "last", 1 / width) for i in range(width)]
    graph = graph_of(stakes, also=["alone"])
    found = spread(graph, marks(graph, ["bad"]), Bound.LEAST, WHOLE // 2)
    assert found.blocked.tolist() == [name != "alone" for name in graph.names]
    assert found.round[graph.place["last"]] == depth + 2


def test_a_chain_of_a_hundred_thousand_ends():
    stakes = [Stake.of(str(i), str(i + 1), 0.5) for i in range(100_000)]
    graph = graph_of(stakes)
    assert spread(graph, marks(graph, ["0"]), Bound.LEAST, WHOLE // 2).blocked.all()


def test_two_minorities_make_a_half_in_the_aggregate():
    assert told(("bad", "x", 0.3), ("worse", "x", 0.2))["x"] == "definite"
    assert told(("bad", "x", 0.3), ("worse", "x", 0.19), ("good", "x", 0.51), persons=["good"])["x"] == "none"


def test_an_indirect_stake_counts_in_full_and_is_no_product():
    stakes = ("bad", "hold", 0.6), ("hold", "sub", 0.6)
    assert told(*stakes)["sub"] == "definite"
    assert told(*stakes, closed=["sub"], persons=["good"], by=MULTIPLIED)["sub"] == "cannot determine"
    whole = *stakes, ("good", "hold", 0.4), ("good", "sub", 0.4)
    assert told(*whole, persons=["good"], by=MULTIPLIED)["sub"] == "none"


def test_an_indirect_stake_through_a_minority_counts_for_nothing():
    stakes = ("bad", "hold", 0.49), ("good", "hold", 0.51), ("hold", "sub", 1.0)
    assert told(*stakes, persons=["good"])["sub"] == "none"


def test_a_cycle_blocks_nobody_by_itself_and_all_once_entered():
    ring = [("a", "b", 0.5), ("b", "c", 0.5), ("c", "a", 0.5)]
    rest = [("good", n, 0.5) for n in "abc"]
    assert {told(*ring, *rest, persons=["good"])[n] for n in "abc"} == {"none"}
    assert {told(*ring, ("bad", "a", 0.5))[n] for n in "abc"} == {"definite"}


def test_an_entity_that_owns_itself_gains_nothing():
    assert told(("x", "x", 0.6), ("bad", "x", 0.4))["x"] == "none"


def test_what_is_not_known_tells_the_four_answers_apart():
    assert told(("bad", "x", None))["x"] == "possible"
    assert told(("bad", "x", None), ("good", "x", 0.6), persons=["good"])["x"] == "none"
    assert told(("bad", "x", 0.5), ("worse", "x", None))["x"] == "definite"
    assert told(("good", "x", 0.4))["x"] == "cannot determine"
    assert told(("good", "x", 1.0))["x"] == "cannot determine"  # who owns `good` is not on file
    assert told(("good", "x", 1.0), persons=["good"])["x"] == "none"
    assert told(("bad", "hold", None), ("hold", "sub", 0.7))["sub"] == "possible"


def test_a_closed_entity_leaves_the_rest_to_the_listed():
    assert told(("bad", "x", None), ("good", "x", 0.4), closed=["x"], persons=["good"])["x"] == "definite"
    assert told(("bad", "x", 0.4), ("good", "x", None), closed=["x"], persons=["good"])["x"] == "none"


def test_shares_over_a_hundred_are_a_fault_of_that_entity_alone():
    graph = graph_of(
        [Stake("bad", "x", 600_000, 600_000, 3), Stake.of("good", "x", 0.6), Stake.of("bad", "y", 0.6)]
    )
    found = standing(graph, marks(graph, ["bad"]))
    assert (found["x"], found["y"]) == (Answer.CANNOT_DETERMINE, Answer.DEFINITE)
    (fault,) = graph.faults()
    assert (fault.code, fault.span.line) == ("shares-over-100", 3)
    assert fault.message == "stakes in `x` come to 120 %: bad 60 %, good 60 %"


def test_rounded_figures_are_no_fault():
    graph = graph_of([Stake.of(str(i), "x", 0.167) for i in range(6)], closed=["x"])
    assert graph.faults() == []
    assert standing(graph, marks(graph, ["0", "1", "2"]))["x"] is Answer.DEFINITE
    assert graph_of([Stake.of(str(i), "x", 0.166) for i in range(6)], closed=["x"]).faults() != []


def test_a_closed_entity_held_to_less_is_a_fault():
    graph = graph_of([Stake.of("bad", "x", 0.6)], closed=["x"])
    assert [f.code for f in graph.faults()] == ["shares-under-100"]
    assert standing(graph, marks(graph, ["bad"]))["x"] is Answer.CANNOT_DETERMINE


def test_a_stake_told_twice_may_be_one_or_two():
    graph = graph_of([Stake.of("bad", "x", 0.3), Stake.of("bad", "x", 0.25)])
    assert (graph.low.tolist(), graph.high.tolist()) == ([300_000], [550_000])
    assert [f.code for f in graph.faults()] == ["repeated-stake"]
    assert standing(graph, marks(graph, ["bad"]))["x"] is Answer.POSSIBLE


def test_the_readings_differ_where_their_words_differ():
    half, two = ("bad", "x", 0.5), (("bad", "y", 0.3), ("worse", "y", 0.3))
    rest = ("good", "x", 0.5), ("good", "y", 0.4)
    for by, x, y in (
        (
            OFAC,
            "definite",
        )
        * 1
        and (OFAC, "definite", "definite"),
        (EU, "definite", "definite"),
    ):
        assert told(half, *two, *rest, persons=["good"], by=by) == {"good": "none", "x": x, "y": y}
    uk = told(half, *two, *rest, persons=["good"], by=UK)
    assert (uk["x"], uk["y"]) == ("none", "cannot determine")  # together over half: is it a joint arrangement?
    assert told(half, *two, by=BIS) == told(half, *two, by=OFAC)


@pytest.mark.parametrize("share", [-0.1, 1.2])
def test_a_share_outside_nought_to_one_is_refused(share):
    with pytest.raises(ValueError, match="not from 0 to 1"):
        Stake.of("a", "b", share)


@given(drawn())
def test_the_nearest_share_is_right_in_every_completion(one):
    found = standing(one.graph, one.marks)
    for shares in completions(one.graph):
        gone = blocked(one.graph, shares, one.listed, undisclosed=False)
        for i, name in enumerate(one.graph.names):
            if one.graph.faulty[i]:
                assert np.isnan(found.nearest[i])
            elif not np.isnan(found.nearest[i]):
                held = sum(v for (owner, owned), v in shares.items() if owned == name and owner in gone)
                assert (found.nearest[i] >= 0.5) == (held >= WHOLE // 2)
