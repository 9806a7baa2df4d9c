"""What came of a question: permitted or not, and all that was said with it.

An answer is true only where it permits, so that `if answer:` is safe to write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from abac.policy.decision import Obligation

NO_ANSWER = "no-answer"
"""The time ran out, or nobody could be reached."""

REFUSED = "refused"
"""The decision point did not take the question: an error status."""

MALFORMED = "malformed"
"""What came is no answer, or none to this question."""

NOT_EVALUATED = "not-evaluated"
"""An item that a batch's semantic left out."""

OWED = "obligation-owed"
"""Permitted only to an application that carries out an obligation which this one does not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One decision, as far as there is one.

    `failure` is empty where the decision point answered; else it says which way it did not (the words above), and
    `reason` says so to a person. `context` is as it came (AuthZEN 1.0, section 5.5.1), its parts of ours read out.
    """

    permitted: bool
    reason: str = ""
    failure: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    obligations: tuple[Obligation, ...] = ()
    advice: tuple[Obligation, ...] = ()
    request_id: str = ""

    def __bool__(self) -> bool:
        return self.permitted

    @classmethod
    def refused(cls, failure: str, reason: str, request_id: str = "") -> Answer:
        """Return the answer where there is none: not permitted."""
        return cls(False, reason, failure, request_id=request_id)

    @property
    def id(self) -> str:
        """The decision's id, where the decision point gives one."""
        return _text(self.context.get("id"))

    @property
    def outcome(self) -> str:
        """PERMIT, DENY, NOT_APPLICABLE or INDETERMINATE; empty from another decision point than ours."""
        return _text(self.context.get("outcome"))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The attributes that would settle what is undecided."""
        found = self.context.get("unknown")
        return tuple(map(str, found)) if isinstance(found, list | tuple) else ()

    @property
    def message(self) -> Mapping[str, Any]:
        """What a reader is told who is denied under a directive; empty where none denied."""
        found = self.context.get("message")
        return found if isinstance(found, Mapping) else {}

    @property
    def order(self) -> Mapping[str, Any]:
        """The directive that the denial rests on: id, title, authority and so on; empty where there is none."""
        found = self.message.get("directive")
        return found if isinstance(found, Mapping) else {}

    @property
    def blocked(self) -> bool:
        """Whether a directive denied, rather than a rule, or what is not known."""
        return not self.permitted and self.outcome == "DENY" and bool(self.order)

    def enforced(self, discharges: Collection[str]) -> Answer:
        """Return the answer as it counts for an application that carries out these obligations and no others."""
        owed = [one.id for one in self.obligations if one.id not in discharges]
        if not self.permitted or not owed:
            return self
        words = ", ".join(f"`{one}`" for one in owed)
        return replace(self, permitted=False, failure=OWED, reason=f"nobody here carries out {words}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
