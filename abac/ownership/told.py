"""Gather the stakes that a file tells, one record at a time, and make the graph of those held on a day.

Used by every format: `stakes` and `followthemoney` say which cell is what, this says what it comes to. A record
whose share or date cannot be read still says that there is a stake: it is kept, of unknown size, and the fault
noted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from abac.errors import Diagnostic, Span
from abac.ownership.building import build
from abac.ownership.graph import UNKNOWN, Graph, Marks, Repeated
from abac.ownership.shares import Bounds, ShareError, read_share
from abac.parties.dates import DateError, held
from abac.parties.party import PERSON, Party

INDIRECT = "indirect"


@dataclass
class Told:
    """The stakes of one file so far. `day` is the day as of which they are wanted, None for all that are told."""

    file: str
    day: date | None = None
    faults: list[Diagnostic] = field(default_factory=list)
    parties: dict[str, Party] = field(default_factory=dict)
    digest: str = ""
    records: int = 0
    ended: int = 0
    other: dict[str, int] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _columns: tuple[list[int], list[int], list[int], list[int], list[int]] = field(
        default_factory=lambda: ([], [], [], [], [])
    )
    _shares: dict[str, Bounds | str] = field(default_factory=dict)

    def stake(  # one record, cell by cell
        self, owner: str, owned: str, share: str, line: int, *, since: str = "", until: str = "", kind: str = ""
    ) -> None:
        """Take in a record: who holds of whom, the share as written, and from when to when.

        An indirect stake says that some of it is held through others: at most its share, and perhaps nothing that
        counts; the direct stakes in between, where they are told, speak for themselves.
        """
        self.records += 1
        if not owner or not owned:
            self._fault(line, "stake", f"a stake without {'an owner' if not owner else 'what is owned'}")
            return
        low, high = self._bounds(share, line)
        if self.day is not None and (since or until):
            open_ = self._held(since, until, line)
            if open_ is False:
                self.ended += 1
                return
            low = low if open_ else 0
        if kind and kind.strip().lower().startswith(INDIRECT):
            low = 0
        place, (owners, owneds, lows, highs, lines) = self._places, self._columns
        owners.append(place.setdefault(owner, len(place)))
        owneds.append(place.setdefault(owned, len(place)))
        lows.append(low)
        highs.append(high)
        lines.append(line)

    def _bounds(self, share: str, line: int) -> Bounds:
        found = self._shares.get(share)
        if found is None:
            try:
                found = read_share(share)
            except ShareError as error:
                found = str(error)
            self._shares[share] = found
        if isinstance(found, str):
            self._fault(line, "share", f"{found}; the stake is kept, of unknown size")
            return 0, UNKNOWN
        return found

    def _held(self, since: str, until: str, line: int) -> bool | None:
        try:
            return held(since, until, self.day or date.min)
        except DateError as error:
            self._fault(line, "date", f"{error}; the stake is kept, and may be held or not")
            return None

    def _fault(self, line: int, code: str, message: str) -> None:
        self.faults.append(Diagnostic(Span(self.file, line), code, message))

    def graph(
        self, *, disclosed: bool = False, closed: bool = False, repeated: Repeated = Repeated.EITHER
    ) -> Graph:
        """Return the graph of what was told; parties without a stake are in it too.

        `disclosed`: nobody listed holds what is not on file. `closed`: the owners told of an entity are all it
        has. Persons are not owned by anybody.
        """
        for party in self.parties:
            self._places.setdefault(party, len(self._places))
        names = list(self._places)
        owner, owned, low, high, line = (np.array(column, np.int64) for column in self._columns)
        told: Marks = np.zeros(len(names), np.bool_)
        told[owned] = True
        persons = np.array([(p := self.parties.get(n)) is not None and p.kind == PERSON for n in names], np.bool_)
        return build(
            names,
            owner,
            owned,
            low,
            high,
            line=line,
            closed=told & closed,
            disclosed=persons | disclosed,
            repeated=repeated,
            file=self.file,
        )

    def name(self, entity: str) -> str:
        """Return an entity's name for people: `Acme Ltd (c-1)`, or the id alone."""
        party = self.parties.get(entity)
        return f"{party.name} ({entity})" if party is not None and party.name != entity else entity

    @property
    def tally(self) -> str:
        """Say how many records there were and what became of them."""
        held_ = len(self._columns[0])
        ended = f", {self.ended:,} not held on {self.day}" if self.ended else ""
        other = "".join(f", {n:,} of schema {kind} not used" for kind, n in sorted(self.other.items()))
        return (
            f"{self.file}: {self.records:,} stakes told, {held_:,} used{ended}, "
            f"{len(self._places):,} entities{other}, {len(self.faults):,} faults"
        )
