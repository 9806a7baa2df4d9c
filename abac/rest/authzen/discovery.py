"""The metadata document (AuthZEN 1.0, section 9): who this decision point is, and where its endpoints are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH_SUBJECT, SEARCH_RESOURCE = "/access/v1/search/subject", "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"
WELL_KNOWN = "/.well-known/authzen-configuration"

ENDPOINTS: Mapping[str, str] = {
    "access_evaluation_endpoint": EVALUATION,
    "access_evaluations_endpoint": EVALUATIONS,
    "search_subject_endpoint": SEARCH_SUBJECT,
    "search_resource_endpoint": SEARCH_RESOURCE,
    "search_action_endpoint": SEARCH_ACTION,
}


def configuration(base: str) -> dict[str, Any]:
    """Return the metadata of a decision point whose identifier is `base`, an https URL without a trailing slash.

    Parameters without a value are left out (section 9.2.2). There is no registered capability that we have.

    >>> configuration("https://pdp.example.com")["search_action_endpoint"]
    'https://pdp.example.com/access/v1/search/action'
    """
    return {"policy_decision_point": base} | {name: f"{base}{path}" for name, path in ENDPOINTS.items()}


def signed(metadata: Mapping[str, Any], key: str, algorithm: str, key_id: str, now: datetime) -> dict[str, Any]:
    """Return the metadata with itself as a signed JWT beside it (section 9.1.3); `iss` is the decision point."""
    claims = {**metadata, "iss": metadata["policy_decision_point"], "iat": int(now.timestamp())}
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)
    return {**metadata, "signed_metadata": token}
