"""Sets of requests, counted: people, organisations, requests; and where two structures of figures differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from abac.simulation.recount.subjects import Ask, Subject

KEYS = (
    "id",
    "posture",
    "yardstick",
    "by",
    "provider",
    "tier",
    "as_of",
    "parity",
    "model",
    "coverage",
    "directive",
    "a",
    "b",
    "clause",
)
"""What tells the rows of a list apart; the rest of a row are its figures."""

Requests = set[tuple[Subject, Ask]]
"""Requests by who makes them and for what; `Subject.use` says how many a day."""


def counts(requests: Iterable[tuple[Subject, Ask]]) -> dict[str, int]:
    """Count people, organisations and requests; an organisation when one of its people or keys is."""
    marked = set(requests)
    who = {s for s, _ in marked}
    return {
        "people": sum(s.is_person for s in who),
        "organisations": len(organisations(who)),
        "requests": weight(marked),
    }


def organisations(who: Iterable[Subject]) -> set[str]:
    """Return the organisations of which at least one person or key is among `who`."""
    return {s.organisation for s in who if s.organisation is not None and s.kind != "agent"}


def weight(requests: Iterable[tuple[Subject, Ask]]) -> int:
    """Return how many requests a day these are."""
    return sum(s.use[ask] for s, ask in requests)


def share(part: int, whole: int) -> float | None:
    """Return part / whole; None where there is no case."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is told otherwise than it was counted: its path in report.json, and both."""

    path: str
    told: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.path}: the report says {self.told}, the recount {self.counted}"


def differences(told: Any, counted: Any, path: str) -> Iterator[Difference]:
    """Yield where a report does not say what was counted; what was not counted is not looked at."""
    if isinstance(counted, dict) and isinstance(told, dict):
        every = set(counted) | (set(told) if path.endswith(".to") else set())
        for key in sorted(every):
            yield from differences(told.get(key), counted.get(key), f"{path}.{key}")
    elif isinstance(counted, list) and isinstance(told, list) and len(told) == len(counted):
        for i, (one, own) in enumerate(zip(told, counted, strict=True)):
            yield from differences(one, own, f"{path}[{i}]")
    elif told != counted or type(told) is not type(counted):
        yield Difference(path, told, counted)


def unlike(told: Any, made: Any, path: str) -> Iterator[Difference]:
    """Yield every leaf in which two structures differ, each row of a list named by what tells rows apart."""
    if isinstance(made, dict) and isinstance(told, dict):
        for key in dict.fromkeys((*told, *made)):
            yield from unlike(told.get(key), made.get(key), f"{path}.{key}" if path else key)
    elif isinstance(made, list) and isinstance(told, list) and len(told) == len(made):
        for place, (one, own) in enumerate(zip(told, made, strict=True)):
            named = ", ".join(str(own[k]) for k in KEYS if k in own) if isinstance(own, dict) else ""
            yield from unlike(one, own, f"{path}[{named or place}]")
    elif told != made or type(told) is not type(made):
        yield Difference(path, told, made)
