"""Rules with some attributes opened: what each may come to while those may still take any value.

First coarsely, from one signature a rule, to choose which attributes to open; then test by test, for those opened.
`reachable` combines the truths, `cells` lists the values, `counterfactual` asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from abac.compiler.program import Program
from abac.condition.expr import (
    And,
    Arithmetic,
    Attribute,
    Call,
    Condition,
    Literal,
    Node,
    Not,
    Or,
    attributes,
    children,
)
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.condition.types import Value
from abac.pdp import cells
from abac.pdp.reachable import Answers, F, Reach, T, U, all_of, any_of, turned
from abac.pdp.standing import Facts, conjuncts
from abac.policy.rule import policies


@dataclass(frozen=True, slots=True)
class _Conjunct:
    """A conjunct, the changeable attributes it reads as bits, and how it stands now."""

    condition: Condition
    reads: int
    truth: Truth
    shaky: bool


@dataclass(frozen=True, slots=True)
class _Signature:
    """What counts of a rule for choosing attributes: what its FALSE and its UNKNOWN conjuncts read, and all."""

    failed: frozenset[int]
    open: frozenset[int]
    reads: int
    shaky: bool

    def truths(self, chosen: int) -> int:
        """Return the truths the rule may come to once the chosen attributes change."""
        for reads in self.failed:
            if not reads & chosen:
                return F
        capped = any(not reads & chosen for reads in self.open)
        most = U if capped else T
        if not self.reads & chosen:
            return most
        return F | most | (U if self.shaky else 0)


class Rules:
    """The rules of a program on one request, in the order of the tree, with the attributes that may change.

    `demands` has every attribute that a rule reads, with the most assurance demanded of it; `free` are those of
    them that may change, in schema order.
    """

    def __init__(self, program: Program, facts: Facts, mutable: Collection[str]) -> None:
        self._program, self._found = program, facts.assertions
        rules = [rule for policy in policies(program.root) for rule in policy.rules]
        each = [[(c, *_scan(c)) for c in conjuncts(rule.condition)] for rule in rules]
        self.demands: dict[str, Assurance] = {}
        for read in (read for parts in each for _, read, _ in parts):
            for path, least in read.items():
                self.demands[path] = max(least, self.demands.get(path, least))
        self.free = [d for d in program.schema if d.path in mutable and d.path in self.demands]
        bits = {d.path: 1 << n for n, d in enumerate(self.free)}
        self._each = [
            [_Conjunct(c, sum(bits.get(p, 0) for p in read), facts.truth(c), shaky) for c, read, shaky in parts]
            for parts in each
        ]
        known: dict[_Signature, _Signature] = {}
        self._signatures = [known.setdefault(s, s) for s in map(_signature, self._each)]
        self._distinct = list(known)
        self._reach = Reach(program.root)

    def reach(self, chosen: int) -> Answers:
        """Return the answers that the root may come to once the chosen attributes, as bits, change."""
        truths = {id(s): s.truths(chosen) for s in self._distinct}
        return self._reach.answers(truths[id(s)] for s in self._signatures)

    def open(self, chosen: int) -> Opened:
        """Return the rules with the chosen attributes opened and everything else settled."""
        truths = {id(s): s.truths(chosen) for s in self._distinct}
        settled: list[int] = []
        live: list[tuple[int, int, list[Condition]]] = []
        for number, (signature, parts) in enumerate(zip(self._signatures, self._each, strict=True)):
            settled.append(truths[id(signature)])
            if signature.reads & chosen and settled[-1] != F:
                cap = min((p.truth for p in parts if not p.reads & chosen), default=TRUE)
                live.append((number, 1 << cap, [p.condition for p in parts if p.reads & chosen]))
        names = [d.path for n, d in enumerate(self.free) if chosen >> n & 1]
        return Opened(self._program, self._found, self._reach, settled, live, names)


class Opened:
    """Rules of which some still hang on opened attributes."""

    def __init__(
        self,
        program: Program,
        found: Mapping[str, Assertion],
        reach: Reach,
        settled: list[int],
        live: list[tuple[int, int, list[Condition]]],
        names: Collection[str],
    ) -> None:
        self._program, self._reach, self._names = program, reach, frozenset(names)
        self._settled, self._live = settled, live
        self._base = {path: one for path, one in found.items() if path not in self._names}
        self._reads: dict[int, frozenset[str]] = {}

    def reach(self, given: Mapping[str, Assertion], free: Collection[str]) -> Answers:
        """Return the answers that the root may come to with some opened attributes `given` and others `free`."""
        reference = Reference({**self._base, **given}, self._program.functions)
        still = frozenset(free)
        truths = list(self._settled)
        for number, cap, parts in self._live:
            truths[number] = all_of([cap, *(self._truths(p, reference, still) for p in parts)])
        return self._reach.answers(truths)

    def _truths(self, node: Condition, reference: Reference, free: frozenset[str]) -> int:
        if free.isdisjoint(self._read(node)):
            return 1 << reference.truth(node)
        match node:
            case Not(operand=operand):
                return turned(self._truths(operand, reference, free))
            case And(operands=operands):
                return all_of(self._truths(o, reference, free) for o in operands)
            case Or(operands=operands):
                return any_of(self._truths(o, reference, free) for o in operands)
            case _:
                return F | T | (U if _scan(node)[1] else 0)

    def _read(self, node: Condition) -> frozenset[str]:
        """Return what a node reads, remembered by the node itself, which the program keeps alive."""
        found = self._reads.get(id(node))
        if found is None:
            found = self._reads[id(node)] = frozenset(attributes(node))
        return found

    def values(self, definition: AttributeDefinition, now: Value | None) -> tuple[list[Value], bool]:
        """Return a value for every cell of an opened attribute that the open rules tell apart, nearest first."""
        path = definition.path
        atoms = {a: None for _, _, parts in self._live for p in parts for a in _atoms(p) if path in self._read(a)}
        reference = Reference(self._base, self._program.functions)
        return cells.values(definition, now, atoms, reference, self._names)


def _scan(condition: Condition) -> tuple[dict[str, Assurance], bool]:
    """Return what a conjunct reads with what it demands, and whether it may be UNKNOWN with one of that known.

    It may if it reads several attributes, computes, calls, or has a term that is pending.
    """
    read: dict[str, Assurance] = {}
    shaky = False
    stack: list[Node] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Attribute):
            path = node.path
            read[path] = max(node.least, read.get(path, node.least))
        else:
            shaky |= isinstance(node, Arithmetic | Call | Literal)
            stack += children(node)
    return read, shaky or len(read) > 1


def _signature(parts: Sequence[_Conjunct]) -> _Signature:
    reads = 0
    for part in parts:
        reads |= part.reads
    return _Signature(
        frozenset(p.reads for p in parts if p.truth is FALSE),
        frozenset(p.reads for p in parts if p.truth is UNKNOWN),
        reads,
        any(p.shaky and p.reads for p in parts),
    )


def _atoms(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Not(operand=operand):
            yield from _atoms(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _atoms(operand)
        case _:
            yield condition
