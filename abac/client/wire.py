"""AuthZEN 1.0 on the wire: questions to JSON, and JSON to answers. The one module that knows the format.

Reading is strict where something hangs on it (a `decision` is true or false, an obligation has an id) and lenient
about all else: unknown members are ignored (section 10.1.1). Raises `WireError` for what is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from abac.client.answer import NOT_EVALUATED, Answer
from abac.errors import AbacError
from abac.language import json_source
from abac.policy.decision import Obligation

Properties = Mapping[str, Any]

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SESSIONS = "/access/v1/sessions"
SEARCH = {name: f"/access/v1/search/{name}" for name in ("subject", "resource", "action")}


class WireError(AbacError):
    """A message that is not what AuthZEN says it is."""

    code = "wire"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks (section 5.1)."""

    type: str
    id: str
    properties: Properties | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """What for (section 5.2)."""

    type: str
    id: str
    properties: Properties | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """To do what with it (section 5.3)."""

    name: str
    properties: Properties | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One question. In a batch, what is None is filled by the batch's own (section 7.1.1)."""

    subject: Subject | None = None
    action: Action | None = None
    resource: Resource | None = None
    context: Properties | None = None


class Semantic(Enum):
    """When a batch stops (section 7.1.2)."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def stops_at(self, decision: bool) -> bool:
        """Whether a batch is left after that decision."""
        return self is not Semantic.EXECUTE_ALL and decision == (self is Semantic.PERMIT_ON_FIRST_PERMIT)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search's results, and the token of the next; empty at the end."""

    results: tuple[Mapping[str, Any], ...]
    next_token: str


# --- questions -------------------------------------------------------------------------------------------------


def write(value: Mapping[str, Any]) -> bytes:
    """Return JSON. Raises `WireError` for what it cannot say: a NaN, an object of some class, half a surrogate."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"the question cannot be written as JSON: {error}") from None


def evaluation(asked: Evaluation) -> dict[str, Any]:
    """Return one question, or one item of a batch."""
    made: dict[str, Any] = {}
    for name in ("subject", "action", "resource"):
        entity = getattr(asked, name)
        if entity is not None:
            made[name] = {k: getattr(entity, k) for k in entity.__slots__ if getattr(entity, k) is not None}
    if asked.context is not None:
        made["context"] = asked.context
    return made


def evaluations(items: Sequence[Evaluation], shared: Evaluation, semantic: Semantic) -> dict[str, Any]:
    """Return a batch: what all items share, the items, and when to stop."""
    made = evaluation(shared) | {"evaluations": [evaluation(one) for one in items]}
    return made | {"options": {"evaluations_semantic": semantic.value}}


def search(kind: str, asked: Evaluation, entity_type: str = "") -> dict[str, Any]:
    """Return a search for subjects or resources of a type, or for actions, which have none (section 8)."""
    return evaluation(asked) | ({kind: {"type": entity_type}} if entity_type else {})


def named(action: Action | str) -> Action:
    """Return an action that may be given by its name."""
    return Action(action) if isinstance(action, str) else action


def page(limit: int | None, token: str) -> dict[str, Any]:
    """Return the `page` of a search, or nothing where there is nothing to say."""
    made: dict[str, Any] = {"limit": limit} if limit is not None else {}
    made |= {"token": token} if token else {}
    return {"page": made} if made else {}


# --- answers ---------------------------------------------------------------------------------------------------


def read_answer(body: bytes) -> Answer:
    """Return the answer to one evaluation."""
    return _answer(read_object(body))


def read_answers(body: bytes, asked: int, semantic: Semantic) -> tuple[Answer, ...]:
    """Return an answer for each item asked, in order; those that the semantic left out are not permitted.

    Too many, or fewer than the semantic accounts for, is no answer at all: nobody knows which is whose.
    """
    found = read_object(body).get("evaluations")
    if not isinstance(found, list):
        raise WireError("`evaluations` is not a list")
    if len(found) > asked:
        raise WireError(f"{len(found)} answers to {asked} questions")
    answers = [_answer(one) for one in found]
    stopped = [n for n, one in enumerate(answers) if semantic.stops_at(one.permitted)]
    last = stopped[0] if stopped else asked - 1
    if len(answers) != last + 1:
        raise WireError(f"{len(answers)} answers to {asked} questions, where there must be {last + 1}")
    left = Answer.refused(NOT_EVALUATED, f"not evaluated: the batch ended with item {last}")
    return (*answers, *[left] * (asked - len(answers)))


def read_page(body: bytes) -> Page:
    """Return one page of a search's results."""
    found = read_object(body)
    results, about = found.get("results"), found.get("page")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise WireError("`results` is not a list of objects")
    token = about.get("next_token", "") if isinstance(about, dict) else ""
    if (about is not None and not isinstance(about, dict)) or not isinstance(token, str):
        raise WireError("`page` is not an object with a `next_token`")
    return Page(tuple(results), token)


def read_subject(result: Mapping[str, Any]) -> Subject:
    """Return a subject that was found."""
    return Subject(*_entity(result))


def read_resource(result: Mapping[str, Any]) -> Resource:
    """Return a resource that was found."""
    return Resource(*_entity(result))


def _entity(result: Mapping[str, Any]) -> tuple[str, str, Properties | None]:
    properties = result.get("properties")
    if not isinstance(result.get("type"), str) or not isinstance(result.get("id"), str):
        raise WireError("a result has no `type` or no `id`")
    return result["type"], result["id"], properties if isinstance(properties, dict) else None


def read_action(result: Mapping[str, Any]) -> Action:
    """Return an action that was found."""
    if not isinstance(result.get("name"), str):
        raise WireError("a result has no `name`")
    properties = result.get("properties")
    return Action(result["name"], properties if isinstance(properties, dict) else None)


def read_error(body: bytes) -> str:
    """Return what an error says of itself, or the empty string; never raises."""
    try:
        found = json_source.read(body)
    except AbacError:
        return ""
    words = [found.get(k) for k in ("detail", "message", "error")] if isinstance(found, dict) else [found]
    return next((w[:500] for w in words if isinstance(w, str) and w), "")


def read_object(body: bytes) -> dict[str, Any]:
    """Return an answer that is a JSON object. Raises `WireError` for any other."""
    try:
        found = json_source.read(body)
    except AbacError as error:
        raise WireError(str(error)) from None
    if not isinstance(found, dict):
        raise WireError("the answer is not an object")
    return found


def _answer(found: Any) -> Answer:
    if not isinstance(found, dict) or not isinstance(found.get("decision"), bool):
        raise WireError("`decision` is not true or false")
    context = found.get("context")
    if context is not None and not isinstance(context, dict):
        raise WireError("`context` is not an object")
    held: dict[str, Any] = context or {}
    owed, advised = tuple(_obligations(held, "obligations")), tuple(_obligations(held, "advice"))
    return Answer(found["decision"], _reason(held), "", held, owed, advised)


def _obligations(context: Mapping[str, Any], name: str) -> Iterator[Obligation]:
    found = context.get(name)
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            raise WireError(f"one of the `{name}` has no id: whether it is carried out cannot be told")
        parameters = one.get("parameters")
        yield Obligation(one["id"], parameters if isinstance(parameters, dict) else {}, advice=name == "advice")


def _reason(context: Mapping[str, Any]) -> str:
    """Return what people are told: the message's summary, or the first of the reasons for the user."""
    message, reasons = context.get("message"), context.get("reason_user")
    error = context.get("error")
    words = [message.get("summary")] if isinstance(message, dict) else []
    words += list(reasons.values()) if isinstance(reasons, dict) else [reasons]
    words += [error.get("message")] if isinstance(error, dict) else []
    return next((w for w in words if isinstance(w, str)), "")
