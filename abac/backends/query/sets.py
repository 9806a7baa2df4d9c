"""Lower set operators to SQL that is TRUE, FALSE or NULL: over sets written, partly known, or held in lists.

A set that is not there, or asserted with less than is demanded, is unknown; an element that is missing, FALSE
only of a set that is complete; and an empty complete set makes every operator FALSE, whatever the other side is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from abac.backends.query.columns import KnownSet
from abac.backends.query.stages import Sql
from abac.backends.query.terms import Fixed, Lowered, Nothing, Terms
from abac.backends.query.values import inward
from abac.condition import reference
from abac.condition.expr import Attribute, SetConstant, Term
from abac.condition.reference import Known, known_at
from abac.condition.truth import FALSE, UNKNOWN, Truth
from abac.condition.types import Kind, Scalar, SetType

Operand = Known | KnownSet | Nothing
"""A set that is the same on every row, one held in a column, or one that is known on no row."""
Answer = Truth | Sql


@dataclass(frozen=True, slots=True)
class Sets:
    """Lowers set operators over the columns that `terms` knows."""

    terms: Terms

    def operand(self, term: Term) -> tuple[Operand, Kind]:
        """Return a checked set lowered, and the kind of its elements."""
        kind = term.type if isinstance(term, Attribute | SetConstant) else None
        assert isinstance(kind, SetType)  # noqa: S101  # checked: a set
        if isinstance(term, SetConstant):
            return Known(term.values), kind.element.kind
        assert isinstance(term, Attribute)  # noqa: S101  # as above
        terms = self.terms
        if term.path in terms.stated or term.path not in terms.columns:
            return known_at(terms.stated.get(term.path), term.least) or Nothing(), kind.element.kind
        return terms.columns[term.path].set(term.least, terms.dialect, terms.stages), kind.element.kind

    def member(self, element: Lowered, collection: Term) -> Answer:
        """FALSE of the empty set, TRUE on a hit, FALSE on a miss in a complete set, else UNKNOWN."""
        whole, _ = self.operand(collection)
        if _is_empty(whole):
            return FALSE
        if isinstance(element, Fixed) and isinstance(whole, Known):
            return reference.member(element.value, whole)
        if isinstance(element, Nothing) or isinstance(whole, Nothing):
            return self._false_if_empty(whole) if isinstance(whole, KnownSet) else UNKNOWN
        one = self.terms.sql(element)
        if isinstance(whole, Known):
            return self._among(one, whole)
        hit = self.terms.dialect.has(whole.elements.text, one.text)
        return self._decided([whole], hit, one, hits=True)

    def any_of(self, left: Term, right: Term) -> Answer:
        """FALSE if either is empty, TRUE on a hit, FALSE on a miss of two complete sets, else UNKNOWN."""
        return self._both(left, right, reference.any_of, self.terms.dialect.meets, hits=True)

    def all_of(self, left: Term, right: Term) -> Answer:
        """FALSE if either is empty or an element outside a complete right, TRUE if a complete left is inside."""
        return self._both(left, right, reference.all_of, self.terms.dialect.within, hits=False)

    # --- what two sets come to -----------------------------------------------------------------------------

    def _both(
        self,
        left: Term,
        right: Term,
        settled: Callable[[Known | None, Known | None], Truth],
        test: Callable[[str, str], str],
        *,
        hits: bool,
    ) -> Answer:
        (a, kind), (b, _) = self.operand(left), self.operand(right)
        columns = [side for side in (a, b) if isinstance(side, KnownSet)]
        if not columns:
            return settled(*(side if isinstance(side, Known) else None for side in (a, b)))
        if _is_empty(a) or _is_empty(b):
            return FALSE
        if isinstance(a, Nothing) or isinstance(b, Nothing):
            return self._false_if_empty(columns[0])
        lists = [self._list(side, kind) for side in (a, b)]
        passed = test(*(one.text for one in lists))
        ends = [_whole(side) for side in (a, b)]
        return self._decided(columns, passed, None, hits=hits, ends=ends)

    def _decided(
        self,
        columns: list[KnownSet],
        passed: str,
        element: Sql | None,
        *,
        hits: bool,
        ends: list[str] | None = None,
    ) -> Sql:
        """Return the truth of a test, by how both sides stand; `hits`: TRUE wherever it passes, else all-of."""
        size = self.terms.dialect.size
        empty = " OR ".join(f"({c.whole.text} AND {size(c.elements.text)} = 0)" for c in columns)
        absent = [f"{c.elements.text} IS NULL" for c in columns]
        absent += [f"{element.text} IS NULL"] if element else []
        ends = ends or [columns[0].whole.text]
        steps = [f"WHEN {empty} THEN FALSE", f"WHEN {' OR '.join(absent)} THEN NULL"]
        if hits:
            steps += [f"WHEN {passed} THEN TRUE", f"WHEN {' AND '.join(ends)} THEN FALSE"]
        else:
            left, right = ends
            steps += [f"WHEN {passed} THEN CASE WHEN {left} THEN TRUE END", f"WHEN {right} THEN FALSE"]
        stage = max([c.whole.stage for c in columns] + [c.elements.stage for c in columns])
        return Sql(f"(CASE {' '.join(steps)} END)", max(stage, element.stage if element else 0))

    def _false_if_empty(self, one: KnownSet) -> Sql:
        empty = f"{one.whole.text} AND {self.terms.dialect.size(one.elements.text)} = 0"
        return Sql(f"(CASE WHEN {empty} THEN FALSE END)", max(one.whole.stage, one.elements.stage))

    def _among(self, one: Sql, whole: Known) -> Sql:
        """Look for an expression's value in a written set that is not both complete and empty."""
        values = self._literals(whole)
        if not values:
            return Sql("CAST(NULL AS BOOLEAN)")
        test = f"({one.text} IN ({', '.join(values)}))"
        return Sql(test if whole.complete else f"(CASE WHEN {test} THEN TRUE END)", one.stage)

    def _literals(self, whole: Known) -> list[str]:
        values: frozenset[Scalar] = whole.value  # type: ignore[assignment]  # a set
        return [self.terms.dialect.literal(v) for v in sorted(map(inward, values))]

    def _list(self, side: Known | KnownSet, kind: Kind) -> Sql:
        if isinstance(side, KnownSet):
            return side.elements
        return Sql(self.terms.dialect.list_of(self._literals(side), kind))


def _is_empty(side: Operand) -> bool:
    return isinstance(side, Known) and side.complete and not side.value


def _whole(side: Known | KnownSet) -> str:
    if isinstance(side, KnownSet):
        return side.whole.text
    return "TRUE" if side.complete else "FALSE"
