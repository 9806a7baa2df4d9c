"""The text of a function that is being written, and the values it is closed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Text:
    """The function as it is written: its lines, and the values of the variables it is closed over."""

    values: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    names: int = 0

    def add(self, indent: int, line: str) -> None:
        """Write one line, `indent` levels in."""
        self.lines.append("    " * indent + line)

    def name(self, stem: str) -> str:
        """Return a fresh name."""
        self.names += 1
        return f"{stem}_{self.names}"

    def bind(self, stem: str, value: Any) -> str:
        """Name a value for the text."""
        name = f"{stem}{len(self.values)}"
        self.values[name] = value
        return name
