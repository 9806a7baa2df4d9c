"""Lower a condition to a pair of literals: that it is TRUE, and that it is FALSE; neither is UNKNOWN.

Plain and table atoms are exact. An opaque one may answer anything: its function is pure, so one call on one value
is one answer wherever it stands; of arithmetic not even that is used, each place may answer by itself. What is
then proved holds of every possible answer; what is refuted is replayed by whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, assert_never

from abac.backends.smt.bits import WEAKEST, Bits, ScalarBits, SetBits
from abac.backends.smt.circuit import NO, YES, Circuit, Lit
from abac.backends.smt.reading import Atom, Form, Reading, computes
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Definition,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
    Term,
    walk,
)
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE, Truth
from abac.condition.types import Scalar

View = Mapping[str, Bits]
"""What one request asserts, as variables, by full attribute name."""

MOST_TRIED = 20_000
"""Answers of opaque atoms that are computed beforehand, of values that stand alone in their cell."""


class Pair(NamedTuple):
    """A condition's three truths as two literals."""

    true: Lit
    false: Lit


PAIRS = {TRUE: Pair(YES, NO), FALSE: Pair(NO, YES), Truth.UNKNOWN: Pair(NO, NO)}


@dataclass(frozen=True, slots=True)
class Open:
    """An opaque atom as it stands in one view. `answer` is what it says where all it reads is known."""

    atom: Atom
    view: View
    answer: Pair
    computes: bool


class Lowering:
    """Lowers conditions; `laws` hold beside whatever is asked, `opens` are the atoms whose answers are open."""

    def __init__(self, circuit: Circuit, reading: Reading) -> None:
        self.circuit, self.reading = circuit, reading
        self.laws: list[Lit] = []
        self.opens: list[Open] = []
        self._atoms: dict[tuple[int, Atom], Pair] = {}
        self._answers: dict[object, Pair] = {}
        self._views: dict[int, View] = {}
        self._tried = 0

    def pair(self, condition: Condition, view: View) -> Pair:
        """Return what a condition comes to in a view; all of it was read by the reading before."""
        match condition:
            case Literal(truth=fixed):
                return PAIRS[fixed]
            case Not(operand=operand):
                inner = self.pair(operand, view)
                return Pair(inner.false, inner.true)
            case And(operands=operands):
                parts = [self.pair(o, view) for o in operands]
                return Pair(self.circuit.all([p.true for p in parts]), self.circuit.any([p.false for p in parts]))
            case Or(operands=operands):
                parts = [self.pair(o, view) for o in operands]
                return Pair(self.circuit.any([p.true for p in parts]), self.circuit.all([p.false for p in parts]))
            case Definition(kind=kind, name=name):
                raise AssertionError(f"{kind} `{name}` was not linked")
            case _:
                return self._atom(condition, view)

    def _atom(self, atom: Atom, view: View) -> Pair:
        key = (id(view), atom)
        pair = self._atoms.get(key)
        if pair is None:
            self._views[id(view)] = view  # INVARIANT: kept, so that its id stays its own
            pair = self._lowered(atom, view)
            if not (self.reading.forms[atom] is Form.OPAQUE and computes(atom)):
                self._atoms[key] = pair
        return pair

    def _lowered(self, atom: Atom, view: View) -> Pair:
        match self.reading.forms[atom]:
            case Form.FIXED:
                return PAIRS[Reference({}, self.reading.functions).truth(atom)]
            case Form.TABLE:
                return self._table(atom, view)
            case Form.OPAQUE:
                return self._opaque(atom, view)
            case Form.PLAIN:
                return self._plain(atom, view)
            case form:
                assert_never(form)

    # --- plain atoms -----------------------------------------------------------------------------------

    def _plain(self, atom: Atom, view: View) -> Pair:
        match atom:
            case Holds():
                return self._table(atom, view)
            case Comparison(order=order, left=Attribute() as left, right=Attribute() as right):
                return self._settled((left, right), self._between(order, left, right, view), view)
            case Comparison(order=order, left=Attribute() as mine, right=Constant() as constant):
                return self._settled((mine,), self._against(order, mine, constant, view), view)
            case Comparison(order=order, left=Constant() as constant, right=Attribute() as mine):
                return self._settled((mine,), self._against(order.mirrored, mine, constant, view), view)
            case Member(element=element, collection=collection):
                return self._member(element, self._set(collection, view), view)
            case AnyOf(left=left, right=right):
                return self._any_of(self._set(left, view), self._set(right, view))
            case AllOf(left=left, right=right):
                return self._all_of(self._set(left, view), self._set(right, view))
            case _:
                raise AssertionError(f"{type(atom).__name__} is not plain")

    def _settled(self, read: tuple[Attribute, ...], true: Lit, view: View) -> Pair:
        """Return the pair of a test that is UNKNOWN exactly where something it reads is."""
        known = self.circuit.all([_scalar(view, a).levels[a.least] for a in read])
        return Pair(self.circuit.all((known, true)), self.circuit.all((known, -true)))

    def _against(self, order: Order, mine: Attribute, constant: Constant, view: View) -> Lit:
        bits = _scalar(view, mine)
        if not bits.cells.in_order:
            place = bits.cells.place[constant.value]
            return bits.run(place, place + 1, self.circuit)
        below, up_to = bits.cells.span(constant.value)
        first, after = {
            Order.EQUAL: (below, up_to),
            Order.LESS: (0, below),
            Order.AT_MOST: (0, up_to),
            Order.GREATER: (up_to, len(bits.cells)),
            Order.AT_LEAST: (below, len(bits.cells)),
        }[order]
        return bits.run(first, after, self.circuit)

    def _between(self, order: Order, left: Attribute, right: Attribute, view: View) -> Lit:
        """Compare two attributes whose cells are the same, and single."""
        one, other = _scalar(view, left).at_most, _scalar(view, right).at_most
        both = list(zip(one, other, strict=True))
        if order is Order.EQUAL:
            return self.circuit.all([self.circuit.same(a, b) for a, b in both])
        if order in (Order.GREATER, Order.AT_MOST):
            both = [(b, a) for a, b in both]
        less = self.circuit.any([self.circuit.all((a, -b)) for a, b in both])
        return less if order in (Order.LESS, Order.GREATER) else -less

    # --- sets ------------------------------------------------------------------------------------------

    def _set(self, term: Term, view: View) -> _Side:
        if isinstance(term, SetConstant):
            return _Side(frozenset(term.values), YES, YES if term.values else NO, NO if term.values else YES, None)
        assert isinstance(term, Attribute)  # noqa: S101  # plain: sets are attributes or constants
        bits = view[term.path]
        assert isinstance(bits, SetBits)  # noqa: S101  # checked
        whole, empty = bits.whole(term.least, self.circuit), bits.empty(term.least, self.circuit)
        return _Side(None, bits.levels[WEAKEST], whole, empty, (bits, term.least))

    def _member(self, element: Term, side: _Side, view: View) -> Pair:
        if isinstance(element, Constant):
            known, hit = YES, side.having(element.value)
        else:
            assert isinstance(element, Attribute)  # noqa: S101  # plain
            bits = _scalar(view, element)
            known = bits.levels[element.least]
            if side.constant is not None:
                hit = bits.among(bits.cells.among(side.constant), self.circuit)
            else:
                has = side.has
                hit = self.circuit.any(
                    [self.circuit.all((bits.run(i, i + 1, self.circuit), h)) for i, h in enumerate(has)]
                )
        there = self.circuit.all((known, side.there))
        missed = self.circuit.all((there, -hit, side.whole))
        return Pair(self.circuit.all((there, hit, -side.empty)), self.circuit.any((side.empty, missed)))

    def _any_of(self, left: _Side, right: _Side) -> Pair:
        all_, any_ = self.circuit.all, self.circuit.any
        there = all_((left.there, right.there))
        hit = any_([all_(both) for both in left.shared(right)])
        missed = all_((there, -hit, left.whole, right.whole))
        return Pair(all_((there, hit)), any_((left.empty, right.empty, missed)))

    def _all_of(self, left: _Side, right: _Side) -> Pair:
        all_, any_ = self.circuit.all, self.circuit.any
        there = all_((left.there, right.there, -left.empty, -right.empty))
        outside = any_([all_((a, -b)) for a, b in left.beside(right)])
        false = any_((left.empty, right.empty, all_((there, outside, right.whole))))
        return Pair(all_((there, -outside, left.whole)), false)

    # --- tables and opaque atoms -----------------------------------------------------------------------

    def _table(self, atom: Atom, view: View) -> Pair:
        """Ask the reference for each value, of an attribute that has finitely many."""
        read = _attributes(atom)
        bits = _scalar(view, read[0])
        places: dict[Truth, list[int]] = {truth: [] for truth in Truth}
        for i, value in enumerate(bits.cells.firsts):
            places[self._truth(atom, {read[0].path: value})].append(i)
        known = self.circuit.all([bits.levels[a.least] for a in read])
        true, false = (self.circuit.all((known, bits.among(places[t], self.circuit))) for t in (TRUE, FALSE))
        if isinstance(atom, Member) and isinstance(atom.collection, SetConstant) and not atom.collection.values:
            return PAIRS[FALSE]
        return Pair(true, false)

    def _truth(self, atom: Atom, values: Mapping[str, object]) -> Truth:
        given = {p: Assertion(v, Assurance.VERIFIED) for p, v in values.items()}  # type: ignore[arg-type]  # scalars
        return Reference(given, self.reading.functions).truth(atom)

    def _opaque(self, atom: Atom, view: View) -> Pair:
        read = _attributes(atom)
        scalars = [a for a in read if isinstance(view[a.path], ScalarBits)]
        known = self.circuit.all([_scalar(view, a).levels[a.least] for a in scalars])
        if isinstance(atom, Member) and isinstance(atom.collection, SetConstant) and not atom.collection.values:
            return PAIRS[FALSE]
        answer = self._answer(atom, scalars, view)
        true, false = self.circuit.all((known, answer.true)), self.circuit.all((known, answer.false))
        if len(scalars) < len(read):
            assert isinstance(atom, Member)  # noqa: S101  # nothing else takes a set and a term
            side = self._set(atom.collection, view)
            true = self.circuit.all((true, side.there, -side.empty, self.circuit.any(side.has)))
            false = self.circuit.any((side.empty, self.circuit.all((false, side.whole))))
        return Pair(true, false)

    def _answer(self, atom: Atom, scalars: list[Attribute], view: View) -> Pair:
        """Return the literals of an opaque atom's answer where all it reads is known; shared if it only calls."""
        alone = len(scalars) < len(_attributes(atom))
        shared = (id(view), atom) if alone else _undemanding(atom)
        key = None if computes(atom) else shared
        pair = self._answers.get(key) if key is not None else None
        if pair is None:
            pair = Pair(self.circuit.variable(), self.circuit.variable())
            self.laws.append(-self.circuit.all(pair))
            if key is not None:
                self._answers[key] = pair
            if not alone and len({a.path for a in scalars}) == 1:
                self._try(atom, scalars[0], pair, view)
            self.opens.append(Open(atom, view, pair, key is None))
        return pair

    def _try(self, atom: Atom, read: Attribute, pair: Pair, view: View) -> None:
        """State the answers for values that stand alone in their cell: those are the value itself."""
        bits = _scalar(view, read)
        for i, cell in enumerate(bits.cells.cells):
            if cell.single and self._tried < MOST_TRIED:
                self._tried += 1
                here = bits.run(i, i + 1, self.circuit)
                self.laws += self.stated(here, pair, self._truth(atom, {read.path: cell.values[0]}))

    def stated(self, where: Lit, pair: Pair, truth: Truth) -> list[Lit]:
        """Return that a pair is a truth wherever a literal holds."""
        wanted = PAIRS[truth]
        return [self.circuit.implies(where, p if w == YES else -p) for p, w in zip(pair, wanted, strict=True)]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a set operator: a constant, or an attribute with the level demanded of it."""

    constant: frozenset[Scalar] | None
    there: Lit
    whole: Lit
    empty: Lit
    bits: tuple[SetBits, Assurance] | None

    @property
    def has(self) -> tuple[Lit, ...]:
        assert self.bits is not None  # noqa: S101  # an attribute's
        bits, level = self.bits
        return bits.has[level]

    def having(self, value: Scalar) -> Lit:
        assert self.bits is not None  # noqa: S101  # constants on both sides are fixed
        return self.has[self.bits[0].cells.place[value]]

    def shared(self, other: _Side) -> list[tuple[Lit, ...]]:
        """Return what must hold together for an element to be in both."""
        if self.constant is not None:
            return [(other.has[i],) for i in other.places(self.constant)]
        if other.constant is not None:
            return other.shared(self)
        return list(zip(self.has, other.has, strict=True))

    def beside(self, other: _Side) -> list[tuple[Lit, Lit]]:
        """Return, for each element or cell, that it is in this side, and that it is in the other."""
        if self.constant is not None:
            return [(YES, other.having(v)) for v in self.constant]
        if other.constant is not None:
            inside = set(self.places(other.constant))
            return [(h, YES if i in inside else NO) for i, h in enumerate(self.has)]
        return list(zip(self.has, other.has, strict=True))

    def places(self, constant: frozenset[Scalar]) -> list[int]:
        assert self.bits is not None  # noqa: S101  # an attribute's
        return self.bits[0].cells.among(constant)


def _scalar(view: View, attribute: Attribute) -> ScalarBits:
    bits = view[attribute.path]
    assert isinstance(bits, ScalarBits)  # noqa: S101  # checked
    return bits


def _attributes(atom: Atom) -> list[Attribute]:
    return [n for n in walk(atom) if isinstance(n, Attribute)]


def _undemanding(node: Atom) -> Atom:
    """Return an atom without its demands: the same call on the same value, known to whomever."""
    match node:
        case Holds(term=term):
            return replace(node, term=_bare(term))
        case Comparison(left=left, right=right):
            return replace(node, left=_bare(left), right=_bare(right))
        case Member(element=element, collection=collection):
            return replace(node, element=_bare(element), collection=_bare(collection))
        case _:
            return node


def _bare(term: Term) -> Term:
    match term:
        case Attribute():
            return replace(term, least=WEAKEST)
        case Call(arguments=arguments):
            return replace(term, arguments=tuple(_bare(a) for a in arguments))
        case _:
            return term
