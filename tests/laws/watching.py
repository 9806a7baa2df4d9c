"""What is run while policies are read and asked: an audit hook, and objects that keep what is done to them."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from abac.condition.schema import Category
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, SetType
from tests.reading import schema

_RUNS = ("exec", "import", "os.", "subprocess.", "socket.", "ctypes.", "marshal.", "pickle.", "builtins.input")
_seen: list[str] | None = None


def _audit(event: str, _: tuple) -> None:
    if _seen is not None and event.startswith(_RUNS) and event not in ("os.listdir", "os.scandir"):
        _seen.append(event)


sys.addaudithook(_audit)


@contextmanager
def nothing_runs():
    """Fails where anything is executed, imported or started by this process."""
    global _seen  # noqa: PLW0603  # an audit hook is the process's, and cannot be taken off
    _seen = found = []
    try:
        yield
    finally:
        _seen = None
    assert found == []


class Witness:
    """An object of a request that keeps what is done to it, attributes read and operators alike."""

    def __init__(self, **held):
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "touched", [])

    def __getattribute__(self, name):
        held, touched = object.__getattribute__(self, "held"), object.__getattribute__(self, "touched")
        touched.append(name)
        if name in held:
            return held[name]
        return object.__getattribute__(self, name)

    def _done(name):  # noqa: N805  # makes a method, is none
        def method(self, *_, **__):
            object.__getattribute__(self, "touched").append(f"{name}()")
            return NotImplemented

        return method

    for _name in ("call", "eq", "bool", "iter", "len", "contains", "getitem", "lt", "add", "str", "repr"):
        locals()[f"__{_name}__"] = _done(f"__{_name}__")

    def __hash__(self):
        object.__getattribute__(self, "touched").append("__hash__()")
        return 0

    @classmethod
    def of(cls, category: Category) -> Witness:
        return cls(**{d.name: _value(d.type) for d in schema() if d.category is category})


def _value(kind):
    if isinstance(kind, SetType):
        return [_value(kind.element)]
    return kind.values[0] if kind.values else _VALUES[kind]


_VALUES = {BOOL: True, INT: 3, FLOAT: 1.5, STRING: "a", DATETIME: "2026-06-12T21:21:00Z"}


def touched(witness: Witness) -> set[str]:
    return set(object.__getattribute__(witness, "touched"))
