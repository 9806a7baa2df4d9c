"""Match a file of records against a list, with what reviewers disposed of, and write a new disposition down.

The list counts as it stands on a day; dispositions count as of a time. What is wrong with any of the three files
is gathered, and nothing of it stops the rest.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from abac.errors import Diagnostic, did_you_mean
from abac.parties.party import Parties, Party
from abac.parties.reading import TABLES, listed_entries, read_parties
from abac.parties.table import read_rows
from abac.screening.disposition import Disposition, DispositionError, disposed, read_dispositions
from abac.screening.match import Grade, Listing, Match
from abac.service.files import read_text, refused

ADDED = ("listed", "match", "entry", "entry name", "lists", "score", "why")
"""The columns that an answer has after the file's own; `listed` is what `subject.listed` takes."""


@dataclass(frozen=True)
class Screened:
    """The answers for every record of a file, and what is wrong with the files."""

    listing: Parties
    file: Parties
    matches: list[Match]
    faults: list[Diagnostic]
    dispositions: int

    def counts(self) -> dict[str, int]:
        """Return how many records have each grade, strongest first."""
        return {str(grade): sum(m.grade is grade for m in self.matches) for grade in reversed(Grade)}


def screen(
    listing: Path,
    file: Path,
    *,
    now: datetime,
    threshold: int,
    dispositions: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Screened:
    """Match every record of a file against a list as it stands `now`. Raises `PartiesError`."""
    entries, rows = read_parties(listing), read_parties(file)
    faults = [*entries.faults, *rows.faults]
    words = {} if dispositions is None else read_dispositions(read_text(dispositions), str(dispositions), faults)
    ready = Listing(listed_entries(entries), now.date())
    matches = ready.match(list(rows.parties.values()), threshold, progress)
    return Screened(entries, rows, disposed(matches, words, now), faults, len(words))


def dispose(  # the fields of a disposition, by name
    listing: Path,
    file: Path,
    record: str,
    entry: str,
    *,
    verdict: str,
    reviewer: str,
    reason: str,
    expires: datetime,
    now: datetime,
    target: Path,
) -> Disposition:
    """Append a reviewer's word on a record and an entry, as both are now, to the file of dispositions.

    Raises `DispositionError` where the file or the list does not have them, or the word lacks something.
    """
    mine, theirs = _one(read_parties(file), record), _one(read_parties(listing), entry)
    word = Disposition.of(mine, theirs, verdict, reviewer, reason, now, expires)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8", newline="\n") as out:
            out.write(word.line())
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise refused(target, "file", error.strerror or str(error)) from None
    return word


def _one(parties: Parties, name: str) -> Party:
    found = parties.parties.get(name)
    if found is None:
        hint = did_you_mean(name, parties.parties) or "`abac list match` shows the ids"
        raise DispositionError(f"{parties.file} has no `{name}`; {hint}")
    return found


def answer_of(match: Match) -> dict[str, Any]:
    """Return a record's answer as a JSON object."""
    return {
        "id": match.party.id,
        "name": match.party.name,
        "match": str(match.grade),
        "listed": match.grade.truth,
        "digest": match.party.digest,
        "note": match.note,
        "candidates": [
            {
                "entry": c.entry.id,
                "name": c.entry.name,
                "lists": list(c.entry.lists),
                "programs": list(c.entry.programs),
                "match": str(c.grade),
                "score": c.score,
                "why": c.why,
                "digest": c.entry.digest,
            }
            for c in match.candidates
        ],
    }


def as_lines(found: Screened) -> str:
    """Return the answers as JSON Lines."""
    return "".join(json.dumps(answer_of(m), ensure_ascii=False) + "\n" for m in found.matches)


def as_table(found: Screened, file: Path) -> str:
    """Return the answers as CSV: of a table its own columns first, of another file the id and the name."""
    answers = {m.party.place.line: m for m in found.matches} if file.suffix.lower() in TABLES else {}
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    if answers:
        table = read_rows(file)
        out.writerow([*table.header, *(f"screening {name}" if name in table.header else name for name in ADDED)])
        for line, row in table.rows:
            out.writerow([*row, *(_cells(answers[line]) if line in answers else [""] * len(ADDED))])
    else:
        out.writerow(["id", "name", *ADDED])
        for match in found.matches:
            out.writerow([match.party.id, match.party.name, *_cells(match)])
    return text.getvalue()


def as_parquet(found: Screened, file: Path) -> bytes:
    """Return the answers as Parquet: `as_table`'s columns as text, `listed` as a truth value that may be null."""
    frame = pl.read_csv(as_table(found, file).encode(), infer_schema=False)
    truth = {"true": True, "false": False}
    listed = [name for name in (ADDED[0], f"screening {ADDED[0]}") if name in frame.columns][-1]
    frame = frame.with_columns(pl.col(listed).replace_strict(truth, default=None, return_dtype=pl.Boolean))
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def _cells(match: Match) -> list[str]:
    truth = match.grade.truth
    listed = "" if truth is None else str(truth).lower()
    best = match.candidates[0] if match.candidates else None
    if best is None:
        return [listed, str(match.grade), "", "", "", "", match.note]
    lists = "; ".join((*best.entry.lists, *best.entry.programs))
    return [
        listed,
        str(match.grade),
        best.entry.id,
        best.entry.name,
        lists,
        str(best.score),
        best.why or match.note,
    ]
