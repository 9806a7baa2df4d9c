"""abac itself: the rows as Casbin text through `abac.compile`, and the full outcome.

Timed from plain dictionaries: making the `Request` with its checks, `decide`, and reading the decision, the rule
ids of the reasons, the unknown attributes and the obligations.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import abac
from benchmarks.peers.peer import Peer
from benchmarks.peers.with_pycasbin import row
from benchmarks.peers.workload import ACTION, TIERS, Asked, Conjunct, Relation, Workload

MODEL = Path(__file__).parents[2] / "models" / "abac.conf"
SCHEMA = f"""
schema: abac/1
attributes:
  subject:
    id: {{type: string}}
    department: {{type: string}}
    age: {{type: int}}
    risk: {{type: float}}
    location: {{type: {{enum: countries}}}}
    citizenships: {{type: {{set of: {{enum: countries}}}}}}
    protected: {{type: bool}}
  resource:
    tier: {{type: {{ordered: [{", ".join(TIERS)}]}}}}
    capability: {{type: int}}
  action:
    name: {{type: string}}
"""


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in the text of a Casbin matcher, where abac knows the order of tiers by their names."""
    name = f"r.{'sub' if conjunct.category == 'subject' else 'obj'}.{conjunct.attribute}"
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {json.dumps(conjunct.value)}"
        case Relation.IN:
            return f"{name} in ({', '.join(map(json.dumps, conjunct.value))})"
        case Relation.HAS:
            return f"{json.dumps(conjunct.value)} in {name}"
        case Relation.IS:
            return name if conjunct.value else f"!{name}"


def program(workload: Workload) -> abac.Program:
    """Compile the policy from the files that a user would write."""
    with tempfile.TemporaryDirectory() as folder:
        schema, rows = Path(folder, "schema.yaml"), Path(folder, "rows.csv")
        schema.write_text(SCHEMA)
        rows.write_text("".join(row(rule, conjunct_text, "true") for rule in workload.rules))
        return abac.compile(schema, MODEL, [rows])


class Abac(Peer):
    name = "abac"
    distribution = "abac"
    how = (
        "from plain dictionaries: `abac.Request` made, checked and decided, and the decision, rule ids, unknowns "
        "and obligations read, all inside the clock"
    )
    timed = 22_000
    chunk = 50

    def __init__(self, workload: Workload) -> None:
        self.program = program(workload)

    def hold(self, asked: Asked) -> tuple[dict[str, Any], dict[str, Any]]:
        return asked.subject, asked.resource

    def permits(self, held: tuple[dict[str, Any], dict[str, Any]]) -> bool:
        return abac.decide(self.program, abac.Request(held[0], ACTION, held[1])).permitted

    def over(self, held: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        program, decide, make, action = self.program, abac.decide, abac.Request, ACTION
        for subject, resource in held:
            outcome = decide(program, make(subject, action, resource))
            outcome.decision  # noqa: B018  # reading it is part of what is timed
            outcome.rules  # noqa: B018  # as above
            outcome.unknown  # noqa: B018  # as above
            outcome.obligations  # noqa: B018  # as above
