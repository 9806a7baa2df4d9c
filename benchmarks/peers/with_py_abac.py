"""py-abac: JSON policies in its memory storage under deny-overrides."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import ACTION, Asked, Conjunct, Relation, Rule, Workload, number, ranked


def condition(conjunct: Conjunct) -> dict[str, Any]:
    """Return a conjunct as one of py-abac's conditions. It has no boolean: a bool is compared as a number."""
    value = number(conjunct)
    match conjunct.relation:
        case Relation.EQUALS:
            return {"condition": "Equals", "value": value}
        case Relation.IS:
            return {"condition": "Eq", "value": int(value)}
        case Relation.IN:
            return {"condition": "IsIn", "values": list(value)}
        case Relation.HAS:
            return {"condition": "AnyIn", "values": [value]}
        case Relation.AT_LEAST:
            return {"condition": "Gte", "value": value}
        case Relation.AT_MOST:
            return {"condition": "Lte", "value": value}
        case Relation.BELOW:
            return {"condition": "Lt", "value": value}


def policy(rule: Rule) -> dict[str, Any]:
    """Return a rule as a JSON policy; the action is its target."""
    rules: dict[str, dict[str, Any]] = {"subject": {}, "resource": {}}
    for conjunct in rule.conjuncts:
        rules[conjunct.category][f"$.{conjunct.attribute}"] = condition(conjunct)
    return {
        "uid": rule.name,
        "rules": rules,
        "targets": {"action_id": ACTION},
        "effect": "allow" if rule.permits else "deny",
    }


class PyAbac(Peer):
    name = "py-abac"
    distribution = "py-abac"
    how = "`PDP` over a `MemoryStorage`, requests kept as `AccessRequest`"
    timed = 1_000
    scales = False

    def __init__(self, workload: Workload) -> None:
        import py_abac  # noqa: PLC0415  # a peer is loaded when it is its turn
        from py_abac.storage.memory import MemoryStorage  # noqa: PLC0415  # as above

        self.request = py_abac.AccessRequest.from_json
        storage = MemoryStorage()
        for rule in workload.rules:
            storage.add(py_abac.Policy.from_json(policy(rule)))
        self.point = py_abac.PDP(storage, py_abac.EvaluationAlgorithm.DENY_OVERRIDES)

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        return self.request(
            {
                "subject": {"id": asked.subject["id"], "attributes": asked.subject},
                "resource": {"id": "model", "attributes": asked.resource},
                "action": {"id": ACTION, "attributes": {}},
                "context": {},
            }
        )

    def permits(self, held: Any) -> bool:
        return bool(self.point.is_allowed(held))
