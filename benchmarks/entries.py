"""Entries for the benchmarks of the log: decisions on the letter of 12 June, each with four sealed fields.

Encoded and sealed as in use, under the shipped policies: the subject, its citizenships, and the reasons and
unknown attributes that follow from them are commitments in the entry, and its opening is one encrypted row.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uuid_utils

from abac import Request, decide
from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.entry import Draft
from abac.audit.sealing import seal
from abac.compiler.program import Program
from abac.service.load import compile_policies

ROOT = Path(__file__).parents[1]
SEALED = 4
SUBJECTS = 1_000
START = datetime(2026, 6, 12, 22, tzinfo=UTC)


def drafts(count: int) -> list[Draft]:
    """Return so many sealed drafts, of a thousand subjects, a hundred to a millisecond."""
    program = under_the_letter()
    encoder = DecisionEncoder(program)
    keys = [(os.urandom(16), os.urandom(32)) for _ in range(SUBJECTS)]
    asked = [request(number) for number in range(SUBJECTS)]
    answered = [decide(program, request) for request in asked]
    made = []
    for number in range(count):
        who = number % SUBJECTS
        at = START + timedelta(microseconds=10 * number)
        held = Circumstances(request_id=f"req-{number:012}", commit="5f0c2b7e" * 5)
        identity = uuid_utils.uuid7().bytes
        unsealed = encoder.encode(identity, at, asked[who], answered[who], held)
        assert len(unsealed.secret) == SEALED
        made.append(seal(unsealed, *keys[who]))
    return made


def under_the_letter() -> Program:
    """Return the shipped rules with the letter of 12 June."""
    folder = ROOT / "policies"
    return compile_policies(
        folder / "schema.yaml",
        ROOT / "models" / "abac.conf",
        [folder / "rules" / "baseline.csv", folder / "directives" / "d1-foreign-nationals.yaml"],
    )


def request(number: int, countries: Sequence[str] = ("FR", "DE", "IN")) -> Request:
    """Return a customer's request for the model that the letter is about; whether they may reside is not known."""
    held = {"assurance": "documented", "complete": True, "source": "identity-provider"}
    return Request(
        subject={
            "id": f"u-{number:06}",
            "kind": "person",
            "relation": "customer",
            "citizenships_current": {"value": [countries[number % len(countries)]], **held},
        },
        action="invoke",
        resource={"id": "fable-5", "provider": "anthropic", "cyber_tier": 5, "access": "public"},
        environment={"now": START},
    )
