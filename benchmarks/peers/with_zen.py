"""zen-engine (GoRules, in Rust), in its two ways: a decision table, and one expression of its language.

The table has the denying rows first and stops at the first row that matches, so it is deny-overrides: a denying
row that matches is met before any permitting one. Requests are kept as bytes of JSON, which it reads fastest.
"""

from __future__ import annotations

import json

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import Asked, Conjunct, Relation, Rule, Workload, number, ranked

INPUTS = (
    "subject.department",
    "subject.age",
    "subject.risk",
    "subject.location",
    "subject.citizenships",
    "subject.protected",
    "resource.tier",
    "resource.capability",
)


def cell(conjunct: Conjunct) -> str:
    """Return a conjunct as the cell of a decision table, where `$` is the column's value."""
    value = json.dumps(number(conjunct))
    match conjunct.relation:
        case Relation.EQUALS | Relation.IS:
            return value
        case Relation.IN:
            return value[1:-1]
        case Relation.HAS:
            return f"contains($, {value})"
        case Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{conjunct.relation.value} {value}"


def row(rule: Rule) -> dict[str, str]:
    """Return a rule as a row; an attribute that it does not test is an empty cell."""
    cells = {f"{c.category}.{c.attribute}": cell(c) for c in rule.conjuncts}
    answer = {"permits": "true" if rule.permits else "false"}
    return {"_id": rule.name, **{name: cells.get(name, "") for name in INPUTS}, **answer}


def table_text(workload: Workload) -> str:
    """Return the graph of one table as JSON."""
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in INPUTS],
        "outputs": [{"id": "permits", "name": "permits", "field": "permits"}],
        "rules": [row(rule) for rule in sorted(workload.rules, key=lambda rule: rule.permits)],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in the engine's expression language."""
    name, value = f"{conjunct.category}.{conjunct.attribute}", json.dumps(number(conjunct))
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {value}"
        case Relation.IN:
            return f"{name} in {value}"
        case Relation.HAS:
            return f"{value} in {name}"
        case Relation.IS:
            return f"{name} == {value}"


def expression_text(workload: Workload) -> str:
    """Return one expression: no denying rule holds, and a permitting one does."""
    sides = {}
    for permits in (True, False):
        rules = [rule for rule in workload.rules if rule.permits is permits]
        sides[permits] = " or ".join(f"({' and '.join(map(conjunct_text, rule.conjuncts))})" for rule in rules)
    return f"not ({sides[False] or 'false'}) and ({sides[True] or 'false'})"


class ZenTable(Peer):
    name = "zen-engine, decision table"
    distribution = "zen-engine"
    how = "one kept decision table that stops at the first hit, requests kept as bytes of JSON"

    def __init__(self, workload: Workload) -> None:
        import zen  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.engine = zen.ZenEngine()
        self.decision = self.engine.create_decision(zen.ZenDecisionContent(table_text(workload)))

    def hold(self, asked: Asked) -> bytes:
        return json.dumps(ranked(asked)._asdict()).encode()

    def permits(self, held: bytes) -> bool:
        return self.decision.evaluate(held)["result"].get("permits") is True


class ZenExpression(Peer):
    name = "zen-engine, one expression"
    distribution = "zen-engine"
    how = "one compiled expression, a bare boolean; requests kept as bytes of JSON"
    timed = 5_000

    def __init__(self, workload: Workload) -> None:
        import zen  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.expression = zen.compile_expression(expression_text(workload))

    def hold(self, asked: Asked) -> bytes:
        return json.dumps(ranked(asked)._asdict()).encode()

    def permits(self, held: bytes) -> bool:
        return self.expression.evaluate(held) is True
