"""Decide one request by a program.

Equal to `policy.reference.decide` in every field of the outcome; the agreement tests hold it to that. The way
there is part of the compiled program.
"""

from __future__ import annotations

from abac.compiler.program import Program
from abac.policy.decision import Outcome
from abac.policy.request import Request

_NONE: frozenset[str] = frozenset()


def decide(program: Program, request: Request, discharges: frozenset[str] = _NONE) -> Outcome:
    """Return the outcome of `request` under `program`.

    `discharges` names the obligations that the caller will carry out: a PERMIT that owes another is not
    `permitted`. Raises `RequestError`, with the path, for a value that is not of its attribute's type or an
    attribute the schema does not have.
    """
    run = program.run  # called through a local name: half the cost of a call through an attribute
    return run(request, discharges)
