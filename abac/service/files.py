"""Read a small text file with errors that name it, and write one whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from abac.errors import CompileError, Diagnostic, Span

MAX_BYTES = 16 * 1024 * 1024
"""The largest request, letter, mapping or document read here."""


def read_text(path: Path) -> str:
    """Return a UTF-8 text; `CompileError` where the file is missing, too large, a folder, or not UTF-8."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise refused(path, "too-long", f"file of more than {MAX_BYTES:,} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(path, "encoding", f"not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise refused(path, "file", error.strerror or str(error)) from None


def write_text(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a text in one step; an existing file is an error unless it may be replaced."""
    write_bytes(path, text.encode(), replace=replace)


def write_bytes(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file in one step; an existing one is an error unless it may be replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(made).chmod(0o644)
            if replace:
                Path(made).replace(path)
            else:
                os.link(made, path)  # unlike a rename, this never replaces
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(made).unlink()
    except FileExistsError:
        raise refused(path, "exists", "exists already, and is not overwritten") from None
    except OSError as error:
        raise refused(path, "file", error.strerror or str(error)) from None


def beside(file: Path, name: str) -> Path:
    """Return the path that a document names relative to itself, without the `..` that would blur findings."""
    joined = file.parent / name
    tidy = Path(os.path.normpath(joined))
    same = not joined.exists() or (tidy.exists() and tidy.samefile(joined))  # not so across a symbolic link
    return tidy if same else joined


def refused(path: Path, code: str, message: str, hint: str = "") -> CompileError:
    """Return the error that says what is wrong with a file as a whole."""
    return CompileError([Diagnostic(Span(str(path)), code, message, "error", hint)])
