"""Export a program, or one of its directives, to stock Casbin.

What is said and what cannot be is `language.casbin_out`'s part.
"""

from __future__ import annotations

from collections.abc import Collection

from abac.compiler.program import Program
from abac.errors import NOWHERE, CompileError, Diagnostic, did_you_mean
from abac.language.casbin_out import CasbinText, casbin_text


def export_casbin(
    program: Program, *, directive: str | None = None, discharges: Collection[str] = ()
) -> CasbinText:
    """Return the program as a Casbin model and rows that stock pycasbin loads. Exported as `abac.export_casbin`.

    `enforce(*text.arguments(values))` is True exactly where `decide` permits a caller who discharges `discharges`,
    for requests that are known throughout; `text.contract` says what a request must hold, `text.unsaid` what is
    not said. With `directive`, the text is what that directive takes away: `enforce` is False where it denies,
    True elsewhere, and grants nothing, so its answer is joined to that of another policy by `and`. Raises
    `CompileError` for a directive that the program does not have.
    """
    known = [d.id for d in program.directives]
    if directive is not None and directive not in known:
        hint = did_you_mean(directive, known)
        raise CompileError(
            [Diagnostic(NOWHERE, "unknown-directive", f"no directive `{directive}`", "error", hint)]
        )
    return casbin_text(
        program.root,
        program.functions,
        directive=directive,
        discharges=discharges,
        revision=program.revision,
    )
