"""Values as the engines hold them, and functions of ours as the engines call them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import Parameter, Signature
from typing import Any

from abac.condition.functions import Function
from abac.condition.types import DATETIME, ScalarType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def inward(value: Any) -> Any:
    """Return a value as the engines hold it: a date-time as microseconds since 1970."""
    return (value - EPOCH) // _MICROSECOND if isinstance(value, datetime) else value


def outward(value: Any, kind: ScalarType) -> Any:
    """Return the Python value of what an engine holds."""
    return EPOCH + value * _MICROSECOND if kind == DATETIME else value


def callable_of(function: Function) -> Callable[..., Any]:
    """Return a function for an engine to call: strict, total, over values as the engine holds them."""

    def call(*given: Any) -> Any:
        if any(one is None for one in given):
            return None
        wanted = [outward(v, kind) for v, kind in zip(given, function.parameters, strict=True)]
        return inward(function.value(*wanted))

    names = [Parameter(f"a{n}", Parameter.POSITIONAL_ONLY) for n in range(len(function.parameters))]
    call.__signature__ = Signature(names)  # type: ignore[attr-defined]  # an engine counts them
    return call
