"""Examples for the OpenAPI document: requests against the shipped policies, and what they are answered with.

Tests put every request to a server and hold the answer to the example: to all of it but what differs from call to
call, ids, times and revisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Example(NamedTuple):
    """One request and its answer; of the answer, what an example says must be so, and more may be."""

    summary: str
    asked: dict[str, Any]
    answered: dict[str, Any]


ANA = {
    "type": "person",
    "id": "ana",
    "properties": {"relation": "customer", "organisation": "none", "organisation_country": "US"},
}
INVOKE = {"name": "invoke"}
SONNET = {
    "type": "model",
    "id": "sonnet-4.5",
    "properties": {
        "provider": "anthropic",
        "access": "public",
        "released": "2025-09-29T00:00:00Z",
        "cyber_tier": 3,
    },
}
FABLE = {
    "type": "model",
    "id": "fable-5",
    "properties": {
        "provider": "anthropic",
        "access": "public",
        "released": "2026-06-09T16:00:00Z",
        "cyber_tier": 5,
    },
}

EXAMPLES: Mapping[str, Mapping[str, Example]] = {
    "evaluation": {
        "permitted": Example(
            "A released model that nobody restricts",
            {"subject": ANA, "action": INVOKE, "resource": SONNET},
            {"decision": True, "context": {"outcome": "PERMIT"}},
        ),
        "what-if": Example(
            "The same as of 12 June 2026 of a restricted model: a what-if permits nobody",
            {
                "subject": ANA,
                "action": INVOKE,
                "resource": FABLE,
                "context": {"what_if": True, "now": "2026-06-12T21:30:00Z"},
            },
            {"decision": False, "context": {"what_if": True, "outcome": "INDETERMINATE"}},
        ),
    },
    "evaluations": {
        "defaults": Example(
            "One subject and action, two models; each entity is taken whole",
            {
                "subject": ANA,
                "action": INVOKE,
                "evaluations": [{"resource": SONNET}, {"resource": {"type": "model"}}],
            },
            {"evaluations": [{"decision": True}, {"decision": False, "context": {"error": {"status": 400}}}]},
        ),
        "first-permit": Example(
            "Stop at the first that is permitted",
            {
                "subject": ANA,
                "action": INVOKE,
                "evaluations": [{"resource": SONNET}, {"resource": FABLE}],
                "options": {"evaluations_semantic": "permit_on_first_permit"},
            },
            {"evaluations": [{"decision": True}]},
        ),
    },
    "search_subject": {
        "unknown": Example(
            "A type of which the entity source knows nobody",
            {"subject": {"type": "spaceship"}, "action": INVOKE, "resource": SONNET},
            {"results": []},
        ),
    },
    "search_resource": {
        "models": Example(
            "The models that ana may invoke, two at a time",
            {"subject": ANA, "action": INVOKE, "resource": {"type": "model"}, "page": {"limit": 2}},
            {"page": {"count": 2}, "results": [{"type": "model", "id": "deepseek-v3.2"}, {"type": "model"}]},
        ),
    },
    "search_action": {
        "actions": Example(
            "What ana may do with a model",
            {"subject": ANA, "resource": SONNET},
            {"results": [{"name": "cyber"}, {"name": "invoke"}]},
        ),
    },
}
