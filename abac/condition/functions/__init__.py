"""Named functions a condition may call: pure, strict, typed, versioned.

A function takes known values and returns one of its result type. UNKNOWN in is UNKNOWN out, and an exception
is UNKNOWN. Those of `SHIPPED` are in every program; an embedder adds its own by passing them to `compile`.
"""

from abac.condition.functions.function import Function
from abac.condition.functions.shipped import SHIPPED

__all__ = ["SHIPPED", "Function"]
