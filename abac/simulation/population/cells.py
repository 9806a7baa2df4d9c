"""What one cell means: text to a value of the schema's type, or the reason why it is none.

Codes and enum words are taken exactly, numbers and truth values as spreadsheets write them. Whole columns are
`columns`'s part.
"""

from __future__ import annotations

import math
import re
from typing import Any

from abac.condition.types import Kind, ScalarType, SetType, Type, TypeClash, Value, admit
from abac.errors import did_you_mean
from abac.simulation.population.countries import country_code, nearest_country
from abac.simulation.population.mapping import ColumnMapping

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
INTEGER = re.compile(r"[+-]?[0-9]+\Z")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


class CellClash(ValueError):  # noqa: N818  # it is caught at once and worded with the place of the cell
    """A cell that is no value of its attribute: what is wrong, its code, and perhaps what was meant."""

    def __init__(self, message: str, code: str = "wrong-type", hint: str = "") -> None:
        self.message, self.code, self.hint = message, code, hint
        super().__init__(message)


def read_cell(text: str, spec: ColumnMapping, kind: Type) -> Value:
    """Return the value that a cell, neither blank nor one of `spec.absent`, stands for. Raises `CellClash`."""
    if not isinstance(kind, SetType):
        value: Value = _scalar(text, spec, kind)
        return value
    if text in spec.empty:
        return frozenset()
    return read_elements(text.split(spec.split) if spec.split else [text], spec, kind)


def read_elements(pieces: list[str], spec: ColumnMapping, kind: SetType) -> Value:
    """Return the set of these pieces. Raises `CellClash` for a piece that is blank or no element."""
    elements: list[Any] = []
    for piece in map(str.strip, pieces):
        if not piece:
            raise CellClash("null inside a set; leave the element out", "null-in-set")
        elements.append(_scalar(piece, spec, kind.element))
    return frozenset(elements)


def _scalar(text: str, spec: ColumnMapping, kind: ScalarType) -> Any:
    if text in spec.values:
        return spec.values[text]
    match kind.kind:
        case Kind.BOOL:
            if text.lower() in WORDS:
                return WORDS[text.lower()]
        case Kind.INT:
            if INTEGER.match(text):
                return _admitted(int(text) if len(text) <= 20 else math.inf, kind)  # noqa: PLR2004  # 64 bits
        case Kind.FLOAT:
            return _number(text, kind)
        case Kind.STRING:
            return _admitted(text, kind)
        case Kind.ENUM | Kind.ORDERED:
            return _country(text) if kind.name == "country" else _member(text, kind)
        case Kind.DATETIME:
            return _instant(text, spec, kind)
    raise CellClash(f"`{text[:40]}` is no {kind}")


def _number(text: str, kind: ScalarType) -> Any:
    if NUMBER.match(text):
        return _admitted(float(text), kind)
    code = "not-a-number" if text.lower().lstrip("+-") in ("nan", "inf", "infinity") else "wrong-type"
    raise CellClash(f"`{text[:40]}` is no finite {kind}", code)


def _country(text: str) -> str:
    code = country_code(text)
    if code is None:
        raise CellClash(f"`{text[:40]}` is no country code or name", "unknown-country", nearest_country(text[:40]))
    return code


def _member(text: str, kind: ScalarType) -> str:
    if text not in kind.values:
        hint = did_you_mean(text[:40], kind.values)
        raise CellClash(f"`{text[:40]}` is not one of {', '.join(kind.values[:8])}", "unknown-value", hint)
    return text


def _instant(text: str, spec: ColumnMapping, kind: ScalarType) -> Any:
    try:
        return admit(text, kind)
    except TypeClash as clash:
        if spec.offset and "no offset" in str(clash):
            return _admitted(text + spec.offset, kind)
        raise CellClash(str(clash), "wrong-type", "the mapping's `offset` gives one to all") from None


def _admitted(value: Any, kind: ScalarType) -> Any:
    try:
        return admit(value, kind)
    except TypeClash as clash:
        raise CellClash(str(clash)) from None
