"""The OpenAPI document of the plain routes: schemas, every status they answer with, examples that tests run."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from abac.rest.authzen import discovery
from abac.rest.authzen.examples import EXAMPLES

_PROPERTIES: Mapping[str, Any] = {
    "type": "object",
    "description": (
        "Attributes by name. A value is bare, or an assertion: `value` with any of `assurance`, `source`, `as_of` "
        "and, for sets, `complete`. Names the schema does not have are ignored."
    ),
}
_ID = {"type": "string", "description": "Unique within the type."}
_TYPE = {"type": "string", "description": "Such as `person` or `model`."}
_ANSWER_CONTEXT: Mapping[str, Any] = {
    "type": "object",
    "description": "What the decision rests on. No attribute's value is in it.",
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The decision (UUIDv7)."},
        "revision": {"type": "string", "description": "The SHA-256 of everything that decides."},
        "outcome": {"enum": ["PERMIT", "DENY", "NOT_APPLICABLE", "INDETERMINATE"]},
        "reason_user": {"type": "object", "description": "May be shown to the user: text by code."},
        "reason_admin": {"type": "object", "description": "Not for the user: the rules cited, by name."},
        "unknown": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What would settle it, once known.",
        },
        "obligations": {"type": "array", "items": {"type": "object"}},
        "advice": {"type": "array", "items": {"type": "object"}},
        "receipt": {"type": "string", "description": "Where the receipt of a recorded decision is."},
        "ignored": {"type": "array", "items": {"type": "string"}, "description": "Told to keys that administer."},
        "what_if": {"type": "boolean"},
        "why": {"type": "string", "description": "A code: what kept it from permitting, or from being recorded."},
        "attributes": {"type": "string", "description": "What came of the sources that were asked, by a code."},
        "place": {"type": "string", "description": "Where its entry is."},
        "reasons_left_out": {"type": "integer"},
        "message": {"type": "object", "description": "For the reader who is denied under a directive."},
        "error": {"type": "object", "description": "In a batch: why this item could not be decided."},
    },
}


def _entity(*required: str, note: str = "") -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {"type": _TYPE, "id": _ID, "properties": _PROPERTIES},
    } | ({"description": note} if note else {})


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _message(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


_URL = {"type": "string", "format": "uri"}
_FOUR = {
    "subject": _ref("Entity"),
    "action": _ref("Action"),
    "resource": _ref("Entity"),
    "context": _ref("Context"),
}
_THREE = ["subject", "action", "resource"]

SCHEMAS: Mapping[str, Any] = {
    "Entity": _entity("type", "id"),
    "SearchedEntity": _entity("type", note="The searched entity; an `id` in it is ignored."),
    "Action": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "properties": _PROPERTIES},
    },
    "Context": {
        "type": "object",
        "description": (
            "The environment. `now` is the service's own, unless `what_if` is true: then the question is about "
            "other circumstances, and its answer permits nobody."
        ),
        "properties": {"what_if": {"type": "boolean"}},
    },
    "Evaluation": _message(_THREE, **_FOUR),
    "Evaluations": _message(
        [],
        **_FOUR,
        evaluations={
            "type": "array",
            "items": {"type": "object", "properties": _FOUR},
            "description": "Where missing or empty, this is a single evaluation.",
        },
        options={
            "type": "object",
            "properties": {
                "evaluations_semantic": {
                    "enum": ["execute_all", "deny_on_first_deny", "permit_on_first_permit"],
                    "default": "execute_all",
                }
            },
        },
    ),
    "Page": {
        "type": "object",
        "properties": {
            "token": {"type": "string"},
            "limit": {"type": "integer", "minimum": 0},
            "properties": {"type": "object"},
        },
    },
    "SubjectSearch": _message(_THREE, **_FOUR | {"subject": _ref("SearchedEntity"), "page": _ref("Page")}),
    "ResourceSearch": _message(_THREE, **_FOUR | {"resource": _ref("SearchedEntity"), "page": _ref("Page")}),
    "ActionSearch": _message(
        ["subject", "resource"],
        subject=_ref("Entity"),
        resource=_ref("Entity"),
        context=_ref("Context"),
        page=_ref("Page"),
    ),
    "Decision": _message(["decision"], decision={"type": "boolean"}, context=_ANSWER_CONTEXT),
    "Decisions": {
        "oneOf": [
            _message(["evaluations"], evaluations={"type": "array", "items": _ref("Decision")}),
            _ref("Decision"),
        ]
    },
    "Found": _message(
        ["results"],
        page=_message(["next_token"], next_token={"type": "string"}, count={"type": "integer"}),
        results={"type": "array", "items": {"type": "object"}},
    ),
    "Configuration": _message(
        ["policy_decision_point", "access_evaluation_endpoint"],
        policy_decision_point=_URL,
        access_evaluation_endpoint=_URL,
        access_evaluations_endpoint=_URL,
        search_subject_endpoint=_URL,
        search_resource_endpoint=_URL,
        search_action_endpoint=_URL,
        capabilities={"type": "array", "items": {"type": "string"}},
        signed_metadata={"type": "string"},
    ),
    "Readiness": _message(
        ["status", "revision"],
        status={"enum": ["ready", "degraded", "not ready"]},
        revision={"type": "string"},
        wrong={"type": "object", "description": "What is wrong, by what it is about."},
    ),
    "Problem": _message(
        ["status", "code", "message"],
        title={"type": "string"},
        status={"type": "integer"},
        code={"type": "string", "description": "Stable across releases."},
        message={"type": "string"},
        detail={"type": "string"},
        path={"type": "string", "description": "The way to the value at fault."},
        next={"type": "string", "description": "What to do next."},
        findings={"type": "array", "items": {"type": "object"}, "description": "All that is wrong, with places."},
        request_id={"type": "string"},
    ),
}

_ROUTES = (
    (discovery.EVALUATION, "evaluation", "Decide one request", "Evaluation", "Decision"),
    (discovery.EVALUATIONS, "evaluations", "Decide many requests", "Evaluations", "Decisions"),
    (discovery.SEARCH_SUBJECT, "search_subject", "Who may do this", "SubjectSearch", "Found"),
    (discovery.SEARCH_RESOURCE, "search_resource", "With what a subject may do this", "ResourceSearch", "Found"),
    (discovery.SEARCH_ACTION, "search_action", "What a subject may do with this", "ActionSearch", "Found"),
)

_ORDINARY = (
    (discovery.WELL_KNOWN, "200", "application/json", _ref("Configuration")),
    ("/readyz", "200", "application/json", _ref("Readiness")),
    ("/readyz", "503", "application/json", _ref("Readiness")),
    ("/metrics", "200", "text/plain", {"type": "string"}),
)
"""What ordinary routes answer, of which FastAPI knows no more than that it is an answer."""

_REFUSALS = {
    "400": "The request is malformed, or a value is not of its attribute's type.",
    "401": "No key or token, or one that is not good.",
    "403": "The key lacks the role.",
    "413": "The body is too large.",
    "429": "The key asks more often than it may.",
    "431": "Too many headers, or too large ones.",
    "500": "A fault of the server.",
}


def document(found: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's own document with the plain routes, their schemas and how to authenticate added."""
    whole = deepcopy(found)
    parts = whole.setdefault("components", {})
    parts.setdefault("schemas", {}).update(deepcopy(dict(SCHEMAS)))
    parts.setdefault("securitySchemes", {})["bearer"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a JWT of the configured issuer.",
    }
    own = {path: {"post": _operation(*route)} for path, *route in _ROUTES}
    whole["paths"] = own | whole.get("paths", {})
    for path, status, media, schema in _ORDINARY:
        whole["paths"][path]["get"]["responses"][status]["content"] = {media: {"schema": schema}}
    return whole


def _operation(name: str, summary: str, asked: str, answered: str) -> dict[str, Any]:
    request_id = {
        "name": "X-Request-ID",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "Comes back as it came.",
    }
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    refusals = {status: {"description": told, "content": problem} for status, told in _REFUSALS.items()}
    examples = {key: {"summary": e.summary, "value": e.asked} for key, e in EXAMPLES[name].items()}
    answers = {key: {"summary": e.summary, "value": e.answered} for key, e in EXAMPLES[name].items()}
    good = {"application/json": {"schema": _ref(answered), "examples": answers}}
    return {
        "operationId": name,
        "tags": ["AuthZEN"],
        "summary": summary,
        "security": [{"bearer": []}],
        "parameters": [request_id],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(asked), "examples": examples}},
        },
        "responses": {"200": {"description": "Answered; a denial too.", "content": good}, **refusals},
    }
