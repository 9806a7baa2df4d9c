"""Hold a report to its published JSON Schema, and to what a schema cannot say.

Covers the shape (`schema.json`), finite numbers, ordered bounds, one entry per directive, posture and
yardstick, and that a report of known truth has no bounds. Whether the numbers are right is the simulation's part.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from abac.errors import AbacError

Report = Mapping[str, Any]


class ReportError(AbacError):
    """A report that cannot be shown or written. `path` is the way to the offending value (`options[0]`)."""

    code = "report"

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}" if path else message)


@cache
def schema() -> dict[str, Any]:
    """Return the published JSON Schema of report.json (draft 2020-12, no reference outside itself)."""
    text = files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validate(report: Report) -> None:
    """Raise ReportError with the JSON path of the first thing wrong, in document order; else return."""
    found = sorted(_validator().iter_errors(report), key=lambda e: [str(part) for part in e.absolute_path])
    if found:
        deepest = _deepest(found[0])
        raise ReportError(json_path(deepest.absolute_path), deepest.message)
    if "stress" in report:
        validate_stress(report["stress"])
    for path, message in _inconsistent(report):
        raise ReportError(path, message)


def validate_stress(stress: Report) -> None:
    """Raise ReportError with the path of the first thing in a stress test that breaks its own schema."""
    for error in Draft202012Validator(stress_schema()).iter_errors(stress):
        raise ReportError(json_path(["stress", *error.absolute_path]), error.message)


@cache
def stress_schema() -> dict[str, Any]:
    """Return the published JSON Schema of a stress test: stress.json, and the section `stress` of a report."""
    text = files(__package__).joinpath("stress.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def json_path(parts: Any) -> str:
    """Write the way to a value as `directives[3].blocked.people`.

    >>> json_path(["directives", 3, "blocked"])
    'directives[3].blocked'
    """
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "report"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _deepest(error: Any) -> Any:
    """Return the innermost cause of a failed `oneOf` that fits the value's own type, else the error itself."""
    while error.context:
        inner = [e for e in error.context if e.validator != "type" or len(e.relative_path)]
        if not inner:
            return error
        error = inner[0]
    return error


def _inconsistent(report: Report) -> Iterator[tuple[str, str]]:
    yield from _numbers(report, (), exact=report["truth"] == "known")
    seen: set[tuple[str, str, str]] = set()
    for at, entry in enumerate(report["directives"]):
        key = (entry["id"], entry["posture"], entry["yardstick"])
        if key in seen:
            yield f"directives[{at}]", f"a second entry for {' x '.join(key)}"
        seen.add(key)
    ids = {entry["id"] for entry in report["directives"]}
    if ids and report.get("in_force", next(iter(ids))) not in ids:
        yield "in_force", f"`{report['in_force']}` is not among the directives"


def _numbers(value: Any, path: tuple[str | int, ...], *, exact: bool) -> Iterator[tuple[str, str]]:
    match value:
        case float() if not math.isfinite(value):
            yield json_path(path), "not a finite number"
        case {"low": low, "high": high} if path[:1] != ("assumptions",):
            if exact and path[:1] != ("layers",):  # a log's people have no truth, whoever else is studied
                yield json_path(path), "a bound in a report whose truth is known"
            at = value.get("point")
            if low > high or (at is not None and not low <= at <= high):
                yield json_path(path), "the bound is out of order: low, point, high"
        case Mapping():
            for name, inner in value.items():
                yield from _numbers(inner, (*path, name), exact=exact)
        case list():
            for place, inner in enumerate(value):
                yield from _numbers(inner, (*path, place), exact=exact)
