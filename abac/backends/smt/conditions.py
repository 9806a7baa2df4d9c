"""Lower a condition to a pair of literals: that it is TRUE, and that it is FALSE; neither is UNKNOWN.

Plain and table atoms are exact. An opaque one may answer anything: its function is pure, so one call on one value
is one answer wherever it stands; of arithmetic not even that is used, each place may answer by itself. What is
then proved holds of every possible answer; what is refuted is replayed by whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from abac.backends.smt.bits import WEAKEST, ScalarBits
from abac.backends.smt.circuit import NO, YES, Circuit, Lit, Pair
from abac.backends.smt.reading import Atom, Form, Reading, computes
from abac.backends.smt.sides import Side, View, all_of, any_of, side
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

MOST_TRIED = 20_000
"""Answers of opaque atoms that are computed beforehand, of values that stand alone in their cell."""


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
                return self._member(element, side(collection, view, self.circuit), view)
            case AnyOf(left=left, right=right):
                return any_of(side(left, view, self.circuit), side(right, view, self.circuit), self.circuit)
            case AllOf(left=left, right=right):
                return all_of(side(left, view, self.circuit), side(right, view, self.circuit), self.circuit)
            case _:
                raise AssertionError(f"{type(atom).__name__} is not plain")

    def _settled(self, read: tuple[Attribute, ...], true: Lit, view: View) -> Pair:
        """Return the pair of a test that is UNKNOWN exactly where something it reads is."""
        known = self.circuit.all([_scalar(view, a).levels[a.least] for a in read])
        return Pair(self.circuit.all((known, true)), self.circuit.all((known, -true)))

    def _against(self, order: Order, mine: Attribute, constant: Constant, view: View) -> Lit:
        bits = _scalar(view, mine)
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

    def _member(self, element: Term, within: Side, view: View) -> Pair:
        if isinstance(element, Constant):
            known, hit = YES, within.having(element.value)
        else:
            assert isinstance(element, Attribute)  # noqa: S101  # plain
            bits = _scalar(view, element)
            known = bits.levels[element.least]
            hit = within.holding(bits, self.circuit)
        there = self.circuit.all((known, within.there))
        missed = self.circuit.all((there, -hit, within.whole))
        return Pair(self.circuit.all((there, hit, -within.empty)), self.circuit.any((within.empty, missed)))

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
            within = side(atom.collection, view, self.circuit)
            true = self.circuit.all((true, within.there, -within.empty, self.circuit.any(within.has)))
            false = self.circuit.any((within.empty, self.circuit.all((false, within.whole))))
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
