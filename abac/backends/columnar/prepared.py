"""Programs bound to requests once, to be decided again over frames that differ in some of their columns.

A sweep changes one attribute of a population at a time. What is kept from one frame to the next: the graph and
its binding; the truths of every atom, until a column that it reads is another object; and the decisions of every
program and request, until an atom of theirs is. Equal to `decide` on every frame, which is all it may be.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from abac.backends.columnar.atoms import evaluate
from abac.backends.columnar.bits import Bits, Codes, Flags, Found, fill, pack, unpack, whole
from abac.backends.columnar.connect import Node, Plan
from abac.backends.columnar.decide import Functions, Root, bind_tree, owing, walk
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.graph import Graph, Request
from abac.policy.decision import Effect, Extended
from abac.policy.rule import policies

KEPT = 6
"""Versions of a column for which an atom's truths are kept: a sweep goes back and forth between a few."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The decisions of one program on one request: a code per row, and per obligation the rows that owe it."""

    codes: Codes
    owed: Mapping[str, Flags]


class Prepared:
    """Roots bound to requests over the columns of a frame. Not to be shared between threads."""

    def __init__(
        self, roots: Sequence[Root], frame: Frame, requests: Sequence[Request], functions: Functions
    ) -> None:
        self._functions, self._roots, self._rows = functions, tuple(roots), frame.rows
        self._graph = graph = Graph(frame.fresh(), functions)
        for root in roots:
            for policy in policies(root):
                for rule in owing(policy):
                    graph.add(rule.condition)
        bind = graph.binder(requests)
        self._trees = [bind_tree(root, graph, bind, len(requests)) for root in roots]
        self._duties = [
            [
                {id(rule): bind(graph.add(rule.condition))[n] for p in policies(root) for rule in owing(p)}
                for n in range(len(requests))
            ]
            for root in roots
        ]
        self._reads = [
            [self._read({*tree.nodes(), *duty.values()}) for tree, duty in zip(trees, duties, strict=True)]
            for trees, duties in zip(self._trees, self._duties, strict=True)
        ]
        self._atoms: dict[Node, _Recent] = {}
        self._answers: dict[tuple[int, int], _Recent] = {}
        self.evaluated = 0
        """How many atoms were evaluated so far: what a benchmark of reuse counts."""

    def decide(self, frame: Frame) -> list[list[Answer]]:
        """Return the answers of every root to every request, `result[root][request]`, on a frame's rows.

        The frame has the columns of the first, some of them replaced; a column that is the same object is taken
        to hold the same. An answer that stands is returned as the same object.
        """
        found = [[self._kept(r, q, frame) for q in range(len(row))] for r, row in enumerate(self._trees)]
        missing = [(r, q) for r, row in enumerate(found) for q, answer in enumerate(row) if answer is None]
        nodes = {n for r, q in missing for n in self._trees[r][q].nodes()}
        nodes |= {n for r, q in missing for n in self._duties[r][q].values()}
        if missing:
            plan = Plan(nodes, self._graph.parts)
            truths = plan.over(self._found(plan.leaves, frame), whole(self._rows))
            for r, q in missing:
                found[r][q] = answer = self._answer(r, q, truths)
                self._recent(r, q).put(self._stamp(self._reads[r][q], frame), answer)
        return found

    def _read(self, nodes: set[Node]) -> tuple[str, ...]:
        return tuple(sorted(frozenset().union(*(self._graph.paths(n) for n in nodes))))

    def _stamp(self, paths: Sequence[str], frame: Frame) -> tuple[Any, ...]:
        return tuple(frame.columns[path] for path in paths)

    def _recent(self, root: int, request: int) -> _Recent:
        return self._answers.setdefault((root, request), _Recent())

    def _kept(self, root: int, request: int, frame: Frame) -> Any:
        return self._recent(root, request).get(self._stamp(self._reads[root][request], frame))

    def _found(self, nodes: Sequence[Node], frame: Frame) -> dict[Node, Found]:
        """Return what atoms come to: those known, and those evaluated on this frame."""
        leaves = {n: self._graph.leaf(n) for n in nodes}
        stamps = {n: self._stamp(sorted(self._graph.paths(n)), frame) for n in leaves}
        known = {n: self._atoms.setdefault(n, _Recent()).get(stamps[n]) for n in leaves}
        stale = [n for n, bits in known.items() if bits is None]
        self.evaluated += len(stale)
        for node, bits in zip(stale, evaluate([leaves[n] for n in stale], frame, self._functions), strict=True):
            known[node] = bits
            self._atoms[node].put(stamps[node], bits)
        return known

    def _answer(self, root: int, request: int, truths: Mapping[Node, Bits]) -> Answer:
        codes = self._trees[root][request].planes(truths, self._rows).codes(np.empty(self._rows, np.uint8))
        duties = self._duties[root][request]
        if not duties:
            return Answer(codes, {})
        given = {effect: pack(codes == Extended[effect.value], self._rows) for effect in Effect}
        judged = {key: truths[node] for key, node in duties.items()}
        owed = walk(self._roots[root], judged, given, fill(flag=True, rows=self._rows), self._rows)
        return Answer(codes, {name: unpack(words, self._rows).astype(np.bool_) for name, words in owed.items()})


class _Recent:
    """The last few values by the columns they were made from, compared as objects; it holds them alive."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = OrderedDict()

    def get(self, stamp: tuple[Any, ...]) -> Any:
        """Return the value made from these very columns, or None."""
        key = tuple(map(id, stamp))
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][1]

    def put(self, stamp: tuple[Any, ...], value: Any) -> None:
        """Keep a value, and let go of the one not asked for longest."""
        self._kept[tuple(map(id, stamp))] = stamp, value
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
