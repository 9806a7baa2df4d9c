"""What the OpenAPI document says of sessions: what is sent, what is answered, and how they are refused."""

from __future__ import annotations

from typing import Any

from abac.rest.administration.guarding import BEARER, REFUSALS, refusal

Answers = dict[int | str, dict[str, Any]]
"""Answers of an operation by status."""

SHORTEST, USUAL, LONGEST = 1, 3_600, 86_400
"""Seconds for which a session stays registered."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["subject", "action", "resource"],
    "properties": {
        "subject": {"$ref": "#/components/schemas/Entity"},
        "action": {"$ref": "#/components/schemas/Action"},
        "resource": {"$ref": "#/components/schemas/Entity"},
        "context": {"type": "object"},
        "expires_in": {"type": "integer", "minimum": SHORTEST, "maximum": LONGEST, "default": USUAL},
    },
}
ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "decision", "opened_at", "expires_at"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "decision": {"type": "boolean"},
        "context": {
            "type": "object",
            "description": "As in the answer to an evaluation, where it was decided now.",
        },
        "opened_at": {"type": "string", "format": "date-time"},
        "expires_at": {"type": "string", "format": "date-time"},
        "warn": {"type": "object", "description": "The flip that the clock will bring while it lasts."},
    },
}
EXAMPLE: dict[str, Any] = {
    "subject": {"type": "person", "id": "ana", "properties": {"relation": "customer"}},
    "action": {"name": "invoke"},
    "resource": {"type": "model", "id": "sonnet-4.5", "properties": {"provider": "anthropic", "access": "public"}},
    "expires_in": 900,
}

ASKED: dict[str, Any] = {
    "security": BEARER,
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SCHEMA, "example": EXAMPLE}},
    },
}

UNKNOWN: Answers = REFUSALS | {404: refusal("No such session of this key.")}
BUSY: Answers = REFUSALS | {
    429: refusal("Too many sessions, or too many requests."),
    503: refusal("The database does not answer."),
}


def answered(status: int, told: str) -> Answers:
    """Return the answer that an operation gives where all is well."""
    return {status: {"description": told, "content": {"application/json": {"schema": ANSWER}}}}
