"""Lower `timeMatch(start, end)`: Casbin's question to the clock becomes one to `environment.now`.

pycasbin 2.8 compares the local time of the machine, strictly on both sides, with two times written
`2026-06-12 21:21:00` (`time_match_func`). Nothing below the service layer reads a clock here, and a time without
an offset means nothing: the written times are taken as UTC. `_` leaves a side open.
"""

from __future__ import annotations

from datetime import UTC, datetime

from abac.condition.expr import And, Attribute, Call, Comparison, Condition, Constant, Literal, Order, Term
from abac.condition.schema import Category
from abac.condition.truth import TRUE
from abac.condition.types import DATETIME

NAME = "timeMatch"
OPEN = "_"
FORMAT = "%Y-%m-%d %H:%M:%S"


class ClockError(ValueError):
    """A `timeMatch` that cannot be lowered; `term` is the argument that is wrong, or None for the whole."""

    def __init__(self, message: str, term: Term | None = None) -> None:
        self.term = term
        super().__init__(message)


def lower_time_match(call: Call) -> Condition:
    """Return the comparisons with `environment.now` that a `timeMatch` stands for, untyped.

    Raises `ClockError` for arguments that are not two times, or `_`, written out.
    """
    if len(call.arguments) != 2:  # noqa: PLR2004  # from when, and until when
        raise ClockError(f"`{NAME}` takes 2 arguments, got {len(call.arguments)}")
    now = Attribute(Category.ENVIRONMENT, "now", span=call.span)
    sides = zip((Order.GREATER, Order.LESS), call.arguments, strict=True)
    bounds = [(order, written, _instant(written)) for order, written in sides]
    tests: tuple[Condition, ...] = tuple(
        Comparison(order, now, Constant(at, DATETIME, span=written.span), span=call.span)
        for order, written, at in bounds
        if at is not None
    )
    if len(tests) == 1:
        return tests[0]
    return And(tests, span=call.span) if tests else Literal(TRUE, span=call.span)


def _instant(written: Term) -> datetime | None:
    """Return the time written, as UTC, or None where the side is open."""
    if not isinstance(written, Constant) or not isinstance(written.value, str):
        raise ClockError(f"`{NAME}` takes times written out or fields of the row, not what is asked", written)
    if written.value == OPEN:
        return None
    try:
        return datetime.strptime(written.value, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        message = (
            f"`{written.value[:40]}` is no time of `{NAME}`; write `2026-06-12 21:21:00`, meant as UTC, or `_`"
        )
        raise ClockError(message, written) from None
