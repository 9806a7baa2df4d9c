"""Schemas, programs and keys that the tests of entries share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.entry import Draft, Entry, placed, read_entry
from abac.audit.sealing import seal, unseal
from abac.compiler.program import Program
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import STRING
from abac.policy.decision import Outcome
from abac.policy.request import Request
from tests.agreement.strategies import SCHEMA

AT = datetime(2026, 6, 12, 21, 21, 0, 7, tzinfo=UTC)
ID = bytes(range(16))
HANDLE, KEY = bytes(15) + b"h", bytes(31) + b"k"


def schema(sensitive: Iterable[str] = ()) -> Schema:
    """The agreement tests' schema, with some attributes sensitive, and a subject's id."""
    hidden = set(sensitive)
    own = [replace(d, sensitive=d.path in hidden) for d in SCHEMA]
    return Schema.of([*own, AttributeDefinition(Category.SUBJECT, "id", STRING)])


def drafted(
    program: Program, request: Request, outcome: Outcome, circumstances: Circumstances | None = None
) -> Draft:
    unsealed = DecisionEncoder(program).encode(ID, AT, request, outcome, circumstances or Circumstances())
    return seal(unsealed, HANDLE, KEY)


def stored(draft: Draft) -> Entry:
    return read_entry(placed(draft.body, 3, "2026-06-12T21:21:00.000009Z"))


def opened(draft: Draft) -> dict[str, tuple[bytes, bytes]]:
    entry = stored(draft)
    return unseal(entry, draft.opening, KEY) if draft.opening else {}
