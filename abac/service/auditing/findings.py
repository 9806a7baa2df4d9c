"""What a verification finds, as data: a stable code, a place, what is wrong, what was expected and what is there.

A log of a million entries that is broken everywhere makes a million findings; of each code the first hundred are
kept and all are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

ERROR, WARNING = "error", "warning"

LISTED = 100
"""Findings of one code that are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `place` is `entry 17`, `tile 0/3`, `checkpoint 900`, or the row of a table."""

    code: str
    place: str
    what: str
    expected: str = ""
    found: str = ""
    severity: str = ERROR

    def __str__(self) -> str:
        tail = f" (expected {self.expected}, found {self.found})" if self.expected or self.found else ""
        return f"{self.place}: {self.severity}[{self.code}]: {self.what}{tail}"

    def as_json(self) -> dict[str, str]:
        """Return the finding as a flat JSON object."""
        return asdict(self)


@dataclass(slots=True)
class Findings:
    """The findings so far, and how many of each code there were."""

    listed: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    severity: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, place: str, what: str, expected: Any = "", found: Any = "") -> None:
        """Note something that is wrong."""
        self.take(Finding(code, place, what, str(expected), str(found)))

    def warn(self, code: str, place: str, what: str, expected: Any = "", found: Any = "") -> None:
        """Note something that should be seen to, and that nobody tampered with."""
        self.take(Finding(code, place, what, str(expected), str(found), WARNING))

    def take(self, finding: Finding) -> None:
        """Note a finding made elsewhere."""
        if self.counts[finding.code] < LISTED:
            self.listed.append(finding)
        self.counts[finding.code] += 1
        self.severity.setdefault(finding.code, finding.severity)

    def merge(self, other: Findings) -> None:
        """Take over the findings of a part."""
        kept = Counter(f.code for f in other.listed)
        for finding in other.listed:
            self.take(finding)
        for code, number in other.counts.items():
            self.counts[code] += number - kept[code]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(n for code, n in self.counts.items() if self.severity[code] == ERROR)

    def codes(self) -> Iterable[str]:
        """Return the codes found, the errors' first, in alphabetical order."""
        return sorted(self.counts, key=lambda code: (self.severity[code] != ERROR, code))
