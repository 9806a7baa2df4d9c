"""A decision point under an order, for what enforces: who may use which model."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import abac
from abac.client import Evaluation, Resource, Subject
from abac.client.wire import Action
from tests.reading import ROOT

IN_FORCE = datetime(2026, 6, 12, 21, 30, tzinfo=UTC)
BEFORE = datetime(2026, 6, 12, 21, 0, tzinfo=UTC)
PROVIDER = "https://provider.example"
FABLE = {"access": "public", "released": "2026-06-09T16:00:00Z", "cyber_tier": 5}
ON_FILE = {
    "relation": "customer",
    "organisation": "none",
    "protected_individual": {"value": False, "assurance": "verified"},
    "residencies_permanent": {"value": [], "assurance": "verified", "complete": True},
}


@cache
def program() -> abac.Program:
    """The shipped rules under the first directive."""
    return abac.compile(
        schema=ROOT / "policies" / "schema.yaml",
        model=ROOT / "models" / "abac.conf",
        policies=[
            ROOT / "policies" / "rules" / "baseline.csv",
            ROOT / "policies" / "directives" / "d1-foreign-nationals.yaml",
        ],
    )


def invoke(who: str, citizenship: str | None, model: str = "fable-5", **context) -> Evaluation:
    """The question whether a person of that citizenship, or of one unknown, may use a model."""
    known = {"value": [citizenship], "assurance": "verified", "complete": True}
    properties = ON_FILE | ({"citizenships_current": known} if citizenship else {})
    return Evaluation(
        Subject("person", who, properties), Action("invoke"), Resource("model", model, FABLE), context or None
    )
