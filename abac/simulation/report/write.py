"""Put a report's four files into a directory, whole or not at all.

Everything is made in a temporary directory beside the target and flushed to disk; only then does it take its
place, by rename. A new target appears in one step. In a target that exists our four files are replaced one by
one, each atomically, and put back as they were if one cannot be; no other file is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import polars as pl

from abac.simulation.report import entries
from abac.simulation.report.page import render
from abac.simulation.report.people import CAP, write_people
from abac.simulation.report.validate import Report, ReportError, validate

FILES = ("report.html", "report.json", "people.parquet", "people.xlsx")


def write_report(
    report: Report,
    people: pl.DataFrame,
    directory: Path | str,
    *,
    identify: bool = False,
    rows_per_sheet: int = CAP,
) -> list[Path]:
    """Validate the report, write its four files, and return their paths; ReportError where it cannot."""
    validate(report)
    target = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() would follow a symbolic link
    if target.exists() and not target.is_dir():
        raise ReportError("", f"`{directory}` is a file; a report is a directory")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ReportError("", f"`{directory}` cannot be written: {error.strerror}") from error
    try:
        fresh = made / "new"
        fresh.mkdir()
        _fill(fresh, report, people, identify=identify, rows_per_sheet=rows_per_sheet)
        _install(fresh, target, made)
    except OSError as error:
        raise ReportError("", f"`{directory}` cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [target / name for name in FILES]


def as_json(report: Report) -> str:
    """Return report.json: the report's own key order, an indent of 2, finite numbers only, one final newline."""
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _fill(fresh: Path, report: Report, people: pl.DataFrame, *, identify: bool, rows_per_sheet: int) -> None:
    """Write the four files and flush them to disk."""
    (fresh / "report.json").write_text(as_json(report), encoding="utf-8", newline="\n")
    (fresh / "report.html").write_text(render(report), encoding="utf-8", newline="\n")
    synthetic = entries.is_synthetic(report)
    write_people(people, fresh, identify, synthetic=synthetic, rows_per_sheet=rows_per_sheet)
    for name in FILES:
        _flush(fresh / name)
    _flush(fresh)


def _install(fresh: Path, target: Path, made: Path) -> None:
    """Move the files to their place: the whole directory where there is none, else file by file."""
    if not target.exists():
        fresh.rename(target)
    else:
        _replace(fresh, target, made)
    _flush(target)
    _flush(target.parent)


def _replace(fresh: Path, target: Path, made: Path) -> None:
    """Replace our files in the target; on a failure put back those already replaced."""
    for name in FILES:
        if (target / name).is_dir():
            raise IsADirectoryError(21, f"`{name}` is a directory")
    kept = made / "old"
    kept.mkdir()
    done: list[str] = []
    try:
        for name in FILES:
            if (target / name).exists():
                shutil.copy2(target / name, kept / name)
            (fresh / name).replace(target / name)
            done.append(name)
    except BaseException:  # an interrupt too: what was replaced so far is put back
        for name in done:
            if (kept / name).exists():
                (kept / name).replace(target / name)
            else:
                (target / name).unlink()
        raise


def _flush(path: Path) -> None:
    """Force a file's or directory's bytes to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
