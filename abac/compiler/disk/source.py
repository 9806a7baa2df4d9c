"""Checked steps through JSON that somebody else may have written: every value knows the way to it.

What a value of a program means is the part of the modules that read it; here it is only said what it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from abac.condition.types import describe
from abac.errors import did_you_mean

T = TypeVar("T")


class Refused(Exception):  # noqa: N818  # control flow inside `disk`: it becomes a finding with the file's name
    """A value that a program file cannot hold: the way to it, and why."""

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True, slots=True)
class At:
    """A JSON value and the way to it."""

    value: Any
    path: str = "program"

    def refuse(self, message: str) -> NoReturn:
        """Raise `Refused` about this value."""
        raise Refused(self.path, message)

    def fields(self, *needed: str, optional: Iterable[str] = ()) -> dict[str, At]:
        """Return the members of an object that has all the needed keys and none but the optional ones besides."""
        members = self.members()
        for key in needed:
            if key not in members:
                self.refuse(f"no `{key}`")
        for key in members:
            if key not in needed and key not in optional:
                hint = did_you_mean(key, [*needed, *optional])
                self.refuse(f"unknown key `{key[:80]}`" + (f"; {hint}" if hint else ""))
        return members

    def members(self) -> dict[str, At]:
        """Return the members of an object with any keys."""
        if type(self.value) is not dict:
            self.refuse(f"expected an object, got {describe(self.value)}")
        return {key: At(value, f"{self.path}.{key[:80]}") for key, value in self.value.items()}

    def items(self, number: int | None = None) -> list[At]:
        """Return the items of an array, of that many if a number is given."""
        if type(self.value) is not list:
            self.refuse(f"expected an array, got {describe(self.value)}")
        if number is not None and len(self.value) != number:
            self.refuse(f"expected {number} items, got {len(self.value)}")
        return [At(value, f"{self.path}[{i}]") for i, value in enumerate(self.value)]

    def __iter__(self) -> Iterator[At]:
        return iter(self.items())

    def text(self) -> str:
        """Return a string."""
        return self._of(str, "a string")

    def flag(self) -> bool:
        """Return true or false."""
        return self._of(bool, "true or false")

    def whole(self) -> int:
        """Return a whole number."""
        return self._of(int, "a whole number")

    def _of(self, kind: type[T], words: str) -> T:
        if type(self.value) is not kind:
            self.refuse(f"expected {words}, got {describe(self.value)}")
        return self.value

    def named(self, known: Iterable[T], name: Callable[[T], str]) -> T:
        """Return the one of `known` whose name this string is."""
        by_name = {name(one): one for one in known}
        word = self.text()
        if word not in by_name:
            self.refuse(f"`{word[:80]}` is none of {', '.join(by_name)}")
        return by_name[word]
