"""From an answer to the bytes of AuthZEN's decision: a boolean, and a context that says what it rests on.

The context names the decision, the revision and the outcome, gives reasons for the user and for the
administrator by code (section 5.5.1), and says what is unknown, owed and advised. It holds no attribute's
value. Programs remember their outcomes, so what follows from an outcome alone is encoded once. The words for a
reader denied by a directive are `told`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from abac.policy.decision import Decision, Obligation, Outcome
from abac.rest.problems import Problem
from abac.service.deciding import Answer

POSTURE, SWITCHED_OFF = "posture", "switched-off"
"""Why an answer does not permit that the posture refused, and what its reader is told."""

REASONS = 20
"""How many rules an answer cites; a decision may rest on thousands."""

KEPT = 20_000
"""How many outcomes' texts are remembered."""

PERMITTED, DENIED = b'{"decision":true', b'{"decision":false'
"""How a decision begins."""

_CONTEXT = b',"context":{"id":"'
_PERMITTED, _DENIED = PERMITTED + _CONTEXT, DENIED + _CONTEXT
_encode = msgspec.json.Encoder().encode

USER: Mapping[str, str] = {
    "permitted": "This request is permitted.",
    "denied": "This request is not permitted.",
    "denied-by-directive": "A directive in force denies this request; see `message`.",
    "not-applicable": "No rule permits this request.",
    "undecided": "It cannot be decided on what is known, so it is not permitted.",
    "obligation-owed": "It is permitted only to a caller that carries out the obligations named here.",
    "what-if": "This answers a question about other circumstances. It permits nothing.",
    "switched-off": "The provider switched this off for everybody; see `message`.",
    "not-recorded": "It could not be recorded, so it is not permitted. Try again.",
}
"""What is told to people, by code."""


class Answering:
    """Encodes answers. `receipts` is where a recorded decision's receipt is, with `{id}` in it, or empty."""

    def __init__(self, receipts: str = "") -> None:
        self._before, _, self._after = (b',"receipt":' + _encode(receipts)).partition(b"{id}")
        self._receipts = bool(receipts)
        self._kept: dict[int, tuple[Outcome, bytes]] = {}

    def decision(
        self, answer: Answer, *, ignored: tuple[str, ...] = (), what_if: bool = False, message: Any = None
    ) -> bytes:
        """Return one decision as JSON (section 5.5). `ignored` and `message` are told only where given."""
        outcome = answer.outcome
        if outcome.permitted and not answer.permitted:
            return self._withheld(answer, ignored, what_if=what_if, message=message)
        if not (ignored or what_if or answer.why or answer.attributes or message is not None):
            return self.plain(answer)
        word = PERMITTED if answer.permitted else DENIED
        unusual = self._unusual(answer, ignored, what_if=what_if, message=message)
        rest = (self._kept.get(id(outcome)) or self._remember(outcome))[1]
        return b"".join((word, _CONTEXT, answer.id.encode(), b'"', unusual, rest))

    def plain(self, answer: Answer) -> bytes:
        """Return one decision of which nothing more is told than its outcome and where its entry is."""
        word = _PERMITTED if answer.permitted else _DENIED
        place = self._place(answer) if answer.place else b""
        outcome = answer.outcome
        rest = (self._kept.get(id(outcome)) or self._remember(outcome))[1]
        return b'%b%b"%b%b' % (word, answer.id.encode(), place, rest)

    def _remember(self, outcome: Outcome) -> tuple[Outcome, bytes]:
        """Return an outcome and what follows from it alone, to the decision's end, and keep both for its id.

        The outcome is kept too, so no other can take its id.
        """
        if len(self._kept) >= KEPT:
            self._kept.clear()
        kept = self._kept[id(outcome)] = (outcome, _members(_told(outcome)) + b"}}")
        return kept

    def _withheld(self, answer: Answer, ignored: tuple[str, ...], *, what_if: bool, message: Any) -> bytes:
        """Return a decision that does not permit although its outcome does, and the reason for that first."""
        word = "what-if" if what_if else reason(answer.outcome, answer)
        told = _told(answer.outcome) | {"reason_user": {word: USER[word]}}
        unusual = self._unusual(answer, ignored, what_if=what_if, message=message)
        return b"".join((DENIED, _CONTEXT, answer.id.encode(), b'"', unusual, _members(told), b"}}"))

    def _unusual(self, answer: Answer, ignored: tuple[str, ...], *, what_if: bool, message: Any) -> bytes:
        found: dict[str, Any] = {}
        if what_if:
            found["what_if"] = True
        if answer.why:
            found["why"] = answer.why
        if answer.attributes and not answer.permitted:
            found["attributes"] = answer.attributes
        if ignored:
            found["ignored"] = ignored
        if message is not None:
            found["message"] = message
        return _members(found) + (self._place(answer) if answer.place else b"")

    def _place(self, answer: Answer) -> bytes:
        """Return where the entry is, and where its receipt will be had once that is the log."""
        place = b',"place":"%b"' % answer.place.encode()
        if answer.recorded and self._receipts:
            return b"".join((self._before, answer.id.encode(), self._after, place))
        return place


def code(outcome: Outcome) -> str:
    """Return the code of what is told to the user."""
    match outcome.decision:
        case Decision.PERMIT:
            return "permitted" if outcome.permitted else "obligation-owed"
        case Decision.DENY:
            return "denied-by-directive" if any(r.citation.directive for r in outcome.reasons) else "denied"
        case Decision.NOT_APPLICABLE:
            return "not-applicable"
        case Decision.INDETERMINATE:
            return "undecided"


def reason(outcome: Outcome, answer: Answer | None) -> str:
    """Return the code of what is told of an outcome, or of its answer where that permits less."""
    if answer is None or not outcome.permitted or answer.permitted:
        return code(outcome)
    return SWITCHED_OFF if answer.why == POSTURE else "not-recorded"


def failed(problem: Problem) -> bytes:
    """Return an item of a batch that could not be decided: it denies, and says why (section 7.2.1)."""
    return _encode({"decision": False, "context": {"error": problem.told()}})


def _told(outcome: Outcome) -> dict[str, Any]:
    """Return what follows from an outcome alone."""
    word = code(outcome)
    found: dict[str, Any] = {
        "revision": outcome.revision,
        "outcome": outcome.decision.value,
        "reason_user": {word: USER[word]},
    }
    if outcome.reasons:
        found["reason_admin"] = {reason.rule: str(reason) for reason in outcome.reasons[:REASONS]}
    if len(outcome.reasons) > REASONS:
        found["reasons_left_out"] = len(outcome.reasons) - REASONS
    if outcome.unknown:
        found["unknown"] = outcome.unknown
    if outcome.obligations:
        found["obligations"] = _owed(outcome.obligations)
    if outcome.advice:
        found["advice"] = _owed(outcome.advice)
    return found


def _owed(owed: Iterable[Obligation]) -> list[dict[str, Any]]:
    return [{"id": one.id} | ({"parameters": dict(one.parameters)} if one.parameters else {}) for one in owed]


def _members(found: Mapping[str, Any]) -> bytes:
    """Return the members of an object, each with a comma before it."""
    return b"," + _encode(found)[1:-1] if found else b""
