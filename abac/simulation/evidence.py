"""Evidence of what a model can do: of which kind, by whom, as of when. A claim is never evidence of parity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

KEYS = ("kind", "source", "date", "says")
KINDS = ("none", "claim", "test", "benchmark", "finding")
TESTS = ("test", "benchmark")
"""Evidence on which parity is shown; a claim, the provider's own or a competitor's, is none."""

Wrong = list[tuple[tuple[str, ...], str]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a level rests on: of which kind, by whom, as of when (ISO 8601; empty where undated), in words."""

    kind: str
    source: str
    date: str
    says: str


def read_evidence(body: Any) -> tuple[Evidence | None, Wrong]:
    """Return the evidence that a capability states, and what is wrong with it, by place within the capability.

    None is evidence given in words alone, or not at all, which is wrong.
    """
    if not isinstance(body, dict):
        return None, [] if body else [((), "needs its `evidence`; `kind: none` where there is none")]
    wrong: Wrong = [(("evidence", str(key)), f"unknown key `{key}`") for key in body if key not in KEYS]
    kind, day = body.get("kind"), body.get("date", "")
    if kind not in KINDS:
        wrong.append((("evidence",), f"`kind` of evidence is one of {', '.join(KINDS)}"))
    if kind != "none" and not (body.get("source") and day):
        wrong.append((("evidence",), f"evidence of kind `{kind}` needs a `source` and a `date`"))
    if day and not _is_date(str(day)):
        wrong.append((("evidence", "date"), f"`{day}` is not a date (2026-06-12)"))
    return Evidence(str(kind), str(body.get("source", "")), str(day), str(body.get("says", ""))), wrong


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
