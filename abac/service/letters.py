"""Draft a directive from an earlier one when a letter arrives: its digest, its time of receipt, nothing in force.

The letter itself is not kept; its SHA-256 proves later which one it was. What the letter says is for people to
enter: the draft repeats the old clauses so that they can be compared.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from abac.condition.types import DATETIME, TypeClash, admit
from abac.errors import CompileError, Diagnostic, Findings, Span, did_you_mean
from abac.language import document, yaml_source
from abac.service.files import read_text, refused, write_text
from abac.service.shipped import shipped
from abac.service.workspace import around

PREFACE = """\
# A draft from `{old}`, not in force: `status` is empty. Before it is published, read the clauses, exemptions
# and authority against the letter, say how firm it is, add the evidence it gives (none was carried over) and the
# events.
"""
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft's id and text, and the file of the directive it was made from."""

    id: str
    text: str
    source: Path


def draft(source: str, letter: Path, received: str, name: str | None = None) -> Draft:
    """Return a draft of the directive `source` (an id or a file); `CompileError` where anything is amiss."""
    digest = _digest(letter)
    moment = _moment(received)
    path, value = _source(source)
    old = value["directive"]
    new = name or f"{old}-{moment:%Y-%m-%d}"
    if not ID.match(new) or new == old:
        raise _bad("--id", f"`{new}` cannot be the id of a draft from `{old}`")
    changed = {key: part for key, part in value.items() if key not in ("evidence", "times", "status", "letter")}
    changed["directive"] = new
    clauses = {key: changed.pop(key) for key in list(changed) if key not in _HEAD}
    told = {
        "times": {"received": _written(moment)},
        "status": [],
        "letter": {"sha256": digest, "note": letter.name},
    }
    text = yaml.safe_dump(changed | told | clauses, sort_keys=False, allow_unicode=True, width=110)
    return Draft(new, PREFACE.format(old=old) + text, path)


_HEAD = ("directive", "title", "kind", "binding", "counterfactual", "firmness", "authority")


def write(made: Draft, target: Path | None = None) -> Path:
    """Write a draft beside the directive it was made from, or to `target`; never over an existing file."""
    installed = "_shipped" in made.source.parts  # inside the wheel: nobody's working copy
    path = target or (Path() if installed else made.source.parent) / f"{made.id}.yaml"
    write_text(path, made.text)
    return path


def _digest(letter: Path) -> str:
    try:
        with letter.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise refused(letter, "file", error.strerror or str(error)) from None


def _moment(received: str) -> datetime:
    try:
        moment = admit(received, DATETIME)
    except TypeClash as clash:
        raise _bad("--received", str(clash)) from None
    assert isinstance(moment, datetime)  # noqa: S101  # a date-time type admits date-times
    return moment.astimezone(UTC)


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _source(source: str) -> tuple[Path, dict[str, Any]]:
    """Return the file of a directive and its document, sound by the published schema."""
    path = Path(source) if Path(source).is_file() else _by_id(source)
    findings = Findings()
    found = yaml_source.read(read_text(path), str(path), findings)
    if found is not None:
        document.validate(found, "directive", findings)
    findings.raise_errors(CompileError)
    assert found is not None  # noqa: S101  # no errors, so there is one
    return path, found.value


def _by_id(name: str) -> Path:
    known = {_id(path): path for folder in _folders() for path in sorted(folder.rglob("*.yaml"))}
    if name not in known:
        ids = sorted(n for n in known if n)
        raise _bad("--from", f"no directive `{name}`", did_you_mean(name, ids) or f"there are {', '.join(ids)}")
    return known[name]


def _folders() -> list[Path]:
    """Return where directives are looked for; the later folder wins: the shipped ones, then the nearest."""
    folders = [shipped("policies") / "directives"]
    try:
        folders.append(around(Path()).folder)
    except CompileError:
        return folders
    return folders


def _id(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    match = re.search(rb"^directive:[ ]*['\"]?([^'\"\s#]+)", head, re.MULTILINE)
    return match.group(1).decode(errors="replace") if match else ""


def _bad(what: str, message: str, hint: str = "") -> CompileError:
    return CompileError([Diagnostic(Span(what, 0, 0), "draft", message, "error", hint)])
