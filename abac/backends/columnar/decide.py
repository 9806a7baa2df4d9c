"""Decide whole columns: truths of conditions, decisions of policy trees, and the obligations they owe.

Every rule's condition becomes a node of one graph per call, so all roots and requests share their atoms. Equal to
`policy.reference` row by row; the agreement tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from abac.backends.columnar.bits import Bits, Words, blocks, fill, pack, to_series, unpack
from abac.backends.columnar.combine import Planes, answer, combine, denied_by_default
from abac.backends.columnar.connect import Node, Plan
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.graph import Bind, Graph, Request
from abac.condition.expr import Condition, Or
from abac.condition.functions import Function
from abac.policy.decision import Effect, Extended, Obligation
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

Root = Policy | PolicySet
Functions = Mapping[str, Function]


def truths(conditions: Sequence[Condition], frame: Frame, fixed: Request, functions: Functions) -> list[pl.Series]:
    """Return a Boolean series per condition: True, False, or null for UNKNOWN."""
    graph = Graph(frame, functions)
    nodes = [graph.add(c) for c in conditions]
    bind = graph.binder([fixed])
    nodes = [bind(n)[0] for n in nodes]
    found = graph.evaluate(nodes)
    return [to_series(found[n], frame.rows) for n in nodes]


def decisions(root: Root, frame: Frame, fixed: Request, functions: Functions) -> pl.Series:
    """Return the extended decision of every row, as `policy.decision.Extended` values in a UInt8 series."""
    return decide_many([root], frame, [fixed], functions)[0][0]


def decide_many(
    roots: Sequence[Root], frame: Frame, requests: Sequence[Request], functions: Functions
) -> list[list[pl.Series]]:
    """Return the decisions of every root for every request: `result[root][request]`.

    A request holds what is the same on all rows (model, action, environment). Roots and requests share atoms.
    """
    graph = Graph(frame, functions)
    for root in roots:
        for policy in policies(root):
            for rule in policy.rules:
                graph.add(rule.condition)
    bind = graph.binder(requests)
    bound = [bind_tree(root, graph, bind, len(requests)) for root in roots]
    trees = {(r, tuple(tree.nodes())): tree for r, row in enumerate(bound) for tree in row}
    codes = dict(zip(trees, _codes(list(trees.values()), graph, frame.rows), strict=True))
    return [[codes[r, tuple(tree.nodes())] for tree in row] for r, row in enumerate(bound)]


def _codes(trees: Sequence[Bound], graph: Graph, rows: int) -> list[pl.Series]:
    """Return the decisions of bound trees on every row, made block by block."""
    cheaper = graph.gathered({node for tree in trees for node in tree.nodes()})
    plan = Plan(set(cheaper.values()), graph.parts)
    found = graph.found(plan.leaves)
    codes = np.empty((len(trees), rows), np.uint8)
    for block in blocks(rows):
        truths = plan.over(found, block)
        own = {node: truths[one] for node, one in cheaper.items()}
        for tree, row in zip(trees, codes, strict=True):
            tree.planes(own, block.rows).codes(row[block.places])
    return [pl.Series(pa.array(row)) for row in codes]


# --- trees bound to a request ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy tree with the nodes of its residual conditions; rules of a policy stand for children."""

    root: Root
    rules: tuple[tuple[Effect, Node], ...] = ()
    children: tuple[Bound, ...] = ()

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes that its planes need."""
        yield from (node for _, node in self.rules)
        for child in self.children:
            yield from child.nodes()

    def planes(self, found: Mapping[Node, Bits], rows: int) -> Planes:
        """Combine the truths of the rules to decisions."""
        parts = [answer(effect, found[node]) for effect, node in self.rules]
        parts += [child.planes(found, rows) for child in self.children]
        combined = combine(self.root.algorithm, parts, rows)
        return denied_by_default(combined) if self.root.default_deny else combined


def bind_tree(root: Root, graph: Graph, bind: Bind, requests: int) -> list[Bound]:
    """Return a tree with every rule's condition as its residual, under each of the requests."""
    if isinstance(root, PolicySet):
        children = [bind_tree(child, graph, bind, requests) for child in root.children]
        return [Bound(root, children=tuple(child[n] for child in children)) for n in range(requests)]
    residuals = [(rule.effect, bind(graph.add(rule.condition))) for rule in root.rules]
    if root.algorithm.in_order:
        return [Bound(root, tuple((effect, nodes[n]) for effect, nodes in residuals)) for n in range(requests)]
    sides = [(e, [nodes for effect, nodes in residuals if effect is e]) for e in Effect]
    return [
        Bound(root, tuple((e, graph.chain(Or, [nodes[n] for nodes in side])) for e, side in sides))
        for n in range(requests)
    ]


# --- obligations -----------------------------------------------------------------------------------------


def obligations(
    root: Root, frame: Frame, fixed: Request, functions: Functions, answers: pl.Series
) -> dict[str, pl.Series]:
    """Return per obligation id the rows that owe it, given the `answers` of `decisions`.

    An obligation is owed where its rule's condition is TRUE or UNKNOWN and the answer is the rule's effect; advice
    only where it is TRUE. Where order counts, rules after the deciding one owe nothing.
    """
    graph = Graph(frame, functions)
    nodes = {id(rule): graph.add(rule.condition) for policy in policies(root) for rule in owing(policy)}
    bind = graph.binder([fixed])
    standing = {key: bind(node)[0] for key, node in nodes.items()}
    found = graph.evaluate(set(standing.values()))
    codes = answers.to_numpy()
    given = {effect: pack(codes == Extended[effect.value], frame.rows) for effect in Effect}
    judged = {key: found[node] for key, node in standing.items()}
    owed = walk(root, judged, given, fill(flag=True, rows=frame.rows), frame.rows)
    return {name: pl.Series(name, unpack(words, frame.rows).astype(np.bool_)) for name, words in owed.items()}


def owing(policy: Policy) -> Iterator[Rule | ObligationRule]:
    """Yield what may owe something: rules, and obligations that ride on a decision."""
    yield from policy.rules
    yield from policy.obligation_rules


def walk(
    root: Root, judged: Mapping[int, Bits], given: Mapping[Effect, Words], reach: Words, rows: int
) -> dict[str, Words]:
    """Return per obligation id the rows that owe it: truths by rule, decisions by effect, rows that count."""
    owed: dict[str, Words] = {}
    _Walk(judged, given, rows, owed).node(root, reach)
    return owed


@dataclass(frozen=True, slots=True)
class _Walk:
    """Walks a tree with the rows that still reach each node, and notes what they owe."""

    judged: Mapping[int, Bits]
    given: Mapping[Effect, Words]
    rows: int
    owed: dict[str, Words]

    def node(self, root: Root, reach: Words) -> Planes:
        """Note what a node owes on the rows that reach it, and return its decisions."""
        if isinstance(root, Policy):
            parts = self._policy(root, reach)
        else:
            parts = []
            for child in root.children:
                parts.append(self.node(child, reach))
                if root.algorithm.in_order:
                    reach = reach & parts[-1].neither
        combined = combine(root.algorithm, parts, self.rows)
        return denied_by_default(combined) if root.default_deny else combined

    def _policy(self, policy: Policy, reach: Words) -> list[Planes]:
        for rider in policy.obligation_rules:
            self._note(rider.obligations, rider.rides_on, self.judged[id(rider)], reach)
        parts: list[Planes] = []
        for rule in policy.rules:
            truth = self.judged[id(rule)]
            self._note(rule.obligations, rule.effect, truth, reach)
            parts.append(answer(rule.effect, truth))
            if policy.algorithm.in_order:
                reach = reach & ~truth.certain
        return parts

    def _note(self, owed: Sequence[Obligation], effect: Effect, truth: Bits, reach: Words) -> None:
        for one in owed:
            here = reach & self.given[effect] & (truth.certain if one.advice else truth.possible)
            self.owed[one.id] = self.owed.get(one.id, np.zeros_like(here)) | here
