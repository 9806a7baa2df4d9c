"""The metadata document (AuthZEN 1.0, section 9): who this decision point is, and where its endpoints are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from abac.errors import AbacError

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


Sign = Callable[[dict[str, Any]], dict[str, Any]]
"""Adds a signature to the metadata."""


class MetadataKeyError(AbacError):
    """A key that cannot sign the metadata."""

    code = "metadata-key"


def signing(file: Path | None, key_id: str, clock: Callable[[], datetime]) -> Sign:
    """Return what adds the metadata as a signed JWT to itself (section 9.1.3); `iss` is the decision point.

    The file holds a private key (PEM): EC on P-256, P-384 or P-521, Ed25519, or RSA. Without one nothing is added.
    Raises `MetadataKeyError` for any other.
    """
    if file is None:
        return unsigned
    try:
        pem = file.read_bytes()
        algorithm = _algorithm(serialization.load_pem_private_key(pem, None))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MetadataKeyError(f"metadata_key: {file}: {error}") from None

    def sign(metadata: dict[str, Any]) -> dict[str, Any]:
        claims = {**metadata, "iss": metadata["policy_decision_point"], "iat": int(clock().timestamp())}
        token = jwt.encode(claims, pem, algorithm=algorithm, headers={"kid": key_id} if key_id else None)
        return {**metadata, "signed_metadata": token}

    return sign


def unsigned(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata as they are."""
    return metadata


def _algorithm(key: Any) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        known = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
        if key.curve.name in known:
            return known[key.curve.name]
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    elif isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    raise ValueError("expected an EC key on P-256, P-384 or P-521, an Ed25519 or an RSA key")
