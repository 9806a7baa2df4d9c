"""What a reader is told who is denied under a directive: which model, since when, whose order, and what is left.

Someone cut off by an order first suspects his own token. So the message says that nothing is wrong with it,
whose order it is and which choice was the provider's own (the posture), which models may still be used, and how
to contest it. It is made of the directive's document, the clock and the entity source; no attribute of anybody
is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.errors import RequestError
from abac.policy.decision import Decision, Effect, Reason
from abac.policy.directive import Directive
from abac.policy.request import Request
from abac.rest.authzen.answering import POSTURE
from abac.rest.authzen.asking import NOW
from abac.rest.authzen.entities import NOBODY, Entities, vouched
from abac.rest.authzen.wire import Entity
from abac.service.deciding import Answer, Question

POSTURES: Mapping[str, str] = {
    "strict": "The provider refuses whatever the order leaves undecided. The order does not ask for that.",
    "step-up": "The provider refuses until evidence arrives. The order does not ask for that.",
    "shutdown": "The provider switched the model off for everybody. The order does not ask for that.",
}
"""What a posture means to a reader; `lenient` is none that a server takes."""

Others = dict[tuple[int, int, str], list[str] | None]
"""What is left to whom, by identity."""

MOST = 50
"""How many other models are looked at."""

NOTHING_WRONG = "Nothing is wrong with your token, your key or your set-up."


@dataclass(frozen=True, slots=True)
class Notice:
    """What the provider says to readers: its posture, with who chose it and why, and how to contest a denial."""

    posture: str = "strict"
    posture_by: str = ""
    posture_why: str = ""
    contest: str = "Ask the operator of this service to review the decision, and name its id."
    contest_url: str = ""


@dataclass(slots=True)
class Teller:
    """Writes messages for one program in force at a time."""

    notice: Notice = field(default_factory=Notice)
    entities: Entities = NOBODY

    async def message(
        self,
        question: Question,
        answer: Answer,
        resource: Entity,
        held: Program,
        found_before: Others | None = None,
    ) -> Any:
        """Return the message for a denial under a directive, or None where no directive denied.

        `held` is the program in force, whose schema says what the entity source's word is worth. `found_before`
        keeps, for one batch, what is left to whom.
        """
        outcome = answer.outcome
        if answer.why == POSTURE:
            return self._switched_off(resource)
        if answer.permitted or outcome.decision not in (Decision.DENY, Decision.INDETERMINATE):
            return None
        reason = next((r for r in outcome.reasons if r.citation.directive and r.effect is Effect.DENY), None)
        if reason is None:
            return None
        directive = next((d for d in held.directives if d.id == reason.citation.directive), None)
        if directive is None:
            return None
        certain = outcome.decision is Decision.DENY
        since = _since(directive, answer.asked)
        found: dict[str, Any] = {
            "summary": _summary(resource, directive, since, certain=certain),
            "resource": {"type": resource.type, "id": resource.id},
            "directive": _directive(directive, reason),
            "posture": self._posture(certain=certain),
            "nothing_wrong": NOTHING_WRONG,
            "contest": self._contest(),
        }
        if since is not None:
            found["since"] = _written(since)
        if not certain:
            found["would_settle_it"] = outcome.unknown
        asked = answer.asked
        whom = (id(asked.subject), id(asked.action), resource.type)  # of one batch, whose answers are all kept
        others = None if found_before is None else found_before.get(whom)
        if others is None:
            others = await self._others(question, answer, resource, held)
        if found_before is not None:
            found_before[whom] = others
        if not others:
            return found if others is None else found | {"may_still_use": []}
        left = [{"type": resource.type, "id": other} for other in others if other != resource.id]
        return found | {"may_still_use": left}

    def _switched_off(self, resource: Entity) -> dict[str, Any]:
        """Return the message for what the posture `shutdown` refuses, though the order leaves it."""
        return {
            "summary": f"`{resource.id}` is switched off for everybody.",
            "resource": {"type": resource.type, "id": resource.id},
            "posture": self._posture(certain=False),
            "nothing_wrong": NOTHING_WRONG,
            "contest": self._contest(),
        }

    def _contest(self) -> dict[str, str]:
        url = {"url": self.notice.contest_url} if self.notice.contest_url else {}
        return {"how": self.notice.contest} | url

    def _posture(self, *, certain: bool) -> dict[str, str]:
        notice = self.notice
        if certain and notice.posture != "shutdown":
            return {
                "name": notice.posture,
                "text": "The order itself denies this; the provider chose nothing here.",
            }
        found = {"name": notice.posture, "text": POSTURES[notice.posture]}
        return found | {k: v for k, v in (("by", notice.posture_by), ("why", notice.posture_why)) if v}

    async def _others(
        self, question: Question, answer: Answer, resource: Entity, held: Program
    ) -> list[str] | None:
        """Return the models of the type that the subject may use for the same; None where none are known."""
        page = await self.entities.page(Category.RESOURCE, resource.type, "", MOST)
        if not page:
            return None
        asked, found = answer.asked, []
        for other in page:
            attributes = vouched(other, Category.RESOURCE, held)
            request = Request(asked.subject, asked.action, attributes, asked.environment, asked.source)
            try:
                if question.program.run(request, question.discharges).permitted:
                    found.append(other.id)
            except RequestError:
                continue  # a fault of the source: what is not known to be permitted is not offered
        return found


def _summary(resource: Entity, directive: Directive, since: datetime | None, *, certain: bool) -> str:
    order = "an order" if directive.binding else "a voluntary measure"
    body = _authority(directive).get("body")
    by = f"{order} of {body}" if body else order
    force = f", in force since {_written(since)}" if since is not None else ""
    if certain:
        return f"`{resource.id}` is denied to you under {directive.id}, {by}{force}."
    return (
        f"{directive.id}, {by}{force}, may deny `{resource.id}` to you. On what is known of you that cannot be "
        "decided, so it is refused."
    )


def _directive(directive: Directive, reason: Reason) -> dict[str, Any]:
    authority = _authority(directive)
    found: dict[str, Any] = {
        "id": directive.id,
        "title": directive.told("title"),
        "clause": reason.citation.clause,
        "binding": directive.binding,
        "person_test": directive.person_test,
        "authority": authority.get("body"),
        "theory": authority.get("theory"),
        "cites": list(authority.get("cites") or ()),
    }
    letter = directive.told("letter")
    if isinstance(letter, Mapping) and letter.get("sha256"):
        found["letter_sha256"] = letter["sha256"]
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _authority(directive: Directive) -> Mapping[str, Any]:
    found = directive.told("authority")
    return found if isinstance(found, Mapping) else {}


def _since(directive: Directive, asked: Request) -> datetime | None:
    """Return since when the directive has been in force, at the time of the request."""
    now = asked.environment.get(NOW) if isinstance(asked.environment, Mapping) else None
    now = now.get("value") if isinstance(now, Mapping) else now
    moment = datetime.fromisoformat(now) if isinstance(now, str) else now
    if not isinstance(moment, datetime):
        return None
    for interval in directive.in_force():
        begun = interval.start is None or interval.start <= moment
        if begun and (interval.end is None or moment < interval.end):
            return interval.start
    return None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
