"""Policies that came over the wire as texts by path: looked over and compiled as a folder of them is.

They are laid out in a folder of their own that nothing in them can lead out of: scenarios, which may name any file
and any database, are left out, and said to be. Findings name files as the sender does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from abac.errors import CompileError, Diagnostic, Findings, FindingsError, Span
from abac.service.check import check
from abac.service.publishing.folder import Compiled, compile_folder
from abac.service.shipped import SCENARIO

MOST = 2_000
"""Files of one upload."""

LONGEST, DEEPEST = 200, 8
"""Characters and parts of a path."""

APART = "scenarios"


def check_texts(texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return every finding of policies given as texts by path. Raises `CompileError` for paths that do not do."""
    with _folder(texts) as (folder, left_out), _named(folder):
        return tuple(sorted({*_as_sent(check([folder], within=folder), folder), *left_out}))


def compile_texts(texts: Mapping[str, str], directives: Sequence[str] = ()) -> Compiled:
    """Return the program of policies given as texts by path; with `directives`, only those of them in it.

    Raises `CompileError` with every error, its place in the words of the sender.
    """
    with _folder(texts) as (folder, left_out), _named(folder):
        made = compile_folder(folder, directives=directives, within=folder)
        return Compiled(made.program, tuple(sorted({*_as_sent(made.warnings, folder), *left_out})))


@contextmanager
def _folder(texts: Mapping[str, str]) -> Iterator[tuple[Path, list[Diagnostic]]]:
    """Give a folder with the texts, which is gone afterwards, and what was left out of it."""
    findings = Findings()
    if len(texts) > MOST:
        findings.error(Span("files", 0), "upload", f"{len(texts):,} files; at most {MOST:,}")
    paths = {name: path for name in texts if (path := _path(name, findings)) is not None}
    _apart_from_folders(paths, findings)
    findings.raise_errors(CompileError)
    with tempfile.TemporaryDirectory(prefix="abac-upload-") as made:
        folder = Path(made)
        (folder / ".git").mkdir()  # nothing above it is looked for
        for name, path in paths.items():
            if APART in path.parts or path.name == SCENARIO:
                message = "scenarios are not looked over here: they stay where their files are"
                findings.warn(Span(name, 0), "left-out", message)
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(texts[name], encoding="utf-8", newline="")
        yield folder, list(findings.warnings)


def _path(name: str, findings: Findings) -> PurePosixPath | None:
    """Return a path below the folder, or None, with a finding, where it is none."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and name == path.as_posix()
    parts = path.parts
    if not plain or not parts or path.is_absolute() or len(name.encode()) > LONGEST or len(parts) > DEEPEST:
        message = f"a path is relative, plain, of at most {LONGEST} bytes and {DEEPEST} parts"
        findings.error(Span(name[:LONGEST], 0), "upload", message)
        return None
    if any(part.startswith(".") for part in parts):
        findings.error(Span(name, 0), "upload", "no part of a path begins with a dot")
        return None
    return path


def _apart_from_folders(paths: Mapping[str, PurePosixPath], findings: Findings) -> None:
    folders = {parent for path in paths.values() for parent in path.parents}
    for name, path in paths.items():
        if path in folders:
            findings.error(Span(name, 0), "upload", "is a file and a folder")


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Let errors name files as the sender does."""
    try:
        yield
    except FindingsError as error:
        raise CompileError(_as_sent(error.diagnostics, folder)) from None


def _as_sent(findings: Iterable[Diagnostic], folder: Path) -> Iterator[Diagnostic]:
    inside, itself = f"{folder}/", str(folder)

    def told(text: str) -> str:
        return text.replace(inside, "").replace(itself, ".")

    for one in findings:
        span = replace(one.span, file=told(one.span.file))
        yield replace(one, span=span, message=told(one.message), hint=told(one.hint))
