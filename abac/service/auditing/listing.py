"""Find entries: by kind, answer, time, model, and by subject, through the handles that the key store keeps.

What a person may be told of themself (as Art. 15 GDPR has it) begins here: a subject's id stands in no entry in
the clear, so its entries are those whose sealed fields are under one of its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from abac.audit.clock import micros
from abac.audit.entry import DECISION, Entry
from abac.service.auditing.walking import ALWAYS, Progress, Span, Walked, size_of, walk
from abac.service.store import Store
from abac.storage import inspecting

MODEL = "resource.id"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is None is not asked about. A model is looked for in the clear."""

    kind: str | None = None
    decision: str | None = None
    subject: str | None = None
    model: str | None = None
    span: Span = ALWAYS


def entries(
    store: Store,
    wanted: Wanted,
    *,
    start: int = 0,
    stop: int | None = None,
    opening: bool = False,
    progress: Progress | None = None,
) -> Iterator[Walked]:
    """Yield the entries that are wanted, in the log's order; archived ones are in their archives.

    Only of the places from `start` until before `stop`.
    """
    handles: set[str] | None = None
    if wanted.subject is not None:
        handles = {handle.hex() for handle in store.keys.handles(subject=wanted.subject)}
        if not handles:
            return
    only = wanted.kind == DECISION or wanted.decision is not None or handles is not None
    walked_over = walk(
        store, start=start, stop=stop, span=wanted.span, opening=opening, decisions=only, progress=progress
    )
    for walked in walked_over:
        if _is(walked.entry, wanted, handles):
            yield walked


LOOKED_AT = 20_000
"""Places that one page looks at, however few are wanted."""


class Page(NamedTuple):
    """Entries that are wanted, up to the place `after`; `more` says that the log goes on behind it."""

    entries: list[Walked]
    after: int
    more: bool


def page(store: Store, wanted: Wanted, *, start: int, limit: int, opening: bool = False) -> Page:
    """Return the wanted entries from a place on, `limit` at most, after a bounded number of looks."""
    size = size_of(store)
    if wanted.span.since is not None:
        with store.database.reading() as connection:  # nothing is in the log before it was decided
            start = max(start, inspecting.first_from(connection, micros(wanted.span.since)))
    stop = min(start + LOOKED_AT, size)
    found: list[Walked] = []
    for one in entries(store, wanted, start=start, stop=stop, opening=opening):
        found.append(one)
        if len(found) == limit:
            stop = one.entry.seq + 1
            break
    return Page(found, max(start, stop) - 1, stop < size)


def _is(entry: Entry, wanted: Wanted, handles: set[str] | None) -> bool:
    return (
        (wanted.kind is None or entry.kind == wanted.kind)
        and (wanted.decision is None or entry.decision == wanted.decision)
        and (handles is None or entry.key in handles)
        and (wanted.model is None or model(entry) == wanted.model)
    )


def model(entry: Entry) -> str:
    """Return the model that an entry is about; empty where it names none in the clear."""
    told = entry.attributes.get(MODEL)
    return str(told[0]) if told else ""


def as_json(walked: Walked) -> dict[str, Any]:
    """Return an entry as JSON, as it is stored."""
    read: dict[str, Any] = msgspec.json.decode(walked.data)
    return read
