"""Keep a compiled program in a file: write it whole or not at all, and read it back to the same decisions.

What stands in the file is `compiler.disk`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from abac.compiler.disk import program_text, read_program_text
from abac.compiler.program import Program
from abac.condition.functions import Function
from abac.service.files import refused, write_text
from abac.service.load import compile_policies
from abac.service.workspace import around

MAX_BYTES = 256 * 1024 * 1024
"""The largest program file read."""


def write_program(program: Program, path: str | PathLike[str], *, replace: bool = False) -> None:
    """Write a program to a file in one step. Exported as `abac.write_program`.

    What was written is what `read_program` gives back, in every field of every outcome. An existing file is an
    error unless it may be replaced. Raises `CompileError` where the file cannot be written, or the program holds
    what a file cannot say; nothing is then left behind.
    """
    write_text(Path(path), program_text(program), replace=replace)


def program_at(path: Path) -> Program:
    """Return the program of a program file, or of a folder of policies with the schema and model around it."""
    if path.is_file() and path.suffix not in (".csv", ".yaml", ".yml"):
        return read_program(path)
    near = around(path)
    return compile_policies(near.schema, near.model, [path])


def read_program(
    path: str | PathLike[str], *, functions: Iterable[Function] = (), revision: str | None = None
) -> Program:
    """Read a program that `write_program` wrote. Exported as `abac.read_program`.

    `functions` are those it was compiled with, besides the shipped ones; each that the file names must be there,
    in that version. `revision` is the one that is wanted, where the caller knows it from elsewhere: a file's own
    digest shows damage, and not whose file it is. Raises `CompileError`, with the place, for a file that is not
    whole, is of another format or meaning, or holds what cannot be evaluated. No code in a file is ever run.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise refused(file, "too-long", f"file of more than {MAX_BYTES:,} bytes")
        text = file.read_bytes().decode("ascii")
    except UnicodeDecodeError as error:
        raise refused(file, "encoding", f"not a program: no ASCII at byte {error.start}") from None
    except OSError as error:
        raise refused(file, "file", error.strerror or str(error)) from None
    return read_program_text(text, str(file), functions, revision)
