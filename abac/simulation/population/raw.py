"""What a brought file or table is once it is opened: raw columns, where its rows stand, and what it hashes to.

Opening is done by `sheets` (CSV, XLSX) and `tables` (Parquet, Arrow, databases).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from abac.errors import Diagnostic, Findings, Span

SHOWN = 50
"""Findings of one kind that are worded one by one; the rest of a file's are counted."""


@dataclass(frozen=True)
class Raw:
    """A file as read: its columns as `frame`, and the row that a spreadsheet shows for its first data row."""

    file: str
    frame: pl.DataFrame
    digest: str
    first_row: int = 2

    def span(self, row: int, column: str) -> Span:
        """Return the place of a cell: `row` counts data rows from 0."""
        names = self.frame.columns
        return Span(self.file, self.first_row + row, names.index(column) + 1 if column in names else 1)


def digest_bytes(data: bytes) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def first_line(error: BaseException) -> str:
    """Return the first line of a foreign error, short enough for a finding."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def unreadable(file: str, message: str, findings: Findings, hint: str = "") -> Raw | None:
    """Note that a file cannot be read at all, and return the nothing that was read."""
    findings.error(Span(file, 0), "unreadable", message, hint)
    return None


def note_capped(found: list[Diagnostic], findings: Findings) -> None:
    """Note the first `SHOWN` of what was found, and how many more there are."""
    findings.add(*found[:SHOWN])
    if len(found) > SHOWN:
        end = Span(found[-1].span.file, found[-1].span.line + 1)
        findings.error(end, "more", f"and {len(found) - SHOWN:,} more findings in this file")


def distinct_names(names: Iterable[str], file: str, row: int, findings: Findings) -> bool:
    """Whether every column has a name of its own; what has none, or another's, is noted."""
    seen: set[str] = set()
    sound = True
    for column, name in enumerate(names, 1):
        if not name or name in seen:
            what = f"column `{name}` stands twice" if name else f"column {column} has no name"
            findings.error(Span(file, row, column), "header", what)
            sound = False
        seen.add(name)
    return sound
