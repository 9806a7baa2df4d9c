"""oso: a Polar policy over dictionaries, which stay in its Rust core; classes would call back into Python."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import ACTION, Asked, Conjunct, Relation, Workload, number, ranked


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in Polar."""
    name, value = f"{conjunct.category}.{conjunct.attribute}", json.dumps(number(conjunct))
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW | Relation.IS:
            operator = "==" if conjunct.relation is Relation.IS else conjunct.relation.value
            return f"{name} {operator} {value}"
        case Relation.IN:
            return f"{name} in {value}"
        case Relation.HAS:
            return f"{value} in {name}"


def policy_text(workload: Workload) -> str:
    """Return the policy: `allow` where no rule denies and one permits."""
    lines = [
        f'allow(subject, "{ACTION}", resource) if',
        "  not denied(subject, resource) and",
        "  permitted(subject, resource);",
    ]
    for rule in workload.rules:
        body = " and ".join(map(conjunct_text, rule.conjuncts))
        # Polar refuses a parameter that is named and not used.
        resource = "resource" if any(c.category == "resource" for c in rule.conjuncts) else "_resource"
        lines.append(f"{'permitted' if rule.permits else 'denied'}(subject, {resource}) if {body};")
    return "\n".join(lines) + "\n"


class Oso(Peer):
    name = "oso"
    distribution = "oso"
    how = "`Oso` kept, `is_allowed` on dictionaries"
    timed = 100
    scales = False

    def __init__(self, workload: Workload) -> None:
        import oso  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.oso = oso.Oso()
        self.oso.load_str(policy_text(workload))

    def hold(self, asked: Asked) -> Any:
        return ranked(asked)

    def permits(self, held: Any) -> bool:
        return bool(self.oso.is_allowed(held.subject, ACTION, held.resource))
