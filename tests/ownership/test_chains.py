"""Chains say why: shortest first, never round in a circle, and down to what is not on file."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from abac.ownership.building import graph_of
from abac.ownership.chains import BOUNDS, chains, firsts
from abac.ownership.graph import Stake
from abac.ownership.reading import MULTIPLIED, OFAC
from abac.ownership.spread import Bound
from abac.ownership.standing import Answer, marks, standing
from tests.ownership.counted import drawn


def told(stakes, entity, listed=("bad", "worse"), maybe=(), by=OFAC, **setting):
    graph = graph_of([Stake.of(*s) for s in stakes], also=listed, **setting)
    found = standing(graph, marks(graph, listed), by, marks(graph, maybe))
    return [c.told(graph) for c in chains(found, graph.place[entity])]


def test_the_shortest_chain_comes_first():
    stakes = ("bad", "a", 0.6), ("a", "b", 0.5), ("b", "x", 0.5), ("worse", "x", 0.3)
    assert told(stakes, "x") == [
        "worse (listed) 30 % of x",
        "bad (listed) 60 % of a, 50 % of b, 50 % of x",
    ]


def test_of_equal_chains_the_one_with_the_larger_stakes_comes_first():
    stakes = ("bad", "x", 0.2), ("worse", "x", 0.4)
    assert told(stakes, "x") == ["worse (listed) 40 % of x", "bad (listed) 20 % of x"][: len(told(stakes, "x"))]


def test_a_chain_does_not_go_round():
    ring = ("a", "b", 0.5), ("b", "a", 0.5), ("bad", "a", 0.5)
    assert told(ring, "b") == ["bad (listed) 50 % of a, 50 % of b"]
    assert told(ring, "a") == ["bad (listed) 50 % of a"]


def test_what_is_open_ends_where_nothing_is_on_file():
    assert told([("who", "x", 0.6)], "x") == ["who (owners of 100 % not on file) 60 % of x"]
    over = [("bad", "y", 0.6), ("who", "y", 0.6), ("y", "x", 0.5)]
    assert "y (shares over 100 %) 50 % of x" in told(over, "x", disclosed=["who", "x"])


def test_a_possibly_listed_owner_leaves_it_possible_and_says_so():
    stakes = [("p", "x", 0.6)]
    graph = graph_of([Stake.of(*s) for s in stakes])
    found = standing(graph, marks(graph, []), OFAC, marks(graph, ["p"]))
    assert found["p"] is found["x"] is Answer.POSSIBLE
    assert told(stakes, "x", listed=(), maybe=["p"]) == ["p (possibly listed) 60 % of x"]


def test_a_listed_entity_needs_no_stake():
    assert told([("x", "bad", 0.9)], "bad") == ["bad (listed)"]


def handing(found, bound):
    """Firsts where every listed entity hands on a bit of its own, and its place."""
    places = np.arange(len(found.graph))
    tags = np.where(found.marked_listed, 1 << places, 0)
    return firsts(found, bound, tags, np.where(found.marked_listed, places + 1, 0))


def test_an_entity_inherits_from_all_who_are_behind_it():
    stakes = ("bad", "a", 0.5), ("a", "x", 0.3), ("worse", "x", 0.3)
    graph = graph_of([Stake.of(*s) for s in stakes])
    found = standing(graph, marks(graph, ["bad", "worse"]))
    first, x = handing(found, Bound.LEAST), graph.place["x"]
    assert first.tags[x] == (1 << graph.place["bad"]) | (1 << graph.place["worse"])
    assert first.rank[x] == graph.place["worse"] + 1
    assert first.tags[graph.place["a"]] == 1 << graph.place["bad"]


@given(drawn())
def test_the_first_chain_is_a_shortest_one(one):
    found = standing(one.graph, one.marks)
    for answer, bound in BOUNDS.items():
        first = handing(found, bound)
        for entity in np.flatnonzero(found.marked(answer)):
            mine = chains(found, int(entity), 50)
            chain = first.chain(found, int(entity))
            assert chain in mine
            assert len(chain.stakes) == len(mine[0].stakes)
            starts = sum(1 << c.start for c in {c.start: c for c in mine}.values() if found.listed[c.start])
            assert first.tags[entity] == starts


def test_products_have_chains_too():
    stakes = ("bad", "a", 0.9), ("a", "x", 0.9)
    assert told(stakes, "x", by=MULTIPLIED) == ["bad (listed) 90 % of a, 90 % of x"]


@given(drawn())
def test_whoever_is_not_cleared_has_a_chain_that_holds(one):
    found = standing(one.graph, one.marks)
    for entity in range(len(one.graph)):
        answer = Answer(int(found.answer[entity]))
        mine = chains(found, entity)
        assert bool(mine) == (answer is not Answer.NONE)
        lengths = [len(c.stakes) for c in mine]
        assert lengths == sorted(lengths)
        for chain in mine:
            owners = [int(one.graph.owner[s]) for s in chain.stakes]
            owned = [int(one.graph.owned[s]) for s in chain.stakes]
            assert [chain.start, *owned] == [*owners, entity]
            assert len({chain.start, *owned}) == len(owned) + 1
            rounds = found.spreads[BOUNDS[answer]].round
            assert all(rounds[a] < rounds[b] for a, b in zip(owners, owned, strict=True))
