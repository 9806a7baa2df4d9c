"""Run a request against an index: read its attributes, join their masks, ask what is left, and combine.

This is the careful way, for requests of any shape; `quick` writes the quick one for the usual shape, and comes
here whenever something is not usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from abac.compiler.combiner import Combine
from abac.compiler.index import Index, bits
from abac.compiler.index.table import Table
from abac.compiler.outcomes import Outcomes
from abac.compiler.unread import Unread, unread
from abac.condition.schema import Category
from abac.policy.decision import Outcome
from abac.policy.request import Request, reader

Masks = Sequence[int]
"""What each attribute that rules read said, in the order of `Runner.paths`."""

_DEFINITE = 4


@dataclass(frozen=True, slots=True)
class Runner:
    """A program's way from a request to an outcome."""

    index: Index
    combine: Combine
    outcomes: Outcomes
    reads: tuple[tuple[tuple[str, Table], ...], ...]
    """The attributes that rules read, per category of a request."""

    paths: tuple[str, ...]
    unread: Mapping[Category, Unread]

    def run(self, request: Request, discharges: frozenset[str]) -> Outcome:
        """Return the outcome of a request. Raises `RequestError` with the path at fault."""
        said = self.masks(request)
        joined = self.index.start
        for mask in said:
            joined |= mask
        return self.settle(joined, request, discharges, said)

    def masks(self, request: Request) -> Masks:
        """Read the attributes of a request and return what each says."""
        said: list[int] = []
        for reads, (category, given) in zip(self.reads, request.categories(), strict=True):
            get = reader(given, category)
            read = 0
            for name, table in reads:
                value = get(name)
                if value is None:
                    said.append(table.absent)
                else:
                    read += 1
                    said.append(table.masks(value, request.source))
            if isinstance(given, Mapping) and read != len(given):
                self.unread[category](given, request.source)
        return said

    def settle(
        self, joined: int, request: Request, discharges: frozenset[str], said: Masks | None = None
    ) -> Outcome:
        """Return the outcome from the joined masks; reads the request again where it must."""
        index = self.index
        capacity = index.capacity
        full = (1 << capacity) - 1
        possible = joined & full ^ full
        certain = possible & ~(joined >> capacity)
        waiting = possible & (joined >> 2 * capacity | index.several)
        if waiting:
            possible, certain = self._narrow(waiting, possible, certain, request)
        answer, relevant = self.combine(possible, certain)
        if answer <= _DEFINITE:
            return self.outcomes.definite(answer, relevant, certain, discharges)
        said = self.masks(request) if said is None else said
        held = partial(Held, self.index, request)
        return self.outcomes.undecided(answer, relevant, certain, zip(self.paths, said, strict=True), held)

    def _narrow(self, waiting: int, possible: int, certain: int, request: Request) -> tuple[int, int]:
        closures = self.index.closures
        held = Held(self.index, request)
        for number in bits(waiting):
            truth = 2
            for _, test in closures.get(number, ()):  # a slot no rule holds any more has none
                truth = min(truth, test(held))
                if not truth:
                    possible &= ~(1 << number)
                    break
            if truth < 2:  # noqa: PLR2004  # TRUE
                certain &= ~(1 << number)
        return possible, certain


class Held(dict[str, Any]):
    """The assertions of a request by full attribute name, each made when first asked for."""

    def __init__(self, index: Index, request: Request) -> None:
        super().__init__()
        self._tables = index.tables
        self._read = {category.value: reader(given, category) for category, given in request.categories()}
        self._source = request.source

    def get(self, path: str, default: Any = None) -> Any:
        """Return the assertion, or None where the attribute is absent."""
        if path in self:
            return self[path]
        word, _, name = path.partition(".")
        value = self._read[word](name)
        found = self[path] = default if value is None else self._tables[path].assertion(value, self._source)
        return found


def runner(index: Index, combine: Combine, outcomes: Outcomes) -> Runner:
    """Return the careful way through an index."""
    reads = tuple(tuple(index.reads(category)) for category in Category)
    paths = tuple(table.definition.path for own in reads for _, table in own)
    return Runner(index, combine, outcomes, reads, paths, {c: unread(index, c) for c in Category})
