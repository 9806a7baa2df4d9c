"""What a function is: pure, strict, typed, versioned, and how it is called.

Which ones every program has is `functions.shipped`'s part. Role links (`g`) are not functions: they are revision
data, and linking turns them into sets. `timeMatch` is none either: it is lowered by `condition.clock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from abac.condition.types import Scalar, ScalarType, TypeClash, Value, admit


@dataclass(frozen=True, slots=True)
class Function:
    """A pure function by name and version; both go into the revision.

    `inspect` holds, by the position of an argument, what refuses a *constant* that nobody can mean there (a
    pattern that does not compile, an address that is none) by raising `ValueError`; the checker asks it.
    """

    name: str
    version: int
    parameters: tuple[ScalarType, ...]
    result: ScalarType
    call: Callable[..., Scalar] = field(compare=False)
    inspect: Mapping[int, Callable[[Any], object]] = field(default_factory=dict, compare=False)

    def value(self, *arguments: Value) -> Value | None:
        """Return the function's value, or None where it raises or gives something of another type."""
        try:
            return admit(self.call(*arguments), self.result)
        except (TypeClash, Exception):  # noqa: BLE001  # DESIGN, Meaning: an exception is UNKNOWN
            return None
