"""What named reviewers decided about possible matches: same or other, with a reason and an expiry.

A disposition is about two records as they stood: it names the digests of both, and lapses when either changes,
and when it expires. It is a line of JSON in a file that only grows; of several about one pair the last one
counts, which is also how one is taken back. Until then a possible match is UNKNOWN; what has lapsed is UNKNOWN
again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from abac.errors import AbacError, Diagnostic, Span
from abac.language import json_source
from abac.language.json_source import JsonError
from abac.parties.party import Party
from abac.screening.match import Candidate, Grade, Match

SAME, OTHER, OPEN = "same", "other", "open"
VERDICTS = (SAME, OTHER, OPEN)
"""One party, two parties, or not decided after all."""
FIELDS = (
    "record",
    "entry",
    "verdict",
    "reviewer",
    "reason",
    "decided",
    "expires",
    "record_digest",
    "entry_digest",
)


class DispositionError(AbacError):
    """A disposition that lacks what makes it one."""

    code = "disposition"


@dataclass(frozen=True, slots=True)
class Disposition:
    """A reviewer's word on whether a record and an entry of a list are one party, from `decided` to `expires`."""

    record: str
    entry: str
    verdict: str
    reviewer: str
    reason: str
    decided: datetime
    expires: datetime
    record_digest: str
    entry_digest: str

    def __post_init__(self) -> None:
        for name in ("record", "entry", "reviewer", "reason"):
            if not getattr(self, name).strip():
                raise DispositionError(f"a disposition needs a {name}")
        if self.verdict not in VERDICTS:
            raise DispositionError(f"`{self.verdict}` is not among {', '.join(VERDICTS)}")
        if self.decided.tzinfo is None or self.expires.tzinfo is None:
            raise DispositionError("times of a disposition need an offset, such as 2027-01-01T00:00:00Z")
        if self.expires <= self.decided:
            raise DispositionError(f"it expires at {self.expires.isoformat()}, before it was decided")

    @classmethod
    def of(
        cls,
        party: Party,
        entry: Party,
        verdict: str,
        reviewer: str,
        reason: str,
        decided: datetime,
        expires: datetime,
    ) -> Disposition:
        """Return a disposition of two records as they are now. Raises `DispositionError`."""
        return cls(party.id, entry.id, verdict, reviewer, reason, decided, expires, party.digest, entry.digest)

    def line(self) -> str:
        """Return the disposition as a line of the file."""
        times = {"decided": self.decided.isoformat(), "expires": self.expires.isoformat()}
        return (
            json.dumps({name: times.get(name) or getattr(self, name) for name in FIELDS}, ensure_ascii=False)
            + "\n"
        )

    def lapsed(self, party: Party, entry: Party, now: datetime) -> str:
        """Return why it does not count now; empty where it does."""
        if self.record_digest != party.digest:
            return "the record has changed since"
        if self.entry_digest != entry.digest:
            return "the list's entry has changed since"
        if now < self.decided:
            return f"it is decided at {self.decided.isoformat()} only"
        return f"it expired at {self.expires.isoformat()}" if now >= self.expires else ""


def read_dispositions(text: str, file: str, faults: list[Diagnostic]) -> dict[tuple[str, str], Disposition]:
    """Return the last disposition of every pair of record and entry; a line that is none is added to `faults`."""
    found: dict[tuple[str, str], Disposition] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = _read(json_source.read(line))
        except (JsonError, DispositionError, ValueError) as error:
            faults.append(Diagnostic(Span(file, number), "disposition", str(error)))
        else:
            found[one.record, one.entry] = one
    return found


def _read(value: Any) -> Disposition:
    if (
        not isinstance(value, dict)
        or set(value) != set(FIELDS)
        or not all(isinstance(v, str) for v in value.values())
    ):
        raise DispositionError(f"a disposition has the texts {', '.join(FIELDS)}, and nothing else")
    times = {name: datetime.fromisoformat(value[name]) for name in ("decided", "expires")}
    return Disposition(**(value | times))


def disposed(
    matches: Iterable[Match], dispositions: dict[tuple[str, str], Disposition], now: datetime
) -> list[Match]:
    """Return the matches with possible candidates decided where a reviewer has done so and it still counts.

    *Same* makes a candidate exact, *other* makes it none; a lapsed one is told in the candidate's `why`.
    """
    return [
        replace(m, candidates=tuple(sorted((_one(m, c, dispositions, now) for c in m.candidates), key=_rank)))
        for m in matches
    ]


def _rank(candidate: Candidate) -> tuple[int, int, str]:
    return -candidate.grade, -candidate.score, candidate.entry.id


def _one(
    match: Match, candidate: Candidate, dispositions: dict[tuple[str, str], Disposition], now: datetime
) -> Candidate:
    word = dispositions.get((match.party.id, candidate.entry.id))
    if word is None or candidate.grade is not Grade.POSSIBLE or word.verdict == OPEN:
        return candidate
    if lapsed := word.lapsed(match.party, candidate.entry, now):
        return replace(candidate, why=f"{candidate.why}; {word.reviewer}'s `{word.verdict}` lapsed: {lapsed}")
    told = (
        f"{candidate.why}; {word.reviewer} decided `{word.verdict}`: {word.reason} (until {word.expires:%Y-%m-%d})"
    )
    return replace(candidate, grade=Grade.EXACT if word.verdict == SAME else Grade.NONE, why=told)
