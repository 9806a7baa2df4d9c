"""Decisions and outcomes: what a program says of a request, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

import msgspec

from abac.condition.truth import Truth


class Effect(Enum):
    """What a rule says when its condition holds."""

    PERMIT = "PERMIT"
    DENY = "DENY"


class Decision(Enum):
    """The four values (XACML 3.0, section 7.17). Only PERMIT permits."""

    PERMIT = "PERMIT"
    DENY = "DENY"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    INDETERMINATE = "INDETERMINATE"


class Extended(IntEnum):
    """A decision with the extended Indeterminate (XACML 3.0, section 7.10), as one small integer.

    The value is the set of what is still possible, as bits: 1 PERMIT, 2 DENY, 4 NOT_APPLICABLE. The three
    indeterminates all leave NOT_APPLICABLE open, as in XACML. Columnar back ends store these integers.
    """

    PERMIT = 1
    DENY = 2
    NOT_APPLICABLE = 4
    INDETERMINATE_P = 5
    INDETERMINATE_D = 6
    INDETERMINATE_DP = 7

    @property
    def decision(self) -> Decision:
        """The plain decision."""
        return _PLAIN[self]

    @property
    def may_permit(self) -> bool:
        """Whether PERMIT is still possible."""
        return bool(self & 1)

    @property
    def may_deny(self) -> bool:
        """Whether DENY is still possible."""
        return bool(self & 2)


_PLAIN = tuple(
    {1: Decision.PERMIT, 2: Decision.DENY, 4: Decision.NOT_APPLICABLE}.get(n, Decision.INDETERMINATE)
    for n in range(8)
)
"""The plain decision by what is still possible."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """What the enforcement point must do (or, as advice, may do) with a decision."""

    id: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    advice: bool = False

    def __hash__(self) -> int:
        return hash((self.id, self.advice))


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from: a file and line, or a directive's clause and the person test it uses."""

    file: str = ""
    line: int = 0
    directive: str = ""
    clause: str = ""
    person_test: str = ""


UNCITED = Citation()


class Reason(msgspec.Struct, frozen=True, gc=False):
    """A rule that a decision rests on, how its condition stood, and what it cites."""

    rule: str
    effect: Effect
    truth: Truth
    citation: Citation = UNCITED

    def __str__(self) -> str:
        cited = self.citation
        where = f"{cited.directive} clause {cited.clause}" if cited.directive else f"rule {self.rule}"
        test = f", person test {cited.person_test}" if cited.person_test else ""
        return f"{self.effect.value} by {where}{test} ({self.truth.name})"


_set = msgspec.structs.force_setattr


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The answer to one request.

    `unknown` names, in alphabetical order, the attributes that, once known, settle an INDETERMINATE; it is empty
    otherwise. `permitted` is true only of a PERMIT whose obligations the caller has said it discharges.
    """

    extended: Extended
    permitted: bool
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    advice: tuple[Obligation, ...] = ()
    revision: str = ""
    decision: Decision = Decision.INDETERMINATE
    """PERMIT, DENY, NOT_APPLICABLE or INDETERMINATE: what `extended` comes to, whatever was given."""
    rules: tuple[str, ...] = ()
    """The ids of the reasons' rules, whatever was given."""

    def __post_init__(self) -> None:
        _set(self, "decision", _PLAIN[self.extended])
        _set(self, "rules", tuple([reason.rule for reason in self.reasons]))
