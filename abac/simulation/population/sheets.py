"""Open what people keep in spreadsheets: CSV and XLSX, every cell as text.

What a cell means is `cells`'s part; here a row is only held to be as long as its header.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import polars as pl

from abac.errors import Diagnostic, Findings, Span, did_you_mean
from abac.simulation.population.raw import Raw, digest_bytes, distinct_names, first_line, note_capped, unreadable

DELIMITERS = ",;\t"
CELL = 10_000_000
"""The longest cell of a CSV, in characters."""


def read_csv(data: bytes, file: str, findings: Findings) -> Raw | None:
    """Return the text cells of a CSV: UTF-8, comma, semicolon or tab, every row as long as the header."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.error(Span(file, line), "unreadable", "not UTF-8; save the file as `CSV UTF-8`")
        return None
    text = text.rstrip("\r\n") + "\n"  # blank lines at the end are nobody's row
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    before = len(findings.errors)
    names = _csv_shape(text, delimiter, file, findings)
    if len(findings.errors) > before or not distinct_names(names, file, 1, findings):
        return None
    body = text.encode()
    try:
        frame = pl.read_csv(body, separator=delimiter, infer_schema=False, new_columns=names)
    except pl.exceptions.NoDataError:
        frame = pl.DataFrame({name: [] for name in names})
    except pl.exceptions.PolarsError as error:
        findings.error(Span(file), "unreadable", f"not a sound CSV file: {first_line(error)}")
        return None
    return Raw(file, frame, digest_bytes(data))


def _csv_shape(text: str, delimiter: str, file: str, findings: Findings) -> list[str]:
    """Check that every record has as many fields as the header, and return the header."""
    limit = csv.field_size_limit(CELL)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    wrong: list[tuple[int, int]] = []
    try:
        names = next(rows, [])
        width = len(names)
        wrong = [(row, len(fields)) for row, fields in enumerate(rows, 2) if len(fields) != width]
    except csv.Error as error:
        findings.error(Span(file, rows.line_num), "unreadable", f"not a sound CSV file: {error}")
    finally:
        csv.field_size_limit(limit)
    note_capped([_ragged(file, row, fields, names) for row, fields in wrong], findings)
    return names


def _ragged(file: str, row: int, fields: int, names: list[str]) -> Diagnostic:
    short = f"; column `{names[fields]}` is missing" if fields < len(names) else ""
    message = f"row {row} has {fields} fields, the header has {len(names)}{short}"
    return Diagnostic(Span(file, row, min(fields, len(names)) + 1), "ragged-row", message)


def read_xlsx(data: bytes, file: str, findings: Findings, sheet: str | None) -> Raw | None:
    """Return the cells of a sheet as text; a cell that holds an error, such as `#DIV/0!`, is refused."""
    import fastexcel  # noqa: PLC0415  # only who brings a spreadsheet needs it

    try:
        book = fastexcel.read_excel(data)
        if sheet is not None and sheet not in book.sheet_names:
            hint = did_you_mean(sheet, book.sheet_names)
            unreadable(file, f"there is no sheet `{sheet}`", findings, hint)
            return None
        found = book.load_sheet(sheet or 0, header_row=None, skip_rows=0, dtypes="string")
        batch, errors = found.to_arrow_with_errors()
        grid = pl.DataFrame(pl.from_arrow(batch))
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        unreadable(file, f"not a sound XLSX file: {first_line(error)}", findings)
        return None
    if errors and errors.errors:
        note_capped([_cell_error(file, cell) for cell in errors.errors], findings)
        return None
    return _headed(grid, file, digest_bytes(data), findings)


def _cell_error(file: str, cell: Any) -> Diagnostic:
    row, column = cell.offset_position
    what = cell.detail.split("got", 1)[-1].strip(" '")
    return Diagnostic(Span(file, row + 1, column + 1), "cell-error", f"the cell holds an error: {what}")


def _headed(grid: pl.DataFrame, file: str, digest: str, findings: Findings) -> Raw | None:
    """Take the first row that is not blank as the header, and drop blank rows at the end."""
    if not grid.width:
        unreadable(file, "the sheet is empty", findings)
        return None
    blank = grid.select(pl.all_horizontal(pl.all().is_null() | (pl.all().str.strip_chars() == ""))).to_series()
    filled = (~blank).arg_true()
    if not len(filled):
        unreadable(file, "the sheet is empty", findings)
        return None
    header, last = int(filled[0]), int(filled[-1])
    names = [(name or "").strip() for name in grid.row(header)]
    if not distinct_names(names, file, header + 1, findings):
        return None
    frame = grid.slice(header + 1, last - header)
    frame.columns = names
    return Raw(file, frame, digest, header + 2)
