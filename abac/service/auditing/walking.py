"""Walk over the decisions of a log, each with what can still be opened of it: page by page, in little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from abac.audit.clock import moment
from abac.audit.entry import DECISION, Entry, read_entry
from abac.audit.errors import EntryError
from abac.audit.sealing import Opened, unseal
from abac.service.store import Store
from abac.storage import inspecting

Progress = Callable[[int], None]

SOME = 500
"""Places that are asked for at a time."""


class Walked(NamedTuple):
    """An entry with its bytes, and what was opened of it: None where nothing is sealed or can be opened."""

    entry: Entry
    data: bytes
    opened: Opened | None


@dataclass(frozen=True, slots=True)
class Span:
    """The time of decisions walked over, half open; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, entry: Entry) -> bool:
        if self.since is None and self.until is None:
            return True
        at = moment(entry.decided_at)
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


ALWAYS = Span()


def size_of(store: Store) -> int:
    """Return how many places the log has."""
    head = store.log.head()
    return 0 if head is None else head.size


def walk(
    store: Store,
    *,
    start: int = 0,
    stop: int | None = None,
    span: Span = ALWAYS,
    opening: bool = False,
    decisions: bool = True,
    progress: Progress | None = None,
) -> Iterator[Walked]:
    """Yield the entries of a range of places and a span of time; with `decisions` no others.

    Places whose entries were archived are passed over. With `opening` each is opened where it can be.
    """
    end = size_of(store) if stop is None else stop
    while start < end:
        with store.database.reading() as connection:
            page = next(inspecting.pages(connection, start, end), None)
        if page is None:
            return
        rows = [inspecting.Row._make(row) for row in page]
        yield from _walked(store, rows, span, opening=opening, decisions=decisions)
        if progress is not None:
            progress(rows[-1].seq + 1 - start)
        start = rows[-1].seq + 1


def walk_places(store: Store, places: Sequence[int]) -> Iterator[Walked]:
    """Yield the decisions at places, each opened where it can be."""
    for start in range(0, len(places), SOME):
        with store.database.reading() as connection:
            rows = inspecting.at_places(connection, places[start : start + SOME])
        yield from _walked(store, rows, ALWAYS, opening=True, decisions=True)


def _walked(
    store: Store, rows: Sequence[inspecting.Row], span: Span, *, opening: bool, decisions: bool
) -> Iterator[Walked]:
    keys = store.keys.by_handle({r.key for r in rows if r.key is not None}) if opening else {}
    for row in rows:
        if decisions and row.kind != DECISION:
            continue
        entry = read_entry(row.data)
        if entry in span:
            key = None if row.key is None else keys.get(row.key)
            opened = None if key is None or row.opening is None else _unsealed(entry, row.opening, key)
            yield Walked(entry, row.data, opened)


def _unsealed(entry: Entry, opening: bytes, key: bytes) -> Opened | None:
    """Return what an opening holds; one that was changed holds nothing: `verify` names it."""
    try:
        return unseal(entry, opening, key)
    except EntryError:
        return None
