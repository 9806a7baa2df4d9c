"""What can be wrong with a rule, and the report of what is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from abac.policy.decision import UNCITED, Citation
from abac.proof.answer import Answer, ProofError, as_json


class Fault(Enum):
    """What can be wrong with a rule."""

    UNREACHABLE = "unreachable"
    """Its condition is TRUE of no request."""

    SHADOWED = "shadowed"
    """Its condition can be TRUE, and it is a reason of no decision: others always decide."""

    REDUNDANT = "redundant"
    """Without it every request is decided alike, with the same obligations."""

    CONFLICT = "conflict"
    """It permits where another rule denies: the conditions of both are TRUE of one request, and both count."""


def fault(name: str) -> Fault:
    """Return the fault of a name. Raises `ProofError` where there is none."""
    found = next((f for f in Fault if f.value == name), None)
    if found is None:
        raise ProofError(f"no fault `{name}`; there are {', '.join(f.value for f in Fault)}")
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a rule: proved, or of a conflict with `other` shown by a request."""

    fault: Fault
    rule: str
    answer: Answer
    other: str = ""
    citation: Citation = UNCITED


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What was found of a program's rules; `undecided` has the questions without an answer."""

    rules: int
    findings: tuple[Finding, ...]
    undecided: tuple[Finding, ...]
    more: bool = False
    """Whether there are more conflicts than were told."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found and nothing left open."""
        return not self.findings and not self.undecided

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        parts = {"findings": self.findings, "undecided": self.undecided}
        return {"rules": self.rules, "more_conflicts": self.more} | {
            name: [{"fault": f.fault.value, "rule": f.rule, "other": f.other} | as_json(f.answer) for f in found]
            for name, found in parts.items()
        }
