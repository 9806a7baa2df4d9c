"""Match records against a list: exact, possible or none, each with what it rests on.

1. A shared identifier (tax, registration, passport number, LEI) is *exact*, whatever the names are.
2. Equal names (after `names.normal`) are *exact* of organisations where nothing disagrees, and of persons where a
   country or a birth date agrees besides; *possible* where at most one kind of evidence disagrees; else *none*.
3. Names alike to at least the threshold are *possible*; where one kind of evidence disagrees, only from `STRICTER`
   more; where more do, *none*.
4. A record of which nothing could be compared is *possible*: one without a name or an identifier, or with names
   in scripts that `names` cannot write in Latin letters and that the list has no name in.

Only names that do not disagree are therefore cleared. The score is rapidfuzz's `fuzz.ratio` (the share of
letters that an edit by insertions and deletions keeps, 0 to 100) over tokens in alphabetical order; `measure`
says how often a threshold is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from abac.parties.dates import DateError, held
from abac.parties.party import PERSON, Party
from abac.screening.evidence import Word, evidence, plain
from abac.screening.names import scripts, words
from abac.screening.score import EQUAL, Names

THRESHOLD = 80
"""The least score of names that are alike; `docs/ownership.md` has precision and recall by threshold."""
STRICTER = 7
"""How much more alike names must be where one kind of evidence disagrees."""
KEPT = 5
"""Candidates kept of one row, best first."""
ROWS = 256
"""Rows compared at once: with a list of 100,000 names, a matrix of some 25 MB."""


class Grade(IntEnum):
    """How a record stands to a list, weakest first."""

    NONE = 0
    POSSIBLE = 1
    EXACT = 2

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def truth(self) -> bool | None:
        """What `subject.listed` is: TRUE where exact, FALSE where none, UNKNOWN where possible."""
        return None if self is Grade.POSSIBLE else self is Grade.EXACT


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry of a list that a record may be: how it stands, how alike the names are, and why."""

    entry: Party
    grade: Grade
    score: int
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """A record's answer: the best grade of its candidates, and these, best first."""

    party: Party
    candidates: tuple[Candidate, ...] = ()
    note: str = ""

    @property
    def grade(self) -> Grade:
        """The best of the candidates; possible where a name could be compared with nothing."""
        best = max((c.grade for c in self.candidates), default=Grade.NONE)
        return max(best, Grade.POSSIBLE) if self.note else best


class Listing:
    """A list made ready to be matched against. Share it; it does not change.

    `day`: entries that ended before it, or start after it, do not count; None counts all.
    """

    def __init__(self, entries: Iterable[Party], day: date | None = None) -> None:
        self.entries = [e for e in entries if day is None or _stands(e, day)]
        self._by_identifier: dict[str, list[int]] = defaultdict(list)
        self._bare = {e.id: i for i, e in enumerate(self.entries) if not e.names}
        self.scripts: set[str] = set()
        for i, entry in enumerate(self.entries):
            for _, value in entry.identifiers:
                self._by_identifier[plain(value)].append(i)
            self.scripts |= frozenset().union(*map(scripts, entry.names))
        named = [(i, name) for i, entry in enumerate(self.entries) for name in entry.names]
        self._of = [i for i, _ in named]
        self._names = Names([name for _, name in named])

    def match(
        self, parties: Sequence[Party], threshold: int = THRESHOLD, progress: Callable[[int], None] | None = None
    ) -> list[Match]:
        """Return the answer for every record, in order; `progress` is told how many more are done."""
        found: list[Match] = []
        for start in range(0, len(parties), ROWS):
            rows = parties[start : start + ROWS]
            found += self._matched(rows, threshold)
            if progress is not None:
                progress(len(rows))
        return found

    def _matched(self, rows: Sequence[Party], threshold: int) -> list[Match]:
        asked = [(r, name) for r, party in enumerate(rows) for name in party.names]
        best: list[dict[int, int]] = [{} for _ in rows]
        for (row, _), places in zip(asked, self._names.alike([n for _, n in asked], threshold), strict=True):
            for place, score in places.items():
                entry = self._of[place]
                best[row][entry] = max(best[row].get(entry, 0), score)
        return [self._answer(party, alike, threshold) for party, alike in zip(rows, best, strict=True)]

    def _answer(self, party: Party, alike: dict[int, int], threshold: int) -> Match:
        for _, value in party.identifiers:
            for entry in self._by_identifier.get(plain(value), ()):
                alike.setdefault(entry, 0)
        if party.id in self._bare:
            alike.setdefault(self._bare[party.id], 0)
        graded = [_graded(party, self.entries[e], score, threshold) for e, score in alike.items()]
        ranked = sorted(graded, key=lambda c: (-c.grade, -c.score, c.entry.id))
        return Match(party, tuple(ranked[:KEPT]), self._uncompared(party))

    def _uncompared(self, party: Party) -> str:
        """Return what kept a record from being compared; empty where something of it was, or a list is of ids."""
        told = [name for name in party.names if words(name)]
        if not self._of:
            return ""
        if not told:
            return "" if party.identifiers else "neither a name nor an identifier to compare"
        foreign = [scripts(name) for name in told]
        if any(not s or s & self.scripts for s in foreign):
            return ""
        return f"name in {', '.join(sorted(frozenset().union(*foreign)))} script; the list has none in it"


def _stands(entry: Party, day: date) -> bool:
    """Whether an entry stands on a day; one with a date that cannot be read does."""
    try:
        return held(entry.since, entry.until, day) is not False
    except DateError:
        return True


def _graded(party: Party, entry: Party, score: int, threshold: int) -> Candidate:
    found = evidence(party, entry)
    if not entry.names and entry.id == party.id:
        return Candidate(entry, Grade.EXACT, EQUAL, "the id stands on the list")
    if found.identifier is Word.AGREES:
        return Candidate(entry, Grade.EXACT, score, "an identifier agrees")
    against, support = found.against, found.support
    why = f"names {'equal' if score == EQUAL else f'alike ({score})'}"
    why += f", {' and '.join(support)} agree{'s' if len(support) == 1 else ''}" if support else ""
    why += f", {' and '.join(against)} disagree{'s' if len(against) == 1 else ''}" if against else ""
    if score == EQUAL:
        sure = not against and (support or party.kind != PERSON != entry.kind)
        grade = Grade.EXACT if sure else Grade.POSSIBLE if len(against) <= 1 else Grade.NONE
    elif not against:
        grade = Grade.POSSIBLE
    else:
        grade = Grade.POSSIBLE if len(against) == 1 and score >= threshold + STRICTER else Grade.NONE
    return Candidate(entry, grade, score, why)
