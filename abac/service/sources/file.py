"""A file that is loaded whole, and again when it changes; what it holds is read by `parquet` and `yaml_file`.

A file that cannot be read whole says nothing: every fault in it is found, with its place, and until it is mended
all that it gives is unknown. What it said before is not served on.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from abac.errors import Diagnostic, FindingsError, Span
from abac.language.sources import SourceDeclaration
from abac.pip.source import NOTHING, Answer, Entity, Failure, FailureKind, Page

SETTLED = 100_000_000
"""Nanoseconds after its last change before which a file is read anew each time: two changes within the grain of
the file system's clock look like one."""


class Contents(Protocol):
    """What a file holds."""

    @property
    def ids(self) -> list[str]:
        """Every id once, by code point."""

    def answer(self, entity_id: str) -> Answer:
        """Return what is said of an entity that is among the ids."""


class ContentsError(FindingsError):
    """A file of attributes that cannot be read."""

    code = "source"


Signature = tuple[int, int, int]
"""Time of change, size and inode: what differs when a file was changed or replaced."""


class _Loaded(NamedTuple):
    signature: Signature | None
    contents: Contents | None
    faults: tuple[Diagnostic, ...]


class FileSource:
    """A source that is one file. It is looked at on every look-up, and loaded when it changed."""

    def __init__(self, declaration: SourceDeclaration, path: Path, load: Callable[[Path], Contents]) -> None:
        """`load` reads the file whole, or raises `ContentsError` with every fault, or `OSError`."""
        self.name, self.category, self.path = declaration.name, declaration.category, path
        self._type, self._load = declaration.type, load
        self._loaded = _Loaded(None, None, ())
        self._turn = threading.Lock()

    def look_up(self, entity: Entity) -> Answer:
        """Return what the file says of an entity."""
        return self._said(self._fresh() or self._reload(), entity)

    async def look_up_soon(self, entity: Entity) -> Answer:
        """Return the same; a file that changed is loaded in a thread."""
        loaded = self._fresh()
        return self._said(await asyncio.to_thread(self._reload) if loaded is None else loaded, entity)

    def entities(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return a page of those the file holds."""
        return self._page(self._fresh() or self._reload(), entity_type, after, limit)

    async def entities_soon(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return the same; a file that changed is loaded in a thread."""
        loaded = self._fresh()
        return self._page(
            await asyncio.to_thread(self._reload) if loaded is None else loaded, entity_type, after, limit
        )

    def faults(self) -> tuple[Diagnostic, ...]:
        """Return every fault of the file as it is now, with its place."""
        return (self._fresh() or self._reload()).faults

    def close(self) -> None:
        """Nothing is held open."""

    def _fresh(self) -> _Loaded | None:
        loaded = self._loaded
        return loaded if loaded.signature is not None and loaded.signature == _signature(self.path) else None

    def _reload(self) -> _Loaded:
        with self._turn:
            loaded = self._fresh() or self._read()
            self._loaded = loaded
            return loaded

    def _read(self) -> _Loaded:
        started = time.time_ns()
        signature = _signature(self.path)
        settled = signature if signature is not None and abs(started - signature[0]) > SETTLED else None
        try:
            return _Loaded(settled, self._load(self.path), ())
        except FindingsError as error:
            return _Loaded(settled, None, error.diagnostics)
        except OSError as error:
            return _Loaded(None, None, (_unreadable(self.path, error),))

    def _said(self, loaded: _Loaded, entity: Entity) -> Answer:
        if loaded.contents is None:
            return Answer({}, (self._failure(loaded),))
        ids = loaded.contents.ids
        at = bisect_right(ids, entity.id)
        return loaded.contents.answer(entity.id) if at and ids[at - 1] == entity.id else NOTHING

    def _page(self, loaded: _Loaded, entity_type: str, after: str, limit: int) -> Page:
        if loaded.contents is None:
            return Page(failure=self._failure(loaded))
        ids, kind = loaded.contents.ids, entity_type or self._type
        start = bisect_right(ids, after) if after else 0
        shown = ids[start : start + limit]
        found = tuple((Entity(self.category, i, kind), loaded.contents.answer(i)) for i in shown)
        return Page(found, shown[-1] if shown and start + limit < len(ids) else None)

    def _failure(self, loaded: _Loaded) -> Failure:
        first = loaded.faults[0]
        kind = FailureKind.UNREACHABLE if first.code == _MISSING else FailureKind.MALFORMED
        more = f" (and {len(loaded.faults) - 1:,} more faults)" if len(loaded.faults) > 1 else ""
        return Failure(self.name, kind, f"{first.message}{more}", place=str(first.span))


def _signature(path: Path) -> Signature | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # on every look-up, and half the price of Path.stat
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


_MISSING = "file"


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    return Diagnostic(Span(str(path)), _MISSING, error.strerror or str(error))
