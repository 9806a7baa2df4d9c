"""Hand the log to other programs: JSON Lines, CSV or Parquet, a row an entry, streamed in little memory.

JSON Lines holds entries as they are; CSV and Parquet have a column for each thing that every decision says, and
what differs between entries as JSON. Sealed fields are commitments, unless they are to be disclosed: then the
opened value stands beside, where it can still be opened.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from abac.service.auditing.errors import NamesError
from abac.service.auditing.reading import values
from abac.service.auditing.walking import ALWAYS, Progress, Span, Walked, walk
from abac.service.files import refused
from abac.service.store import Store

FORMATS = ("jsonl", "csv", "parquet")

COLUMNS = (
    *("seq", "id", "kind", "integrated_at", "decided_at", "decision", "extended", "permitted"),
    *("revision", "commit", "posture", "request_id", "session", "who", "approver", "why"),
    *("attributes", "reasons", "unknown", "obligations", "advice", "what", "sealed", "key", "disclosed"),
)
"""The columns of CSV and Parquet; from `attributes` on they are JSON, but for `key`."""

_NESTED = frozenset(COLUMNS[16:]) - {"key"}

ROWS = 5_000
"""Rows of one group of a Parquet file."""


class Sink(Protocol):
    """Takes rows."""

    def write(self, walked: Walked, opened: dict[str, Any]) -> None:
        """Write an entry, with the fields that were opened."""

    def close(self) -> None:
        """Write what is left."""


def export(
    store: Store,
    form: str,
    out: Path,
    *,
    span: Span = ALWAYS,
    disclose: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write every entry of a span of time to a new file, whole or not at all; return how many."""
    if form not in FORMATS:
        raise NamesError(f"`{form}` is no format: {', '.join(FORMATS)}")
    number = 0
    with _whole(out) as partial:
        sink = _SINKS[form](partial)
        for walked in walk(store, span=span, opening=disclose, decisions=False, progress=progress):
            opened = values(walked.opened) if disclose and walked.opened is not None else {}
            sink.write(walked, opened)
            number += 1
        sink.close()
    return number


@contextlib.contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give a path to write to that becomes the file at the end; an existing file is refused."""
    if out.exists():
        raise refused(out, "exists", "exists already, and is not overwritten")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
        os.close(handle)
        partial = Path(name)
        try:
            yield partial
            os.link(partial, out)  # unlike a rename, this never replaces
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise refused(out, "file", error.strerror or str(error)) from None


class _JsonLines:
    """The entries' own bytes, one a line; with opened fields under `disclosed`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, walked: Walked, opened: dict[str, Any]) -> None:
        line = walked.data
        if opened:
            line = line[:-1] + b',"disclosed":' + msgspec.json.encode(opened) + b"}"
        self._file.write(line + b"\n")

    def close(self) -> None:
        self._file.close()


class _Csv:
    """A header and a line an entry, as RFC 4180 writes them; nothing that a spreadsheet takes for a formula."""

    def __init__(self, path: Path) -> None:
        self._file: io.TextIOWrapper = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def write(self, walked: Walked, opened: dict[str, Any]) -> None:
        self._writer.writerow([_harmless(one) for one in _cells(walked, opened)])

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Groups of rows; places as integers, `permitted` as a truth, everything else as text."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa  # noqa: PLC0415  # an extra, for this format alone
        import pyarrow.parquet as pq  # noqa: PLC0415  # as above

        types = {"seq": pa.int64(), "permitted": pa.bool_()}
        self._schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._batch = pa.RecordBatch
        self._rows: list[dict[str, Any]] = []

    def write(self, walked: Walked, opened: dict[str, Any]) -> None:
        self._rows.append(dict(zip(COLUMNS, _cells(walked, opened), strict=True)))
        if len(self._rows) >= ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(self._batch.from_pylist(self._rows, schema=self._schema))
            self._rows = []


_SINKS: dict[str, Callable[[Path], Sink]] = {"jsonl": _JsonLines, "csv": _Csv, "parquet": _Parquet}


def _cells(walked: Walked, opened: dict[str, Any]) -> list[Any]:
    return [_cell(name, opened if name == "disclosed" else getattr(walked.entry, name)) for name in COLUMNS]


def _cell(name: str, value: Any) -> Any:
    if name not in _NESTED:
        return value
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False) if value else ""


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet runs: text that begins as a formula does gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
