"""What a program may still answer while some attributes may take any value, by the masks of its index.

An attribute that is open rules nothing out; every rule that reads it may come to stand or to fall. So a question
costs a few operations on masks, however many rules there are; conjuncts over several attributes are asked one by
one while their rules are in play. What is told is never too little: `reachable` combines it, `cells` lists the
values of an open attribute, `counterfactual` asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from abac.compiler.index import bits
from abac.compiler.index.masks import Mask, toggled
from abac.compiler.program import Program
from abac.condition.expr import And, Arithmetic, Call, Condition, Literal, Not, Or, attributes, walk
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import AttributeDefinition
from abac.condition.types import Value
from abac.pdp import cells
from abac.pdp.reachable import BY_TRUTHS, Answers, F, Reach, T, U, all_of, any_of, turned
from abac.pdp.standing import conjuncts
from abac.policy.decision import Effect
from abac.policy.rule import Policy, policies

Standing = Mapping[int, Mask]
"""The rules that are in play, by what their truth may be; a rule that can only be FALSE is in none."""

_NOTHING: Mapping[str, Assertion] = {}


@dataclass(slots=True)
class _Marks:
    """Rules that are ruled out, cannot be TRUE, hang on an open attribute, and may be UNKNOWN because of it."""

    out: Mask
    open: Mask
    loose: Mask = 0
    shaky: Mask = 0


class Opened:
    """The rules of a program on one request.

    `free` are the attributes that may change and that a rule reads, in schema order.
    """

    def __init__(self, program: Program, found: Mapping[str, Assertion], mutable: Collection[str]) -> None:
        self._program, self._index, self._found = program, program.index, found
        self.free = [d for d in program.schema if d.path in mutable and d.path in program.demands]
        self._tables = {path: table for path, table in self._index.tables.items() if table.layers}
        self._base = {path: table.told(found.get(path)) for path, table in self._tables.items()}
        self._each = list(zip(policies(program.root), self._index.members, strict=True))
        self._rules = 0
        for _, own in self._each:
            self._rules |= own.permits | own.denies
        self._reach = Reach(program.root)
        self._reading: dict[str, Mask] = {}
        self._shaky: dict[str, Mask] = {}
        self._entangled: dict[int, Sequence[Condition]] = {}
        self._reads: dict[int, frozenset[str]] = {}

    def reach(self, free: Collection[str], given: Mapping[str, Assertion] = _NOTHING) -> Answers:
        """Return the answers that the root may come to with some attributes open and others `given` anew."""
        standing = self._standing(frozenset(free), given)
        return self._reach.answers(self._answers(*one, standing) for one in self._each)

    def values(
        self, definition: AttributeDefinition, now: Value | None, free: Collection[str]
    ) -> tuple[list[Value], bool]:
        """Return a value for every cell of an open attribute that the rules in play tell apart, nearest first."""
        path = definition.path
        standing = self._standing(frozenset(free), _NOTHING)
        loose = bits(standing[F | T] | standing[F | U] | standing[F | U | T])
        rules = {id(rule): rule for rule in (self._index.rules[slot] for slot in loose)}
        parts = (part for rule in rules.values() for part in conjuncts(rule.condition) if path in self._read(part))
        atoms = {atom: None for part in parts for atom in _atoms(part) if path in self._read(atom)}
        base = {p: one for p, one in self._found.items() if p not in free}
        return cells.values(definition, now, atoms, Reference(base, self._program.functions), free)

    # --- what may stand ------------------------------------------------------------------------------------

    def _standing(self, free: frozenset[str], given: Mapping[str, Assertion]) -> Standing:
        index, capacity = self._index, self._index.capacity
        joined = index.start
        for path, own in self._base.items():
            if path not in free:
                joined |= self._tables[path].told(given[path]) if path in given else own
        marks = _Marks(joined, joined >> capacity | joined >> 2 * capacity)
        for path in free:
            marks.loose |= self._read_by(path)
            marks.shaky |= self._shaky_by(path)
        if entangled := bits(index.several & self._rules & ~marks.out):
            self._entangle(entangled, free, given, marks)
        play = self._rules & ~marks.out
        tied, loose = play & ~marks.loose, play & marks.loose
        return {
            T: tied & ~marks.open,
            U: tied & marks.open,
            F | U: loose & marks.open,
            F | T: loose & ~marks.open & ~marks.shaky,
            F | U | T: loose & ~marks.open & marks.shaky,
        }

    def _entangle(
        self, slots: Iterable[int], free: frozenset[str], given: Mapping[str, Assertion], marks: _Marks
    ) -> None:
        """Mark what conjuncts over several attributes say of rules that are not ruled out yet."""
        base = {path: one for path, one in self._found.items() if path not in free}
        reference = Reference({**base, **given}, self._program.functions)
        for slot in slots:
            truths = all_of(self._truths(c, reference, free) for c in self._tangled(slot))
            bit = 1 << slot
            if truths == F:
                marks.out |= bit
            if not truths & T:
                marks.open |= bit
            if truths & (truths - 1):
                marks.loose |= bit
                marks.shaky |= bit * (truths & U > 0)

    def _truths(self, node: Condition, reference: Reference, free: frozenset[str]) -> int:
        read = self._read(node)
        if free.isdisjoint(read):
            return 1 << reference.truth(node)
        match node:
            case Not(operand=operand):
                return turned(self._truths(operand, reference, free))
            case And(operands=operands):
                return all_of(self._truths(o, reference, free) for o in operands)
            case Or(operands=operands):
                return any_of(self._truths(o, reference, free) for o in operands)
            case _:
                return F | T | (U if len(read) > 1 or _may_have_no_value(node) else 0)

    # --- which rules read what -------------------------------------------------------------------------------

    def _read_by(self, path: str) -> Mask:
        """Return the rules with a conjunct over the attribute alone."""
        if path not in self._reading:
            layers = self._tables[path].layers if path in self._tables else ()
            slots = {slot for one in layers for slot in one.conjuncts}
            self._reading[path] = toggled(0, slots, self._index.capacity)
        return self._reading[path]

    def _shaky_by(self, path: str) -> Mask:
        """Return those of them with a test that may be UNKNOWN though the attribute is known."""
        if path not in self._shaky:
            layers = self._tables[path].layers if path in self._tables else ()
            tests = (
                (slot, condition) for one in layers for slot, own in one.closures.items() for condition, _ in own
            )
            slots = {slot for slot, condition in tests if _may_have_no_value(condition)}
            self._shaky[path] = toggled(0, slots, self._index.capacity)
        return self._shaky[path]

    def _tangled(self, slot: int) -> Sequence[Condition]:
        """Return the conjuncts of a rule that read several attributes."""
        if slot not in self._entangled:
            tests = self._index.closures.get(slot, ())
            self._entangled[slot] = [condition for condition, _ in tests if len(self._read(condition)) > 1]
        return self._entangled[slot]

    def _read(self, node: Condition) -> frozenset[str]:
        """Return what a node reads, remembered by the node itself, which the program keeps alive."""
        found = self._reads.get(id(node))
        if found is None:
            found = self._reads[id(node)] = frozenset(attributes(node))
        return found

    # --- what may be answered --------------------------------------------------------------------------------

    def _answers(self, policy: Policy, own: Any, standing: Standing) -> list[Answers]:
        """Return what the rules of a policy may answer: in order where that counts, else as many as count."""
        effects = ((Effect.PERMIT, own.permits), (Effect.DENY, own.denies))
        kinds = [(BY_TRUTHS[e, truths], mask & held) for e, held in effects for truths, mask in standing.items()]
        if not policy.algorithm.in_order:
            return [answers for answers, mask in kinds for _ in range(min(mask.bit_count(), len(answers)))]
        by_slot = {slot: answers for answers, mask in kinds for slot in bits(mask)}
        return [by_slot[slot] for slot in self._index.in_order(toggled(0, by_slot, self._index.capacity))]


def _may_have_no_value(condition: Condition) -> bool:
    """Whether a test of one attribute that is known may be UNKNOWN: it computes, calls, or is pending in part."""
    return any(isinstance(node, Arithmetic | Call | Literal) for node in walk(condition))


def _atoms(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Not(operand=operand):
            yield from _atoms(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _atoms(operand)
        case _:
            yield condition
