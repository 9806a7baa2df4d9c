"""pycasbin's own containers, made to notice being changed: models, assertions, policy lists and rows.

Every change leaves a new `stamp` on the assertion it belongs to; whoever compiled under an older one sees that by
identity. The change comes first and the stamp after it, so a reader that takes the stamp before it reads can be
behind by one change, and then knows; it is never behind for good. Objects are adopted in place, so that everybody
who holds the model or the assertion holds the watched one; lists cannot be, and are copied when they come in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Self, SupportsIndex

from casbin.model import Model
from casbin.model.assertion import Assertion


class Row(list[str]):
    """A policy row, or the tokens of a definition, that stamps its assertion when it is changed."""

    __slots__ = ("owner",)
    owner: WatchedAssertion

    def changed(self) -> None:
        """Stamp the assertion."""
        self.owner.stamp = object()

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[Any, ...]:
        return list, (list(self),)  # a copy belongs to nobody


class Rows(list[Row]):
    """A policy list that stamps its assertion when it is changed, and whose rows do."""

    __slots__ = ("owner",)
    owner: WatchedAssertion

    def changed(self) -> None:
        """Stamp the assertion."""
        self.owner.stamp = object()

    def append(self, row: Any, /) -> None:
        """Add a row at the end."""
        list.append(self, _row(row, self.owner))
        self.changed()

    def insert(self, index: SupportsIndex, row: Any, /) -> None:
        """Add a row before another."""
        list.insert(self, index, _row(row, self.owner))
        self.changed()

    def extend(self, rows: Iterable[Any], /) -> None:
        """Add rows at the end."""
        try:
            list.extend(self, (_row(row, self.owner) for row in rows))
        finally:  # what stood before the one that raised is in
            self.changed()

    def __iadd__(self, rows: Iterable[Any], /) -> Self:  # type: ignore[misc,override]  # any iterable
        self.extend(rows)
        return self

    def __setitem__(self, at: Any, value: Any, /) -> None:
        try:
            if isinstance(at, slice):
                list.__setitem__(self, at, [_row(row, self.owner) for row in value])
            else:
                list.__setitem__(self, at, _row(value, self.owner))
        finally:
            self.changed()

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[Any, ...]:
        return list, ([list(row) for row in self],)


def _row(row: Any, owner: WatchedAssertion) -> Row:
    """Return a row that stamps `owner`: the row itself if it does, a copy of a list, and all else as it is."""
    if not isinstance(row, list) or (type(row) is Row and row.owner is owner):
        return row
    watched = Row(row)
    watched.owner = owner
    return watched


def _watch(kind: type[Row | Rows], name: str) -> None:
    plain: Callable[..., Any] = getattr(list, name)

    @wraps(plain)
    def watched(self: Row | Rows, *arguments: Any, **more: Any) -> Any:
        try:
            return plain(self, *arguments, **more)
        finally:  # a sort may raise half way
            self.changed()

    setattr(kind, name, watched)


ADDING = ("__setitem__", "__iadd__", "append", "extend", "insert")
MUTATORS = (*ADDING, "__delitem__", "__imul__", "remove", "pop", "clear", "sort", "reverse")
"""Every method by which a list changes."""

for _name in MUTATORS:
    _watch(Row, _name)
    if _name not in ADDING:
        _watch(Rows, _name)


class WatchedAssertion(Assertion):  # type: ignore[misc]  # casbin ships no types
    """An assertion that changes its stamp with any attribute, and with any row."""

    stamp: object

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "policy" and isinstance(value, list):
            rows = Rows(_row(row, self) for row in value)
            rows.owner = self
            value = rows
        elif name == "tokens":
            value = _row(value, self)
        object.__setattr__(self, name, value)
        object.__setattr__(self, "stamp", object())

    def __deepcopy__(self, memo: dict[int, Any]) -> WatchedAssertion:
        twin = WatchedAssertion.__new__(WatchedAssertion)
        memo[id(self)] = twin
        for name, value in vars(self).items():
            setattr(twin, name, copy.deepcopy(value, memo))
        return twin

    def __setstate__(self, held: dict[str, Any]) -> None:
        for name, value in held.items():
            setattr(self, name, value)


class WatchedModel(Model):  # type: ignore[misc]  # casbin ships no types
    """A model whose new definitions are watched from the start."""

    def add_def(self, sec: str, key: str, value: Any) -> Any:
        """Add a definition as pycasbin does, and watch it."""
        added = super().add_def(sec, key, value)
        adopt_all((self[sec] or {}).values())
        return added


def adopt(model: Any) -> None:
    """Watch a model and all its assertions from now on, in place."""
    if type(model) is Model:
        model.__class__ = WatchedModel
    if isinstance(model, Model):
        for section in model.values():
            adopt_all(section.values())


def adopt_all(assertions: Iterable[Any]) -> None:
    """Watch assertions in place; one of a class of its own is left alone, and counts as never seen before."""
    for assertion in assertions:
        if type(assertion) is Assertion:
            assertion.__class__ = WatchedAssertion
            assertion.policy, assertion.tokens = assertion.policy, assertion.tokens
