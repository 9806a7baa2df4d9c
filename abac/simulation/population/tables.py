"""Open what machines keep: Parquet, Arrow (Feather, IPC) and tables of a database, every column as it is typed.

Files are decoded by Apache Arrow and checked in full before anything is looked at: a damaged file is refused, it
does not take the process with it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from abac.errors import Findings, Span, did_you_mean
from abac.simulation.population.raw import Raw, digest_bytes, distinct_names, first_line, unreadable

SOUND = (OSError, ValueError, OverflowError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What a damaged file can raise on its way in, beside Arrow's own errors."""
BATCH = 50_000
"""Rows of a database table that are held as Python values at once."""


def read_arrow(data: bytes, file: str, findings: Findings, name: str) -> Raw | None:
    """Return the columns of a Parquet or an Arrow file (`name`), the latter in the file or the stream format."""
    import pyarrow as pa  # noqa: PLC0415  # only who brings such a file needs it
    from pyarrow import ipc, parquet  # noqa: PLC0415  # as above

    try:
        source = pa.BufferReader(data)
        if name == "Parquet":
            table = parquet.read_table(source, page_checksum_verification=True)
        elif data.startswith(b"ARROW1"):
            table = ipc.open_file(source).read_all()
        else:
            table = ipc.open_stream(source).read_all()
        table.validate(full=True)
        if not distinct_names(table.column_names, file, 1, findings):
            return None
        return Raw(file, pl.DataFrame(pl.from_arrow(table)), digest_bytes(data))
    except (*SOUND, pa.ArrowException) as error:
        return unreadable(file, f"not a sound {name} file: {first_line(error)}", findings)


def read_database(url: str, findings: Findings) -> Raw | None:
    """Return the columns of the table named after `#` in an SQLAlchemy URL, in the order of its primary key."""
    import sqlalchemy as sa  # noqa: PLC0415  # only who brings a database needs it

    address, _, name = url.partition("#")
    file = address.split("://", 1)[0] + "://#" + name
    try:
        engine = sa.create_engine(address)
        file = engine.url.render_as_string(hide_password=True) + "#" + name
        if engine.url.get_backend_name() == "sqlite" and not Path(engine.url.database or "").is_file():
            return unreadable(file, "there is no such database file", findings)
        space, _, table_name = name.rpartition(".")
        with engine.connect() as connection:
            known = sa.inspect(connection).get_table_names(schema=space or None)
            if table_name not in known:
                hint = did_you_mean(table_name, known) or "name the table after `#`"
                return unreadable(file, f"there is no table `{table_name}`", findings, hint)
            table = sa.Table(table_name, sa.MetaData(), schema=space or None, autoload_with=connection)
            query = sa.select(table).order_by(*table.primary_key.columns)
            rows = connection.execution_options(yield_per=BATCH).execute(query).partitions()
            frame, digest = _gathered([column.name for column in table.columns], rows)
        engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        return unreadable(file, f"the table cannot be read: {first_line(error)}", findings)
    if not frame.height:
        findings.error(Span(file), "unreadable", "the table has no rows")
        return None
    return Raw(file, frame, digest)


def _gathered(names: list[str], batches: Any) -> tuple[pl.DataFrame, str]:
    """Return the rows as columns, and the SHA-256 of their names and values."""
    content = hashlib.sha256(repr(names).encode())
    parts: list[list[pl.Series]] = [[] for _ in names]
    for batch in batches:
        for column, cells in zip(parts, zip(*batch, strict=True), strict=True):
            content.update(repr(cells).encode())
            column.append(_series(list(cells)))
    columns = [_joined(name, column) for name, column in zip(names, parts, strict=True)]
    return pl.DataFrame(columns), content.hexdigest()


def _series(cells: list[Any]) -> pl.Series:
    """Return a typed column where all cells are of one type, else their text, so that the odd ones are found."""
    types = {type(cell) for cell in cells} - {type(None)}
    if len(types) <= 1:
        try:
            return pl.Series(cells, strict=True)
        except (pl.exceptions.PolarsError, TypeError, OverflowError):
            pass  # such as an integer beyond 64 bits: as text, it is refused with its row
    return pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.String)


def _joined(name: str, parts: list[pl.Series]) -> pl.Series:
    """Return the parts of one column end to end: as they are typed where they agree, else as text."""
    types = {part.dtype for part in parts} - {pl.Null}
    dtype = next(iter(types)) if len(types) == 1 else pl.String() if types else pl.Null()
    frames = [part.cast(dtype).alias(name).to_frame() for part in parts]
    return pl.concat(frames).to_series() if frames else pl.Series(name, [], dtype=dtype)
