"""Lower set operators: where each is TRUE and where FALSE, over sets written, partly known, or held in columns.

A set that is not there, or asserted with less than is demanded, is unknown; an element that is missing, FALSE
only of a set that is complete. A set held as JSON meets one that is held as an SQL array nowhere.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from abac.backends.sql.array_sets import ArrayEmpty, ArrayHas, ArrayMeets, ArrayWithin
from abac.backends.sql.formula import Formula, Leaf, Opaque, every, inverse, some
from abac.backends.sql.held import Held, Store
from abac.backends.sql.json_sets import JsonEmpty, JsonHas, JsonKnown, JsonMeets, JsonMeetsWords, JsonWithin
from abac.backends.sql.sound import array_of, literal_array
from abac.backends.sql.terms import Computed, Fixed, Lowered, Nothing, Terms
from abac.backends.sql.values import AmongNumbers, AmongWords, SameText, as_json
from abac.condition.expr import Attribute, Member, SetConstant, Term
from abac.condition.reference import known_at
from abac.condition.types import INT, Kind, Scalar

MANY = 200
"""How many values a list has that goes as one parameter, not as one for each."""

Both = tuple[Formula, Formula]


@dataclass(frozen=True, slots=True)
class Written:
    """A set that is the same on every row."""

    values: frozenset[Scalar]
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A set held in a column."""

    path: str
    held: Held


Operand = Written | Stored | Nothing | Opaque


@dataclass(frozen=True, slots=True)
class Sets:
    """Lowers set operators over the columns that `terms` knows."""

    terms: Terms

    def operand(self, term: Term) -> Operand:
        """Return a checked set lowered."""
        if isinstance(term, SetConstant):
            return Written(term.values, complete=True)
        assert isinstance(term, Attribute)  # noqa: S101  # checked: an attribute or a written set
        held = self.terms.columns.get(term.path)
        if held is None:
            known = known_at(self.terms.stated.get(term.path), term.least)
            return Nothing() if known is None else Written(known.value, known.complete)  # type: ignore[arg-type]  # a set
        if held.assurance < term.least:
            return Nothing()
        if held.store is Store.JSON and held.kind.kind in (Kind.FLOAT, Kind.DATETIME):
            return Opaque(term.path, f"SQL does not read {held.kind}s out of JSON as the reference does")
        return Stored(term.path, held)

    # --- the three operators -------------------------------------------------------------------------------

    def member(self, node: Member, element: Lowered, whole: Operand) -> Both:
        """FALSE of the empty set, TRUE on a hit, FALSE on a miss in a complete set."""
        empty = _empty(whole)
        for side in (element, whole):
            if isinstance(side, Opaque):
                return side, some([empty, side])
        if isinstance(element, Nothing) or isinstance(whole, Nothing):
            return False, empty
        assert isinstance(element, Fixed | Computed) and isinstance(whole, Written | Stored)  # noqa: S101, PT018  # as above
        there = every([_has_value(node, element), _known(whole)])
        hit = _hit(node, element, whole)
        return hit, some([empty, every([there, _complete(whole), inverse(hit)])])

    def any_of(self, node: Hashable, left: Operand, right: Operand) -> Both:
        """FALSE if either is empty, TRUE on a hit, FALSE on a miss of two complete sets."""
        empty = some([_empty(left), _empty(right)])
        hit = _related(node, left, right, JsonMeets, ArrayMeets)
        if isinstance(hit, Nothing):
            return False, empty
        there = every([_known(left), _known(right)])
        miss = every([there, _complete(left), _complete(right), inverse(hit)])
        return hit, some([empty, miss])

    def all_of(self, node: Hashable, left: Operand, right: Operand) -> Both:
        """FALSE if either is empty or an element outside a complete right, TRUE if a complete left is inside."""
        empty = some([_empty(left), _empty(right)])
        inside = _related(node, left, right, JsonWithin, ArrayWithin)
        if isinstance(inside, Nothing):
            return False, empty
        there = every([_known(left), _known(right)])
        true = every([there, _complete(left), inverse(_empty(left)), inside])
        return true, some([empty, every([there, _complete(right), inverse(inside)])])


# --- what is asked of one set ------------------------------------------------------------------------------


def _known(operand: Operand) -> Formula:
    match operand:
        case Stored(path=path, held=held) if held.store is Store.JSON:
            return Leaf(("known", path), JsonKnown(held.column), frozenset({path}))
        case Stored(path=path, held=held):
            return Leaf(("known", path), held.column.is_not(None), frozenset({path}))
        case _:
            return isinstance(operand, Written | Opaque)


def _complete(operand: Operand) -> Formula:
    match operand:
        case Written(complete=complete):
            return complete
        case Stored(path=path, held=held):
            whole = held.complete
            return (
                whole if isinstance(whole, bool) else Leaf(("complete", path), whole.is_(True), frozenset({path}))
            )
        case _:
            return isinstance(operand, Opaque)


def _empty(operand: Operand) -> Formula:
    """Where a set is known to be empty: complete, and without an element."""
    match operand:
        case Written(values=values, complete=complete):
            return complete and not values
        case Stored(path=path, held=held):
            test = JsonEmpty(held.column) if held.store is Store.JSON else ArrayEmpty(held.column)
            return every([_complete(operand), Leaf(("empty", path), test, frozenset({path}))])
        case Opaque():
            return operand
        case _:
            return False


# --- what is asked of two ----------------------------------------------------------------------------------


def _related(
    node: Hashable, left: Operand, right: Operand, in_json: type[Any], in_array: type[Any]
) -> Formula | Nothing:
    """Return the test of two sets that are there; Nothing where one never is."""
    for side in (left, right):
        if isinstance(side, Nothing):
            return side
    for side in (left, right):
        if isinstance(side, Opaque):
            return side
    assert isinstance(left, Written | Stored) and isinstance(right, Written | Stored)  # noqa: S101, PT018  # as above
    stored = [side for side in (left, right) if isinstance(side, Stored)]
    if not stored:
        meets = bool(left.values & right.values)  # type: ignore[union-attr]  # both written
        return meets if in_json is JsonMeets else left.values <= right.values  # type: ignore[union-attr]  # as above
    if len({side.held.store for side in stored}) > 1:
        return Opaque(" and ".join(side.path for side in stored), "one is held as JSON, the other as an SQL array")
    store, kind = stored[0].held.store, stored[0].held.kind.kind
    make = in_json if store is Store.JSON else in_array
    if make is JsonMeets and len(stored) == 1 and stored[0].held.kind.is_text:
        make, left, right = JsonMeetsWords, stored[0], right if stored[0] is left else left
    test = make(*(_as(side, store, kind) for side in (left, right)))
    return _asked(node, test, stored)


def _as(side: Written | Stored, store: Store, kind: Kind) -> ColumnElement[Any]:
    if isinstance(side, Stored):
        return side.held.column if store is Store.JSON else array_of(side.held)
    return as_json(side.values) if store is Store.JSON else literal_array(sorted(side.values), kind)


def _asked(node: Hashable, test: ColumnElement[bool], stored: list[Stored]) -> Leaf:
    """Return a test as a leaf: never NULL, and where a set is not there it shares and has nothing."""
    present = [side.held.column.is_not(None) for side in stored]
    return Leaf((node, "test"), and_(test, *present), frozenset(side.path for side in stored))


def _has_value(node: Member, element: Fixed | Computed) -> Formula:
    if isinstance(element, Fixed):
        return True
    given = element.sql if element.column is None else element.column
    return Leaf((node, "element"), given.is_not(None), element.reads)


def _hit(node: Member, element: Fixed | Computed, whole: Written | Stored) -> Formula:
    """Return whether the element is in the set, of such as are there; never NULL where they are."""
    if isinstance(whole, Written):
        if isinstance(element, Fixed):
            return element.value in whole.values
        return _among(node, element, whole.values)
    held = whole.held
    if isinstance(element, Fixed):
        return _related_one(node, element, whole)
    test = (
        JsonHas(held.column, element.sql)
        if held.store is Store.JSON
        else ArrayHas(array_of(held), SameText(element.sql) if held.kind.is_text else element.sql)
    )
    return Leaf((node, "hit"), test.is_(True), element.reads | {whole.path})


def _related_one(node: Member, element: Fixed, whole: Stored) -> Formula:
    one = Written(frozenset({element.value}), complete=True)
    found = _related((node, "one"), whole, one, JsonMeets, ArrayMeets)
    assert not isinstance(found, Nothing)  # noqa: S101  # both are there
    return found


def _among(node: Member, element: Computed, values: frozenset[Scalar]) -> Formula:
    """Return whether an expression's value is one of many; NULL asked for, so that it never is."""
    text = element.kind.is_text
    expression = SameText(element.sql) if text else element.sql
    if len(values) <= MANY or not (text or element.kind == INT):
        test: ColumnElement[bool] = expression.in_(sorted(values))
    else:
        test = (AmongWords if text else AmongNumbers)(expression, as_json(values))
    given = element.sql if element.column is None else element.column
    return Leaf((node, "among"), and_(test, given.is_not(None)), element.reads)
