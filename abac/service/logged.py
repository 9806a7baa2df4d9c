"""Read a decision log as a population: its decisions, opened where their keys still exist, for `abac simulate`.

What a population makes of them is `simulation.population.logged`'s part. A subject whose key was destroyed still
made its requests: it counts under a name made from the key's handle, its sealed attributes unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

from abac.audit.asserted import asserted
from abac.audit.clock import moment
from abac.audit.entry import DECISION, Entry, read_entry
from abac.audit.sealing import Opened, unseal
from abac.condition.schema import Category, Schema
from abac.errors import Diagnostic, PopulationError, RequestError, Span
from abac.policy.request import assertions
from abac.service.store import Store
from abac.simulation.catalogue import Catalogue
from abac.simulation.population import ID, Population
from abac.simulation.population.logged import Logged, read_log

MODEL, ACTION = "resource.id", "action.name"

PAGE = 5_000
"""Entries opened at a time."""

Progress = Callable[[int, int], None]
"""Told how many of how many entries were read."""


def log_population(
    store: Store,
    schema: Schema,
    catalogue: Catalogue,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    cut: datetime | None = None,
    progress: Progress | None = None,
) -> Population:
    """Return the population that made the requests decided from `since` until before `until`.

    Raises `PopulationError` where the log holds no use of the catalogue, or is of another schema; and
    `StorageError`, `EntryError` where it cannot be read.
    """
    head = store.log.head()
    size = 0 if head is None else head.size
    read = _requests(store, schema, size, since, until, progress or (lambda *_: None))
    return read_log(read, schema, catalogue, source=f"decision log {store.database}", cut=cut)


def _requests(
    store: Store,
    schema: Schema,
    size: int,
    since: datetime | None,
    until: datetime | None,
    progress: Progress,
) -> Iterator[Logged]:
    for entry, opened in _opened(store, size, progress):
        at = moment(entry.decided_at)
        if (since is None or at >= since) and (until is None or at < until):
            yield _logged(entry, opened, at, schema, str(store.database))


def _opened(store: Store, size: int, progress: Progress) -> Iterator[tuple[Entry, Opened]]:
    """Yield the decisions of the log, each with what of it can be opened."""
    entries = store.log.entries(0, size)
    while page := list(islice(entries, PAGE)):
        first, last = page[0].seq, page[-1].seq
        openings = {o.seq: o for o in store.log.openings(first, last + 1)}
        keys = store.keys.by_handle(o.key for o in openings.values())
        for stored in page:
            if stored.kind != DECISION:
                continue
            entry, opening = read_entry(stored.bytes), openings.get(stored.seq)
            key = None if opening is None else keys.get(opening.key)
            yield entry, Opened() if opening is None or key is None else unseal(entry, opening.opening, key)
        progress(last + 1, size)


def _logged(entry: Entry, opened: Opened, at: datetime, schema: Schema, source: str) -> Logged:
    try:
        held = assertions(asserted(entry, opened), schema)
    except RequestError as error:
        place = Span(f"decision log {source}", 0)
        message = f"entry {entry.seq} is of another schema: {error}"
        raise PopulationError([Diagnostic(place, "other-schema", message)]) from None
    model, action, subject = (str(held[path].value) if path in held else "" for path in (MODEL, ACTION, ID))
    return Logged(
        entry.seq,
        at,
        subject or (f"redacted-{entry.key}" if entry.key else "nobody"),
        {path: a for path, a in held.items() if schema[path].category is Category.SUBJECT and path != ID},
        model,
        action,
        entry.session,
    )
