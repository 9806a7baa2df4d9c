"""Take some of a program's directives and leave the others, with an error for a name that it does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from abac.compiler.program import Program, select
from abac.errors import NOWHERE, Findings, Span, did_you_mean


def choose(
    program: Program,
    directives: Sequence[str],
    findings: Findings,
    place: Callable[[int], Span] = lambda _: NOWHERE,
) -> Program:
    """Return the program with only the named directives; `place` says where the name of that number stands."""
    known = [d.id for d in program.directives]
    for i, name in enumerate(directives):
        if name not in known:
            hint = did_you_mean(name, known)
            findings.error(place(i), "unknown-directive", f"no directive `{name}`", hint)
    return select(program, [name for name in directives if name in known])
