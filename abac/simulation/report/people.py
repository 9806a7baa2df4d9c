"""Write who is affected: people.parquet with every row, people.xlsx with as many as a person can use.

One row per subject and directive whose answer changed. Without `identify` a column outside the agreed ones is
refused, so that nationality cannot slip in. Excel holds 1,048,576 rows a sheet; the sheets here are capped far
below, and the first sheet says what each leaves out. Making pseudonyms is the simulation's part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from abac.simulation.report.validate import ReportError

COLUMNS = ("subject", "directive", "before", "after", "models", "reason", "kind", "relation")
CAP = 5_000
"""Rows a sheet of people.xlsx shows unless told otherwise."""

_LONGEST = 32_767
"""Characters a cell of Excel can hold."""
_CREATED = datetime(2026, 1, 1)  # noqa: DTZ001 - the workbook's metadata has no offset; fixed for equal bytes
_WIDTHS = {"subject": 22, "directive": 24, "before": 12, "after": 20, "models": 30, "reason": 70}


def write_people(
    frame: pl.DataFrame,
    directory: Path,
    identify: bool,
    *,
    synthetic: bool = False,
    rows_per_sheet: int = CAP,
) -> list[Path]:
    """Write people.parquet and people.xlsx into an existing directory and return their paths.

    Rows keep the frame's order; a capped sheet holds the first of its directive. Memory does not grow with the
    workbook: it is streamed row by row.
    """
    _check(frame, identify=identify)
    parquet, workbook = directory / "people.parquet", directory / "people.xlsx"
    said = {"abac.synthetic": str(synthetic).lower(), "abac.identified": str(identify).lower()}
    frame.write_parquet(parquet, metadata=said)
    _write_workbook(frame, workbook, synthetic=synthetic, identify=identify, cap=rows_per_sheet)
    return [parquet, workbook]


def _check(frame: pl.DataFrame, *, identify: bool) -> None:
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ReportError("people", f"the frame lacks {', '.join(missing)}")
    extra = [name for name in frame.columns if name not in COLUMNS]
    if extra and not identify:
        raise ReportError("people", f"{', '.join(extra)} may be written only with identify")


def _write_workbook(frame: pl.DataFrame, path: Path, *, synthetic: bool, identify: bool, cap: int) -> None:
    counts = frame.group_by("directive", maintain_order=True).len().rows()
    titles = dict(zip((str(name) for name, _ in counts), _titles(str(name) for name, _ in counts), strict=True))
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        mark = "SYNTHETIC: generated data, no real person. " if synthetic else ""
        book.set_properties({"title": f"{mark}Who is affected", "comments": mark, "created": _CREATED})
        bold = book.add_format({"bold": True})
        about = book.add_worksheet("About")
        about.set_column(0, 0, 30)
        about.set_column(1, 3, 16)
        for at, row in enumerate(_about(counts, titles, synthetic=synthetic, identify=identify, cap=cap)):
            for column, value in enumerate(row):
                _cell(about, at, column, value, bold if at in {0, 1} else None)
        for name, _ in counts:
            part = frame.lazy().filter(pl.col("directive").eq_missing(name)).head(cap).collect()
            _sheet(book, titles[str(name)], part, mark, bold)


def _about(
    counts: list[Any], titles: dict[str, str], *, synthetic: bool, identify: bool, cap: int
) -> Iterator[tuple[str | int, ...]]:
    """Give the rows of the first sheet: what this is, and what each sheet leaves out."""
    yield ("SYNTHETIC" if synthetic else "Who is affected",)
    yield ("Generated data. No real person is in this file." if synthetic else "One population, as brought.",)
    yield ("One row per subject and directive whose answer changed, with the reason.",)
    yield ("Subjects are identified." if identify else "Subjects are pseudonyms; no nationality is in this file.",)
    yield ("A denial by a directive that sorts by nationality can tell one all the same: keep it close.",)
    yield (f"Each sheet shows at most {cap:,} rows. people.parquet beside this file holds all of them.",)
    yield ("",)
    yield ("Directive", "Sheet", "Rows in all", "Rows left out")
    for name, rows in counts:
        yield (str(name), titles[str(name)], rows, max(0, rows - cap))


def _sheet(book: Any, title: str, part: pl.DataFrame, mark: str, bold: Any) -> None:
    """Write one directive's rows; cells are text whatever they start with, never formulas or links."""
    sheet = book.add_worksheet(title)
    top = 1 if mark else 0
    for column, name in enumerate(part.columns):
        sheet.set_column(column, column, _WIDTHS.get(name, 16))
    if mark:
        sheet.write_string(0, 0, mark.strip(), bold)
    sheet.freeze_panes(top + 1, 1)
    for column, name in enumerate(part.columns):
        sheet.write_string(top, column, name, bold)
    texts = part.select(pl.all().cast(pl.String).fill_null("").str.slice(0, _LONGEST))
    write = sheet.write_string
    for at, row in enumerate(texts.iter_rows(), top + 1):
        for column, value in enumerate(row):
            write(at, column, value)
    if part.height:
        sheet.autofilter(top, 0, top + part.height, len(part.columns) - 1)


def _cell(sheet: Any, row: int, column: int, value: str | int, form: Any) -> None:
    if isinstance(value, int):
        sheet.write_number(row, column, value, form)
    else:
        sheet.write_string(row, column, value, form)


def _titles(names: Iterator[str]) -> list[str]:
    r"""Return sheet names as Excel takes them: at most 31 characters, none of `[]:*?/\`, all different.

    >>> _titles(iter(["d1", "D1", "a/b", "history"]))
    ['d1', 'D1 2', 'a-b', 'history 2']
    """
    taken = {"about", "history"}
    titles = []
    for name in names:
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "-", name).strip("' ")[:31] or "directive"
        title, number = plain, 2
        while title.lower() in taken:
            tail = f" {number}"
            title, number = plain[: 31 - len(tail)] + tail, number + 1
        taken.add(title.lower())
        titles.append(title)
    return titles
