"""cedarpy (Cedar in Rust): a kept `PolicySet`; subject and resource kept as parsed `Entities`.

Cedar has no floats, and its `decimal` is an extension call: `risk` is a long, in millionths.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import ACTION, Asked, Conjunct, Relation, Rule, Workload, number, ranked

MILLION = 1_000_000


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in Cedar."""
    name = f"{'principal' if conjunct.category == 'subject' else 'resource'}.{conjunct.attribute}"
    constant = number(conjunct)
    value = json.dumps(round(constant * MILLION) if isinstance(constant, float) else constant)
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {value}"
        case Relation.IN:
            return f"{value}.contains({name})"
        case Relation.HAS:
            return f"{name}.contains({value})"
        case Relation.IS:
            return name if constant else f"!{name}"


def rule_text(rule: Rule) -> str:
    """Return a rule as a Cedar policy; Cedar's combining is deny-overrides with a default deny."""
    effect = "permit" if rule.permits else "forbid"
    body = " && ".join(map(conjunct_text, rule.conjuncts))
    return f'@id("{rule.name}") {effect} (principal, action == Action::"{ACTION}", resource) when {{ {body} }};'


def policy_text(workload: Workload) -> str:
    """Return the whole policy set."""
    return "\n".join(map(rule_text, workload.rules)) + "\n"


class Cedarpy(Peer):
    name = "cedarpy"
    distribution = "cedarpy"
    how = "kept `PolicySet`, requests kept as parsed `Entities`"

    def __init__(self, workload: Workload) -> None:
        import cedarpy  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.entities = cedarpy.Entities.from_json_str
        self.is_authorized = cedarpy.is_authorized
        self.policies = cedarpy.PolicySet.from_str(policy_text(workload))

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        subject = {**asked.subject, "risk": round(asked.subject["risk"] * MILLION)}
        who, which = {"type": "Subject", "id": subject["id"]}, {"type": "Model", "id": "model"}
        entities = [
            {"uid": who, "attrs": subject, "parents": []},
            {"uid": which, "attrs": asked.resource, "parents": []},
        ]
        request = {"principal": who, "action": {"type": "Action", "id": ACTION}, "resource": which}
        return request, self.entities(json.dumps(entities))

    def permits(self, held: Any) -> bool:
        return bool(self.is_authorized(held[0], self.policies, held[1]).allowed)
