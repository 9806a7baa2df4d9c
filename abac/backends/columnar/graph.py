"""Conditions as one graph without repetitions: rules, requests and programs share what they have in common.

Binding a request's fixed attributes settles the atoms that read nothing else, and simplifies what stands above:
literals absorb or drop out, chains flatten. Complement laws are never used, so every truth stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import assert_never

from abac.backends.columnar.atoms import Atom, Leaf, evaluate
from abac.backends.columnar.bits import Bits, Found, truths_of, whole
from abac.backends.columnar.connect import LITERALS, Node, Parts, Plan, gathered
from abac.backends.columnar.frame import Frame
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Comparison,
    Condition,
    Definition,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    attributes,
)
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.truth import FALSE, TRUE, Truth

Request = Mapping[str, Assertion]
Bind = Callable[[Node], Sequence[Node]]
"""Takes a node to what is left of it under each of several requests."""

_NOTHING: Parts = None, ()


class Graph:
    """Conditions over one frame, hash-consed. Nodes are immutable; equal ones are one."""

    def __init__(self, frame: Frame, functions: Mapping[str, Function]) -> None:
        self._frame, self._functions = frame, functions
        self._made: dict[tuple[object, ...], Node] = {("literal", t): int(t) for t in Truth}
        self._chains: dict[Node, tuple[type[And | Or], tuple[Node, ...]]] = {}
        self._negations: dict[Node, Node] = {}
        self._atoms: dict[Node, Atom] = {}
        self._leaves: dict[Node, Leaf] = {}
        self._paths: list[frozenset[str]] = [frozenset()] * LITERALS
        self._conditions: dict[int, tuple[Condition, Node]] = {}

    # --- building --------------------------------------------------------------------------------------

    def add(self, condition: Condition) -> Node:
        """Return the node of a condition."""
        known = self._conditions.get(id(condition))
        if known is None:
            known = self._conditions[id(condition)] = condition, self._add(condition)
        return known[1]

    def _add(self, condition: Condition) -> Node:
        match condition:
            case Literal(truth=truth):
                return int(truth)
            case Not(operand=operand):
                return self.negate(self.add(operand))
            case And(operands=operands):
                return self.chain(And, [self.add(o) for o in operands])
            case Or(operands=operands):
                return self.chain(Or, [self.add(o) for o in operands])
            case Holds() | Comparison() | Member() | AnyOf() | AllOf():
                node = self._make(("atom", condition), frozenset(attributes(condition)))
                self._atoms[node] = condition
                self._leaves[node] = Leaf(condition, {})
                return node
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                assert_never(condition)

    def _make(self, key: tuple[object, ...], paths: frozenset[str]) -> Node:
        node = self._made.setdefault(key, len(self._paths))
        if node == len(self._paths):
            self._paths.append(paths)
        return node

    def negate(self, node: Node) -> Node:
        """Return the negation of a node; a double one cancels out."""
        if node < LITERALS:
            return int(~Truth(node))
        if node in self._negations:
            return self._negations[node]
        made = self._make(("not", node), self._paths[node])
        self._negations[made] = node
        return made

    def chain(self, kind: type[And | Or], parts: Iterable[Node]) -> Node:
        """Return a conjunction or disjunction: flat, without neutral parts, or what absorbs it."""
        absorbing, neutral = (int(FALSE), int(TRUE)) if kind is And else (int(TRUE), int(FALSE))
        flat: set[Node] = set()
        for part in parts:
            inner = self._chains.get(part)
            flat.update(inner[1] if inner and inner[0] is kind else (part,))
        flat.discard(neutral)
        if absorbing in flat:
            return absorbing
        if len(flat) <= 1:
            return flat.pop() if flat else neutral
        return self._joined(kind, flat)

    def _joined(self, kind: type[And | Or], parts: Collection[Node]) -> Node:
        """Return the chain of parts as they are."""
        operands = tuple(sorted(parts))
        node = self._make((kind, operands), frozenset().union(*(self._paths[o] for o in operands)))
        self._chains[node] = kind, operands
        return node

    # --- binding ---------------------------------------------------------------------------------------

    def binder(self, requests: Sequence[Request]) -> Bind:
        """Return what takes a node to its residuals under the fixed attributes of every request.

        Attributes neither fixed nor in the frame are absent. A fixed attribute hides the frame's column. Atoms
        that read nothing else are settled for all requests at once, on a frame whose rows are the requests.
        """
        free = [frozenset(self._frame.columns.keys() - request.keys()) for request in requests]
        shapes = set(free)
        closed = {n: a for n, a in self._atoms.items() if any(self._paths[n].isdisjoint(f) for f in shapes)}
        kinds = {path: read for atom in closed.values() for path, read in attributes(atom).items()}
        rows = Frame.of(requests, {path: read.type for path, read in kinds.items() if read.type is not None})
        found = evaluate([Leaf(atom, {}) for atom in closed.values()], rows, self._functions)
        settled = {
            n: truths_of(one.bits(slice(None)), len(requests)) for n, one in zip(closed, found, strict=True)
        }
        return _Binder(self, requests, free, settled)

    def residuals(self, node: Node, binder: _Binder) -> Sequence[Node]:
        """Return what is left of a node under each request; of requests that leave the same, it is made once."""
        if node in self._negations:
            return [self.negate(inner) for inner in binder(self._negations[node])]
        if node in self._chains:
            kind, operands = self._chains[node]
            rows = list(zip(*(binder(o) for o in operands), strict=True))
            made = {row: self.chain(kind, row) for row in dict.fromkeys(rows)}
            return [made[row] for row in rows]
        return [
            self._bound(node, request, free) for request, free in zip(binder.requests, binder.free, strict=True)
        ]

    def _bound(self, node: Node, request: Request, free: frozenset[str]) -> Node:
        """Return an atom with what is fixed of it."""
        fixed = self._paths[node] - free
        if not fixed:
            return node
        key = ("bound", node, *((path, request.get(path)) for path in sorted(fixed)))
        made = self._make(key, self._paths[node] - fixed)
        self._leaves[made] = Leaf(self._atoms[node], {path: request.get(path) for path in fixed})
        return made

    # --- evaluating ------------------------------------------------------------------------------------

    def evaluate(self, nodes: Collection[Node]) -> dict[Node, Bits]:
        """Return the truths of bound nodes on every row."""
        plan = Plan(nodes, self.parts)
        return plan.over(self.found(plan.leaves), whole(self._frame.rows))

    def gathered(self, nodes: Iterable[Node]) -> dict[Node, Node]:
        """Return for each node one of the same truths that takes less: what stands together is joined once."""
        return gathered(sorted(nodes), self.parts, self._joined)

    def found(self, leaves: Collection[Node]) -> dict[Node, Found]:
        """Return what bound atoms come to on every row."""
        truths = evaluate([self._leaves[n] for n in leaves], self._frame, self._functions)
        return dict(zip(leaves, truths, strict=True))

    def leaf(self, node: Node) -> Leaf:
        """Return the atom that a leaf is, as it is bound."""
        return self._leaves[node]

    def paths(self, node: Node) -> frozenset[str]:
        """Return the attributes that a node reads; of a bound one, those left free."""
        return self._paths[node]

    def parts(self, node: Node) -> Parts:
        """Return what a node is made of."""
        negated = self._negations.get(node)
        return self._chains.get(node, _NOTHING) if negated is None else (None, (negated,))


class _Binder:
    """Takes nodes to their residuals; `settled` are the truths of atoms that some request closes, by request."""

    def __init__(
        self,
        graph: Graph,
        requests: Sequence[Request],
        free: Sequence[frozenset[str]],
        settled: Mapping[Node, Sequence[int]],
    ) -> None:
        self.requests, self.free = requests, free
        self._graph = graph
        self._open = frozenset.intersection(*free) if free else frozenset[str]()
        self._made: dict[Node, Sequence[Node]] = {int(t): [int(t)] * len(requests) for t in Truth}
        for node, truths in settled.items():
            paths = graph.paths(node)
            closed = [paths.isdisjoint(one) for one in free]
            left = [truths] if all(closed) else [graph.residuals(node, self), truths]
            self._made[node] = [left[-1][n] if one else left[0][n] for n, one in enumerate(closed)]

    def __call__(self, node: Node) -> Sequence[Node]:
        made = self._made.get(node)
        if made is None:
            paths = self._graph.paths(node)
            free = bool(paths) and paths <= self._open
            made = self._made[node] = [node] * len(self.requests) if free else self._graph.residuals(node, self)
        return made
