"""What besides names says that two records are of one party or two: identifiers, kinds, countries, birth dates.

Each kind of evidence agrees, disagrees or is silent. It is silent where either record does not say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from abac.parties.party import OTHER, Party

YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SLACK = 1
"""Years that birth dates may differ by where one of them is only a year: lists round and guess."""
TELLING = 6
"""Letters and digits from which an identifier says something without its kind."""


class Word(Enum):
    """What one kind of evidence says."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What identifiers, kinds, countries and birth dates of two records say of their being one party."""

    identifier: Word
    kind: Word
    country: Word
    born: Word

    @property
    def against(self) -> list[str]:
        """The kinds of evidence that disagree."""
        return [name for name, word in self._each() if word is Word.DISAGREES]

    @property
    def support(self) -> list[str]:
        """The kinds of evidence that agree, a shared kind of party apart: that is no evidence of identity."""
        return [name for name, word in self._each() if word is Word.AGREES and name != "kind"]

    def _each(self) -> list[tuple[str, Word]]:
        return [
            ("identifier", self.identifier),
            ("kind", self.kind),
            ("country", self.country),
            ("birth date", self.born),
        ]


def evidence(one: Party, other: Party) -> Evidence:
    """Return what is known of two records besides their names."""
    kinds = {one.kind, other.kind}
    kind = Word.SILENT if OTHER in kinds else Word.AGREES if len(kinds) == 1 else Word.DISAGREES
    return Evidence(_identifiers(one, other), kind, _shared(one.countries, other.countries), _born(one, other))


def plain(value: str) -> str:
    """Return an identifier as it is compared: letters and digits, in upper case.

    >>> plain("77-01 234/5 a")
    '77012345A'
    """
    return "".join(c for c in value.upper() if c.isalnum())


def _identifiers(one: Party, other: Party) -> Word:
    """Equal values agree, long ones whatever they are called; values of one kind that share none disagree."""
    mine, theirs = ({(kind, plain(v)) for kind, v in party.identifiers if plain(v)} for party in (one, other))
    values = {v for _, v in mine} & {v for _, v in theirs}
    if mine & theirs or any(len(v) >= TELLING for v in values):
        return Word.AGREES
    shared = {kind for kind, _ in mine} & {kind for kind, _ in theirs}
    return Word.DISAGREES if shared else Word.SILENT


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> Word:
    if not one or not other:
        return Word.SILENT
    return Word.AGREES if set(one) & set(other) else Word.DISAGREES


def _born(one: Party, other: Party) -> Word:
    mine, theirs = _dates(one.born), _dates(other.born)
    if not mine or not theirs:
        return Word.SILENT
    return Word.AGREES if any(_same(a, b) for a in mine for b in theirs) else Word.DISAGREES


def _dates(born: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return each birth date that has a year as its text, its first and its last year: `1960 to 1961`."""
    found: list[tuple[str, int, int]] = []
    for text in born:
        years = [int(y) for y in YEAR.findall(text)]
        if years:
            found.append((text, min(years), max(years)))
    return found


def _same(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    if WHOLE_DATE.fullmatch(one[0]) and WHOLE_DATE.fullmatch(other[0]):
        return one[0] == other[0]
    return one[1] <= other[2] + SLACK and other[1] <= one[2] + SLACK
