"""What an explanation holds, as data: frozen, comparable, and written as JSON by `as_json`.

Finding it out is `explain`'s part, the smallest change `counterfactual`'s, English `words`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from abac.condition.schema import Assurance
from abac.condition.truth import Truth
from abac.condition.types import Value
from abac.pdp import words
from abac.policy.decision import Citation, Decision, Effect, Obligation, Outcome


class Doubt(Enum):
    """Why something asked for is not known."""

    NONE = "known"
    ABSENT = "absent"
    ASSURANCE = "asserted with less assurance than demanded"
    INCOMPLETE = "asserted as a set that may not be complete"
    PENDING = "a term whose definition is pending"
    NO_VALUE = "a computation without a value"


@dataclass(frozen=True, slots=True)
class Met:
    """What a test met at an attribute: the value asserted, how well founded, and why it does not do.

    `least` is the assurance demanded. A `hidden` value is there but withheld, because the attribute is sensitive.
    """

    attribute: str
    value: Value | None
    assurance: Assurance | None
    source: str
    complete: bool
    least: Assurance
    doubt: Doubt
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Tested:
    """A test as it stands: its text, where it is written, its truth, and the values it met."""

    text: str
    place: str
    truth: Truth
    met: tuple[Met, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it stands, with what it cites and the tests that make it so.

    `letter` is the directive's letter by its SHA-256, or the note that stands in for it. Of a rule that nearly
    applied, `failed` is the one conjunct that is not TRUE, and `tests` say why it is not.
    """

    rule: str
    effect: Effect
    truth: Truth
    citation: Citation
    letter: str
    tests: tuple[Tested, ...]
    failed: Tested | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """One thing that keeps an INDETERMINATE open: an attribute, a pending term, or a computation."""

    name: str
    doubt: Doubt
    met: Met | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fallback:
    """A policy that answered of itself, no rule of that effect being TRUE: by its default or its algorithm."""

    policy: str
    why: str


@dataclass(frozen=True, slots=True)
class Owed:
    """An obligation or an advice, the rules it comes from, and whether the caller discharges it."""

    obligation: Obligation
    rules: tuple[str, ...]
    discharged: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute with another value, or the same one better founded: what it is and what it would be."""

    attribute: str
    before: Met
    value: Value | None
    assurance: Assurance
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The smallest change of attributes after which `decide` gives one of the `wanted` decisions.

    `changes` is empty where none was found. `decision` and `obligations` are what `decide` answered to the changed
    request. `exact` says that no smaller change exists (or none at all); it is False where a smaller one
    may have been missed, and `finished` is False where the search stopped at its limit.
    """

    wanted: tuple[Decision, ...]
    changes: tuple[Change, ...]
    decision: Decision | None
    obligations: tuple[str, ...]
    exact: bool
    finished: bool
    mutable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an outcome is what it is, and what would make it another.

    `decided` are the rules and directive clauses it rests on, `overridden` the TRUE rules of the other effect,
    `fallbacks` the policies that answered by default. `nearest` are rules that failed by one conjunct, the nearest
    first; `left_out` counts the further ones. `str()` puts all of it into words.
    """

    outcome: Outcome
    decided: tuple[Standing, ...]
    overridden: tuple[Standing, ...]
    fallbacks: tuple[Fallback, ...]
    nearest: tuple[Standing, ...]
    left_out: int
    unknown: tuple[Unknown, ...]
    owed: tuple[Owed, ...]
    counterfactual: Counterfactual

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as a JSON object: enums by name, sets as sorted arrays, times in RFC 3339."""
        outcome = self.outcome
        head = {
            "decision": outcome.extended.decision.value,
            "extended": outcome.extended.name,
            "permitted": outcome.permitted,
            "revision": outcome.revision,
        }
        return head | {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name != "outcome"}

    def text(self) -> str:
        """Return the explanation in words: short paragraphs, the decision first."""
        return words.text(self)

    def __str__(self) -> str:
        return self.text()


def _plain(value: Any) -> Any:
    if isinstance(value, Obligation):
        return {"id": value.id, "parameters": _plain(value.parameters), "advice": value.advice}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    match value:
        case Enum():
            return (
                value.name
                if isinstance(value, Truth | Doubt)
                else str(value)
                if isinstance(value, Assurance)
                else value.value
            )
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case frozenset():
            return [_plain(v) for v in sorted(value)]
        case list() | tuple():
            return [_plain(v) for v in value]
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case _:
            return value
