"""Scan a log part after part, in this process or in several, and give the parts in order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from abac.service.auditing.scanning import Scanned, scan
from abac.service.store import Store
from abac.storage.database import Database
from abac.storage.keys import SubjectKeys

PART = 1 << 15
"""Places that are scanned at a time."""

WORTH = 4 * PART
"""Below so many places another process costs more than it saves."""

Progress = Callable[[int], None]


def parts(
    store: Store, stop: int, progress: Progress, *, jobs: int = 1, opening: bool = True
) -> Iterator[Scanned]:
    """Yield the scanned parts of the places before `stop`, in order.

    With more than one job parts are scanned in processes of their own, which is for a program whose main module
    may be imported again; only a database that is in memory is scanned here. Without `opening`
    openings are not opened.
    """
    ranges = ((start, min(start + PART, stop)) for start in range(0, stop, PART))
    in_memory = store.database.is_sqlite and store.database.file is None
    if jobs < 2 or stop < WORTH or in_memory:  # noqa: PLR2004  # one job is this process
        for start, end in ranges:
            yield scan(store.database, store.keys if opening else None, start, end, progress)
        return
    urls = _url(store.database), _url(store.keys.database) if opening else ""
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        waiting: deque[Future[Scanned]] = deque(pool.submit(_part, *urls, *r) for r in islice(ranges, 2 * jobs))
        while waiting:
            part = waiting.popleft().result()
            waiting.extend(pool.submit(_part, *urls, *r) for r in islice(ranges, 1))
            progress(part.stop - part.start)
            yield part


def _part(database: str, keys: str, start: int, stop: int) -> Scanned:
    return scan(*_opened(database, keys), start, stop)


@lru_cache(maxsize=1)
def _opened(database: str, keys: str) -> tuple[Database, SubjectKeys | None]:
    """Open what a process of ours scans; it only reads, and never asks what time it is."""
    own = Database(database, read_only=True)
    if not keys:
        return own, None
    never = datetime.min.replace(tzinfo=UTC)
    return own, SubjectKeys(Database(keys, forgets=True, read_only=True), lambda: never)


def _url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)
