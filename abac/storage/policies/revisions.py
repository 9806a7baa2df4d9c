"""Revisions: programs named by the digest of everything that decides, recorded once and never changed.

The text of a program is kept deflated, whole, with what people are told beside what decides. Reading one back
computes its digest again and refuses another. What puts a revision in force is `publications`'s part.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from abac.audit.entry import read_entry
from abac.compiler.disk import program_text, read_program_text
from abac.compiler.program import Program
from abac.condition.functions import Function
from abac.errors import CompileError
from abac.storage.appending import Appending
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import DRAFT, carry_out, told_events
from abac.storage.policies.errors import (
    PolicyAmbiguousError,
    PolicyChangedError,
    PolicyUnknownError,
    PolicyUnreadableError,
)
from abac.storage.policies.names import told_commit, told_name, told_why
from abac.storage.policies.records import SHORT, Revision
from abac.storage.tables import ENTRIES, REVISIONS

LARGEST = 256 * 1024 * 1024
"""Characters of the longest program text that is read."""

KEPT = 8
"""Programs kept in memory once they were read."""

LEAST = 4
"""Digits that the beginning of a revision has at least."""

DIGITS = 64

_COLUMNS = tuple(c for c in REVISIONS.c if c.name != "program")


class Revisions:
    """The revisions of one database. Share it between threads."""

    def __init__(self, log: DecisionLog, functions: Iterable[Function] = ()) -> None:
        self._log, self._functions = log, tuple(functions)
        self._read: dict[str, Program] = {}
        self._turn = threading.Lock()

    # --- recording -------------------------------------------------------------------------------------------

    def record(self, program: Program, *, who: str, why: str, commit: str = "", base: str = "") -> Revision:
        """Record a program as a draft; one that is recorded already stays as it was, its first author with it.

        `base` is the revision that it was drafted against, or empty. Raises `CompileError` for a program that no
        text can say whole, `PolicyWordsError` for a name, reason or commit that cannot be kept.
        """
        told = told_name(who), told_why(why), told_commit(commit)
        known = self.get(program.revision)
        if known is not None:
            return known
        text = packed(program)
        with self._log.appending() as appending:
            self.put(appending, program, text, *told, base)
        return self[program.revision]

    def put(
        self, appending: Appending, program: Program, text: bytes, who: str, why: str, commit: str, base: str
    ) -> Revision:
        """Record a program, packed before, inside a transaction; names and reason are told already."""
        found = recorded(appending.connection, program.revision)
        if found is not None:  # another process was first
            return found
        what = {
            "base": base,
            "commit": commit,
            "program": {"sha256": hashlib.sha256(unpacked(text)).hexdigest(), "deflated": len(text)},
            "directives": told_events(program.directives),
        }
        beside = {"program": text}
        carry_out(appending, DRAFT, what, who=who, why=why, revision=program.revision, beside=beside)
        made = recorded(appending.connection, program.revision)
        assert made is not None  # noqa: S101  # just written
        return made

    # --- reading ---------------------------------------------------------------------------------------------

    def get(self, revision: str) -> Revision | None:
        """Return what was recorded of a revision, given whole, or None."""
        with self._log.database.reading() as connection:
            return recorded(connection, revision)

    def __getitem__(self, revision: str) -> Revision:
        """Return what was recorded of a revision, given whole or by its beginning.

        Raises `PolicyUnknownError` where there is none, `PolicyAmbiguousError` where several begin so.
        """
        prefix = revision.strip().lower()
        if len(prefix) > DIGITS or set(prefix) - set("0123456789abcdef") or len(prefix) < LEAST:
            message = f"`{revision[:80]}` is no revision: {LEAST} to {DIGITS} hexadecimal digits"
            raise PolicyUnknownError(message)
        query = sa.select(*_COLUMNS).where(REVISIONS.c.revision.startswith(prefix, autoescape=True))
        with self._log.database.reading() as connection:
            found = connection.execute(query.order_by(REVISIONS.c.seq).limit(SHORT)).all()
        if not found:
            raise PolicyUnknownError(f"no revision `{prefix}` was recorded in {self._log.database}")
        if len(found) > 1:
            some = ", ".join(row.revision[: max(SHORT, len(prefix) + 4)] for row in found)
            raise PolicyAmbiguousError(f"`{prefix}` is the beginning of {len(found)} revisions or more: {some}")
        return Revision.of(found[0])

    def all(self) -> list[Revision]:
        """Return every revision, in the order in which they were recorded."""
        with self._log.database.reading() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).order_by(REVISIONS.c.seq))
            return [Revision.of(row) for row in rows]

    def text(self, revision: str) -> str:
        """Return the text of a revision's program, byte for byte as it was recorded: what a program file holds.

        Raises `PolicyChangedError` where it is not what the entry that recorded it says.
        """
        whole, seq = self[revision][:2]
        with self._log.database.reading() as connection:
            raw = connection.scalar(sa.select(REVISIONS.c.program).where(REVISIONS.c.revision == whole))
            entry = connection.scalar(sa.select(ENTRIES.c.bytes).where(ENTRIES.c.seq == seq))
        damage = damaged(raw or b"", entry)
        if damage:
            raise PolicyChangedError(f"the program of revision {whole[:SHORT]} {damage}")
        return unpacked(raw or b"").decode("ascii")

    def program(self, revision: str) -> Program:
        """Return the program of a revision, given whole or by its beginning, its digest computed anew.

        Raises `PolicyUnknownError` where there is none, `PolicyChangedError` where the text is another than was
        recorded, `PolicyUnreadableError` where this version cannot read it: another meaning, a missing function.
        """
        kept = self._read.get(revision)
        if kept is not None:
            return kept
        whole = self[revision].revision
        text = self.text(whole)
        try:
            program = read_program_text(text, f"<revision {whole[:SHORT]}>", self._functions)
        except CompileError as error:
            raise PolicyUnreadableError(f"revision {whole[:SHORT]} does not read: {error}") from error
        if program.revision != whole:
            message = f"the program recorded as {whole[:SHORT]} comes to revision {program.revision[:SHORT]}"
            raise PolicyChangedError(message)
        with self._turn:
            while len(self._read) >= KEPT:
                del self._read[next(iter(self._read))]
            self._read[whole] = program
        return program


def damaged(raw: bytes, entry: bytes | None) -> str:
    """Return how a deflated program differs from what the entry that recorded it says; empty where it does not.

    Without the entry (it was pruned) only the text itself is looked at.
    """
    try:
        text = unpacked(raw)
        text.decode("ascii")
    except (ValueError, zlib.error) as error:
        return f"is damaged: {error}"
    if entry is None:
        return ""
    said = read_entry(entry).what.get("program", {}).get("sha256")
    return "" if hashlib.sha256(text).hexdigest() == said else "is not the one that its entry recorded"


def packed(program: Program) -> bytes:
    """Return a program's text, deflated."""
    return zlib.compress(program_text(program).encode("ascii"), 6)


def unpacked(raw: bytes) -> bytes:
    """Return the text that was deflated. Raises `ValueError` or `zlib.error` where it is not whole."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(raw, LARGEST)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("cut short, too long, or followed by something else")
    return text


def recorded(connection: sa.Connection, revision: str) -> Revision | None:
    """Return what was recorded of a revision, given whole, as a transaction sees it."""
    row: sa.Row[Any] | None = connection.execute(
        sa.select(*_COLUMNS).where(REVISIONS.c.revision == revision)
    ).one_or_none()
    return None if row is None else Revision.of(row)
