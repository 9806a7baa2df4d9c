"""Conditions as one graph without repetitions: rules, requests and programs share what they have in common.

Binding a request's fixed attributes settles the atoms that read nothing else, and simplifies what stands above:
literals absorb or drop out, chains flatten. Complement laws are never used, so every truth stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import assert_never

from abac.backends.columnar.atoms import Atom, Leaf, evaluate
from abac.backends.columnar.bits import Bits, all_of, any_of, constant, truths_of
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
Node = int
"""A place in the graph. The first three are the literals, at the number of their truth."""


class Graph:
    """Conditions over one frame, hash-consed. Nodes are immutable; equal ones are one."""

    def __init__(self, frame: Frame, functions: Mapping[str, Function]) -> None:
        self._frame, self._functions = frame, functions
        self._made: dict[tuple[object, ...], Node] = {("literal", t): int(t) for t in Truth}
        self._chains: dict[Node, tuple[type[And | Or], tuple[Node, ...]]] = {}
        self._negations: dict[Node, Node] = {}
        self._atoms: dict[Node, Atom] = {}
        self._leaves: dict[Node, Leaf] = {}
        self._paths: list[frozenset[str]] = [frozenset()] * len(Truth)
        self._residuals: dict[tuple[Node, tuple[Node, ...], tuple[Node, ...]], Node] = {}
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
        if node < len(Truth):
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

    def binders(self, requests: Sequence[Request]) -> list[Callable[[Node], Node]]:
        """Return, per request, what takes a node to its residual under the request's fixed attributes.

        Attributes neither fixed nor in the frame are absent. A fixed attribute hides the frame's column. Atoms
        that read nothing else are settled for all requests at once, on a frame whose rows are the requests.
        """
        free = [self._frame.columns.keys() - request.keys() for request in requests]
        closed = {n: a for n, a in self._atoms.items() if any(self._paths[n].isdisjoint(f) for f in free)}
        kinds = {path: read for atom in closed.values() for path, read in attributes(atom).items()}
        rows = Frame.of(requests, {path: read.type for path, read in kinds.items() if read.type is not None})
        found = evaluate([Leaf(atom, {}) for atom in closed.values()], rows, self._functions)
        settled = {n: truths_of(bits, len(requests)) for n, bits in zip(closed, found, strict=True)}
        return [
            _Binder(self, request, free[n], {node: truths[n] for node, truths in settled.items()})
            for n, request in enumerate(requests)
        ]

    def bound(self, node: Node, request: Request, binder: _Binder) -> Node:
        """Return the residual of a node that reads something fixed."""
        if node in self._chains:
            return self._bound_chain(node, binder)
        if node in self._negations:
            return self.negate(binder(self._negations[node]))
        fixed = self._paths[node] - binder.free
        if fixed == self._paths[node]:
            return binder.settled[node]
        key = ("bound", node, *((path, request.get(path)) for path in sorted(fixed)))
        made = self._make(key, self._paths[node] - fixed)
        self._leaves[made] = Leaf(self._atoms[node], {path: request.get(path) for path in fixed})
        return made

    def _bound_chain(self, node: Node, binder: _Binder) -> Node:
        """Return the residual of a chain; of requests that leave the same of what varies, it is made once."""
        kind, operands = self._chains[node]
        varying = [o for o in operands if not self.is_free(o, binder.free)]
        residuals = tuple(binder(o) for o in varying)
        if int(FALSE if kind is And else TRUE) in residuals:
            return int(FALSE if kind is And else TRUE)
        key = (node, tuple(varying), residuals)
        if key not in self._residuals:
            settled = set(varying)
            self._residuals[key] = self.chain(kind, [*(o for o in operands if o not in settled), *residuals])
        return self._residuals[key]

    def is_free(self, node: Node, free: AbstractSet[str]) -> bool:
        """Whether a node reads nothing fixed, and something."""
        paths = self._paths[node]
        return node < len(Truth) or (bool(paths) and paths <= free)

    # --- evaluating ------------------------------------------------------------------------------------

    def evaluate(self, nodes: Iterable[Node]) -> dict[Node, Bits]:
        """Return the truths of bound nodes on every row; what only others need is let go after its last use."""
        instead = self._gathered(set(nodes))
        asked = set(instead.values())
        leaves = self.leaves(asked)
        truths = evaluate(list(leaves.values()), self._frame, self._functions)
        found = dict(zip(leaves, truths, strict=True))
        del truths
        found = self.connect(asked, found)
        return {node: found[one] for node, one in instead.items()}

    def _gathered(self, asked: AbstractSet[Node]) -> dict[Node, Node]:
        """Return a node of the same truths for each: operands that are in just the same chains are joined once."""
        chains: dict[tuple[type[And | Or], Node], list[Node]] = {}
        for node in sorted(asked & self._chains.keys()):
            kind, operands = self._chains[node]
            for operand in operands:
                chains.setdefault((kind, operand), []).append(node)
        together: dict[tuple[type[And | Or], tuple[Node, ...]], list[Node]] = {}
        for (kind, operand), within in chains.items():
            together.setdefault((kind, tuple(within)), []).append(operand)
        parts: dict[Node, list[Node]] = {}
        for (kind, within), operands in together.items():
            joined = [self._joined(kind, operands)] if len(operands) > 1 and len(within) > 1 else operands
            for node in within:
                parts.setdefault(node, []).extend(joined)
        instead = {n: p[0] if len(p) == 1 else self._joined(self._chains[n][0], p) for n, p in parts.items()}
        return {node: instead.get(node, node) for node in asked}

    def leaves(self, nodes: Iterable[Node]) -> dict[Node, Leaf]:
        """Return the atoms, bound, that nodes rest on."""
        return {n: self._leaves[n] for n in sorted(self._below(nodes)) if n in self._leaves}

    def paths(self, node: Node) -> frozenset[str]:
        """Return the attributes that a node reads; of a bound one, those left free."""
        return self._paths[node]

    def connect(self, asked: AbstractSet[Node], found: dict[Node, Bits]) -> dict[Node, Bits]:
        """Return the truths of nodes from those of their leaves, which `found` gives up as they are used."""
        wanted = sorted(self._below(asked))  # INVARIANT: a node's number is greater than its operands'
        last = {below: node for node in wanted for below in self._operands(node)}
        for node in wanted:
            if node not in self._leaves:
                found[node] = self._connected(node, found)
            for below in self._operands(node):
                if last[below] == node and below not in asked:
                    del found[below]
        return found

    def _connected(self, node: Node, found: Mapping[Node, Bits]) -> Bits:
        if node < len(Truth):
            return constant(Truth(node), self._frame.rows)
        parts = [found[o] for o in self._operands(node)]
        if node in self._negations:
            return ~parts[0]
        return all_of(parts) if self._chains[node][0] is And else any_of(parts)

    def _operands(self, node: Node) -> tuple[Node, ...]:
        """Return the nodes right below one; an atom has none."""
        if node in self._negations:
            return (self._negations[node],)
        return self._chains[node][1] if node in self._chains else ()

    def _below(self, nodes: Iterable[Node]) -> set[Node]:
        seen: set[Node] = set()
        stack = list(nodes)
        while stack:
            top = stack.pop()
            if top not in seen:
                seen.add(top)
                stack += self._operands(top)
        return seen


@dataclass
class _Binder:
    """Takes nodes to their residuals under one request; `settled` are the truths of its closed atoms."""

    graph: Graph
    request: Request
    free: AbstractSet[str]
    settled: Mapping[Node, int]
    _bound: dict[Node, Node] = field(default_factory=dict)

    def __call__(self, node: Node) -> Node:
        if self.graph.is_free(node, self.free):
            return node
        if node not in self._bound:
            self._bound[node] = self.graph.bound(node, self.request, self)
        return self._bound[node]
