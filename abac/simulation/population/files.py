"""Open a brought file as a raw frame: XLSX, CSV, Parquet, Arrow (Feather, IPC) or a table of a database.

A file that cannot be read whole is not read at all. A database is named by its SQLAlchemy URL with the table
after `#`: `sqlite:///people.db#users`, `postgresql+psycopg://host/base#schema.users`. What a cell means is
`cells`'s part.
"""

from __future__ import annotations

from pathlib import Path

from abac.errors import Findings, Span
from abac.simulation.population.raw import Raw, unreadable
from abac.simulation.population.sheets import read_csv, read_xlsx
from abac.simulation.population.tables import read_arrow, read_database

READABLE = (".xlsx", ".csv", ".parquet", ".arrow", ".feather", ".ipc")


def open_raw(source: str | Path, findings: Findings, sheet: str | None = None) -> Raw | None:
    """Return the raw columns of a file or table, or None with what is wrong noted (code `unreadable`)."""
    if "://" in str(source):
        return read_database(str(source), findings)
    path, file = Path(source), str(source)
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        known = f"{', '.join(READABLE)}, or a database URL with `#table`"
        return unreadable(file, f"`{suffix}` is not among {known}", findings)
    try:
        data = path.read_bytes()
    except OSError as error:
        return unreadable(file, f"cannot be opened: {error.strerror}", findings)
    if not data:
        return unreadable(file, "the file is empty", findings)
    match suffix:
        case ".csv":
            raw = read_csv(data, file, findings)
        case ".xlsx":
            raw = read_xlsx(data, file, findings, sheet)
        case _:
            raw = read_arrow(data, file, findings, "Parquet" if suffix == ".parquet" else "Arrow")
    if raw is not None and not raw.frame.height:
        findings.error(Span(file), "unreadable", "the file has no data rows")
        return None
    return raw
