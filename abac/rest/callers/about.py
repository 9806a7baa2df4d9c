"""Which resources a key may ask about: every one of a type, or single ones.

`model` is every resource of that type, `model=fable-5` one of them. A key of which nothing is said may ask about
everything. What else a key may do is its roles' part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from abac.rest.problems import forbidden

WORD = r"^[^=]+(=.+)?$"
"""What names resources: a type, or a type and an id."""


class Named(NamedTuple):
    """A resource by its type and id; where the id is None, every one of the type."""

    kind: str
    id: str | None

    def __str__(self) -> str:
        return self.kind if self.id is None else f"{self.kind}={self.id}"


About = frozenset[Named]


def read_about(words: Iterable[str]) -> About:
    """Return the resources that words name. Raises `ValueError`.

    >>> sorted(read_about(["tool", "model=fable-5"]))
    [Named(kind='model', id='fable-5'), Named(kind='tool', id=None)]
    """
    found = set()
    for word in words:
        kind, equals, identity = word.partition("=")
        if not kind or (equals and not identity):
            raise ValueError(f"`{word}` names no resources: write `TYPE`, or `TYPE=ID`")
        found.add(Named(kind, identity if equals else None))
    if not found:
        raise ValueError("a key that may ask about nothing is none; leave `about` out for everything")
    return frozenset(found)


def covers(about: About, kind: str, identity: str) -> bool:
    """Return whether a resource is among those."""
    return (kind, None) in about or (kind, identity) in about


def within(about: About | None, bound: About | None) -> bool:
    """Return whether all that `about` covers, `bound` does too; None is everything."""
    if bound is None or about is None:
        return bound is None
    return all((one.kind, None) in bound or one in bound for one in about)


def ids(about: About, kind: str) -> list[str] | None:
    """Return the ids of a type that may be asked about, in order; None where all of them may."""
    return None if (kind, None) in about else sorted(one.id for one in about if one.kind == kind and one.id)


def check(about: About | None, kind: str, identity: str, properties: Mapping[str, Any] | None, typed: str) -> None:
    """Raise a 403 `Problem` for a resource that a key may not ask about.

    `typed` is the attribute that a type becomes: as a property it would name another type than the one looked at.
    """
    if about is None:
        return
    if not covers(about, kind, identity):
        raise forbidden("this key may not ask about this resource")
    if typed and properties and typed in properties:
        raise forbidden(f"this key names a resource's type in `type` only, not in the property `{typed}`")
