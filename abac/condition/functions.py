"""Named functions a condition may call: pure, strict, typed, versioned.

A function takes known values and returns one of its result type. UNKNOWN in is UNKNOWN out, and an exception
is UNKNOWN. `key_match`, `key_match2` and `starts_with` are shipped; an embedder adds its own by passing them to
`compile`. Role links (`g`) are not functions: they are revision data, and linking turns them into sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from abac.condition.types import BOOL, STRING, Scalar, ScalarType, TypeClash, Value, admit


@dataclass(frozen=True, slots=True)
class Function:
    """A pure function by name and version; both go into the revision."""

    name: str
    version: int
    parameters: tuple[ScalarType, ...]
    result: ScalarType
    call: Callable[..., Scalar] = field(compare=False)

    def value(self, *arguments: Value) -> Value | None:
        """Return the function's value, or None where it raises or gives something of another type."""
        try:
            return admit(self.call(*arguments), self.result)
        except (TypeClash, Exception):  # noqa: BLE001  # DESIGN, Meaning: an exception is UNKNOWN
            return None


def key_match(key: str, pattern: str) -> bool:
    """Casbin's keyMatch: `*` in the pattern stands for any rest.

    >>> key_match("/models/fable-5", "/models/*"), key_match("/models", "/models/*")
    (True, False)
    """
    head, star, _ = pattern.partition("*")
    return key.startswith(head) if star else key == pattern


def key_match2(key: str, pattern: str) -> bool:
    """Casbin's keyMatch2 on path patterns: `:name` stands for one segment, `*` for one or more, whole ones.

    What else pycasbin's regular expression would read into a pattern (a dot, brackets) stands for itself here. The
    cost is at most the product of the two numbers of segments; nothing backtracks.

    >>> key_match2("/orgs/a/keys", "/orgs/:org/keys"), key_match2("/orgs/a/b", "/orgs/:org")
    (True, False)
    >>> key_match2("/orgs/a/b/keys", "/orgs/*/keys"), key_match2("/orgs", "/orgs/*")
    (True, False)
    """
    parts = key.split("/")
    reached = {0}
    for wanted in pattern.split("/"):
        if wanted == "*":
            reached = set(range(min(reached) + 1, len(parts) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(parts) and _is_segment(parts[at], wanted)}
    return len(parts) in reached


def _is_segment(part: str, wanted: str) -> bool:
    return part == wanted or (wanted.startswith(":") and len(wanted) > 1 and part != "")


SHIPPED: Mapping[str, Function] = {
    f.name: f
    for f in (
        Function("keyMatch", 1, (STRING, STRING), BOOL, key_match),
        Function("keyMatch2", 1, (STRING, STRING), BOOL, key_match2),
        Function("startsWith", 1, (STRING, STRING), BOOL, str.startswith),
        Function("lower", 1, (STRING,), STRING, str.lower),
    )
}
"""The functions every program has."""
