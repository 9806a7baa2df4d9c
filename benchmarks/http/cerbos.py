"""Cerbos: the neutral policy as a resource policy with CEL conditions, its own server from the npm package."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from benchmarks.peers.workload import ACTION, Conjunct, Relation, Workload, number

CONFIG = """\
server:
  httpListenAddr: "127.0.0.1:{port}"
  grpcListenAddr: "127.0.0.1:{other}"
  requestLimits: {{maxActionsPerResource: 50, maxResourcesPerRequest: 50}}
telemetry: {{disabled: true}}
audit: {{enabled: false}}
storage:
  driver: disk
  disk: {{directory: "{folder}", watchForChanges: false}}
"""


def expression(conjunct: Conjunct) -> str:
    """Return a conjunct in CEL."""
    name = f"{'P' if conjunct.category == 'subject' else 'R'}.attr.{conjunct.attribute}"
    value = json.dumps(number(conjunct) if conjunct.relation is not Relation.IN else list(conjunct.value))
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {_double(value)}"
        case Relation.IN:
            return f"{name} in {value}"
        case Relation.HAS:
            return f"{value} in {name}"
        case Relation.IS:
            return f"{name} == {value}"


def _double(value: str) -> str:
    """Numbers of JSON are doubles to Cerbos."""
    return f"double({value})" if value[0] in "-0123456789" else value


def write(folder: Path, workload: Workload, port: int) -> Path:
    """Write policy and configuration into a folder; return the configuration's path."""
    rules = [
        {
            "name": rule.name,
            "actions": [ACTION],
            "roles": ["user"],
            "effect": "EFFECT_ALLOW" if rule.permits else "EFFECT_DENY",
            "condition": {"match": {"all": {"of": [{"expr": expression(c)} for c in rule.conjuncts]}}},
        }
        for rule in workload.rules
    ]
    policies = folder / "policies"
    policies.mkdir(parents=True, exist_ok=True)
    policy = {"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": {"resource": "model", "version": "default"}}
    policy["resourcePolicy"]["rules"] = rules  # type: ignore[index]  # a dictionary
    (policies / "model.yaml").write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    config = folder / "cerbos.yaml"
    config.write_text(CONFIG.format(port=port, other=port + 1, folder=policies), encoding="utf-8")
    return config


def permits(answer: dict[str, object]) -> bool:
    """Return what Cerbos answered."""
    (result,) = answer["results"]  # type: ignore[misc]  # one resource was asked about
    return bool(result["actions"][ACTION] == "EFFECT_ALLOW")  # type: ignore[index]  # as above
