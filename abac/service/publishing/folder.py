"""Compile a folder of policies to the program that is to be published, with every error of every file at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from abac.compiler.program import Program
from abac.errors import CompileError, Diagnostic, Findings, Span
from abac.service.check import check
from abac.service.load import compile_policies
from abac.service.selection import choose
from abac.service.workspace import around


class Compiled(NamedTuple):
    """A folder's program, and the warnings of everything in the folder."""

    program: Program
    warnings: tuple[Diagnostic, ...]


def compile_folder(
    folder: Path,
    schema: Path | None = None,
    model: Path | None = None,
    directives: Sequence[str] = (),
    *,
    within: Path | None = None,
) -> Compiled:
    """Return the program of a folder, looked over as `abac check` does: scenarios and test cases too.

    With `directives`, only those of them are in it. Warns of every directive in it that is marked counterfactual:
    it was never issued, and would be in force. `within` is as in `check`. Raises `CompileError` with every error.
    """
    findings = check([folder], schema, model, within=within)
    if any(f.severity == "error" for f in findings):
        raise CompileError(f for f in findings if f.severity == "error")
    near = None if schema is not None else around(folder, model)
    program = compile_policies(
        schema if near is None else near.schema,  # type: ignore[arg-type]  # one of the two is there
        model if near is None else near.model,
        [folder if near is None else near.folder],
    )
    if directives:
        chosen = Findings()
        program = choose(program, list(dict.fromkeys(directives)), chosen, lambda _: Span("--directive", 0))
        chosen.raise_errors(CompileError)
    return Compiled(program, tuple(sorted((*findings, *_imagined(program, folder)))))


def _imagined(program: Program, folder: Path) -> list[Diagnostic]:
    return [
        Diagnostic(
            Span(str(folder), 0),
            "counterfactual",
            f"directive `{d.id}` is marked counterfactual, and would be in force",
            "warning",
            "leave it out: name the others with --directive",
        )
        for d in program.directives
        if d.told("counterfactual")
    ]
