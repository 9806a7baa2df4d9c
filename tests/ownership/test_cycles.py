"""Cycles are told, each group once, by a shortest way around; nothing that is on none is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from abac.ownership.building import graph_of
from abac.ownership.cycles import cycle_findings, cycles
from abac.ownership.graph import Stake

PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20, unique=True)


@given(PAIRS)
def test_the_groups_are_those_that_reach_themselves(pairs):
    graph = graph_of([Stake(str(a), str(b)) for a, b in pairs])
    reach = {(a, b) for a, b in pairs}
    while True:
        more = reach | {(a, d) for a, b in reach for c, d in pairs if b == c}
        if more == reach:
            break
        reach = more
    groups = {
        frozenset(b for b in range(8) if (a, b) in reach and (b, a) in reach) for a, _ in pairs if (a, a) in reach
    }
    found = cycles(graph)
    assert len(found) == len(groups)
    for cycle in found:
        names = [int(graph.names[e]) for e in cycle]
        assert len(set(names)) == len(names)
        assert all((a, b) in pairs for a, b in zip(names, [*names[1:], names[0]], strict=True))
        assert any(set(names) <= group for group in groups)


def test_a_cycle_is_told_with_its_entities_and_its_line():
    stakes = [Stake("a", "b", 0, 500_000, 2), Stake("b", "a", 0, 500_000, 7), Stake("c", "a", 0, 500_000, 1)]
    (finding,) = cycle_findings(graph_of(stakes, file="s.csv"))
    assert (finding.span.file, finding.span.line, finding.severity) == ("s.csv", 2, "warning")
    assert finding.message == "an ownership cycle: `a` owns `b` owns `a`"


def test_many_cycles_are_counted():
    stakes = [Stake(f"a{i}", f"b{i}") for i in range(30)] + [Stake(f"b{i}", f"a{i}") for i in range(30)]
    found = cycle_findings(graph_of(stakes))
    assert len(found) == 21
    assert found[-1].message.startswith("and 10 more groups")
