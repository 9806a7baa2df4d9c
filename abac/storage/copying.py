"""How the rows of a group get into PostgreSQL: COPY in its binary form, and the rest, in one exchange.

Which statements those are is `rows`' part, how many of them make one exchange `exchange`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from struct import Struct
from typing import Any

from psycopg.errors import DivisionByZero

from abac.storage.exchange import exchange, literal
from abac.storage.group import End, EntryRow, Group, OpeningRow
from abac.storage.rows import CHECKPOINT, HEAD, TILE, beside, ended
from abac.storage.turn import Turn


class PostgresRows:
    """Everything in one exchange: COPY in its binary form for the rows, and the rest beside."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._execute = partial(raw.execute, binary=True)

    def end(self) -> End | None:
        """Return the end of the log, or None where nothing was ever appended."""
        return ended(
            self._execute(HEAD).fetchone(), lambda *tile: self._execute(TILE.replace("?", "%s"), tile).fetchone()
        )

    def write(self, group: Group) -> None:
        """Write a group."""
        self._exchange(group)

    def append(self, turn: Turn, after: str, group: Group, committing: Callable[[End], None]) -> bool:
        """Write and commit a group where the log ends with a checkpoint; return whether it does."""
        found = f"{CHECKPOINT} AND checkpoint = {self._literal(after)}"
        stands = f"SELECT 1 / (SELECT count(*) FROM ({found}) AS found)"  # noqa: S608  # our own names, quoted values
        committing(group.end)
        try:
            self._exchange(group, turn.begin, stands)
        except DivisionByZero:  # how a statement says no, and so undoes all the others
            return False
        return True

    def _exchange(self, group: Group, *first: str) -> None:
        copies = {"abac_entries (seq, id, kind, integrated_at, bytes)": _entries(group.entries)}
        if group.openings:
            copies["abac_openings (seq, key, opening)"] = _openings(group.openings)
        copying = [f"COPY {table} FROM STDIN (FORMAT BINARY)" for table in copies]
        exchange(self._raw, [*first, *map(self._filled, beside(group)), *copying], list(copies.values()))

    def _filled(self, statement: tuple[str, Sequence[Any]]) -> str:
        """Return a statement with its values in it: a simple query takes none beside."""
        text, values = statement
        return text.replace("?", "{}").format(*map(self._literal, values))

    def _literal(self, value: int | str | bytes) -> str:
        return literal(self._raw, value)


_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_ENTRY_START, _ENTRY_END = Struct(">hiqi16si").pack, Struct(">iqi").pack
_OPENING_START = Struct(">hiqi16si").pack


def _entries(rows: Iterable[EntryRow]) -> bytes:
    """Return rows as COPY reads them: the number of fields, then each field's length and bytes."""
    parts = [_SIGNATURE]
    for seq, identity, kind, at, data in rows:
        name = kind.encode()
        parts += (_ENTRY_START(5, 8, seq, 16, identity, len(name)), name, _ENTRY_END(8, at, len(data)), data)
    parts.append(_END)
    return b"".join(parts)


def _openings(rows: Iterable[OpeningRow]) -> bytes:
    """Return rows as COPY reads them."""
    parts = [_SIGNATURE]
    for seq, key, opening in rows:
        parts += (_OPENING_START(3, 8, seq, 16, key, len(opening)), opening)
    parts.append(_END)
    return b"".join(parts)
