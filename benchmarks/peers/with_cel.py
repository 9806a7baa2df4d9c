"""common-expression-language (CEL in Rust), a language of conditions: the whole policy as one expression."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import Asked, Conjunct, Relation, Workload, number, ranked


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in CEL."""
    name, value = f"{conjunct.category}_{conjunct.attribute}", number(conjunct)
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {json.dumps(value)}"
        case Relation.IN:
            return f"{name} in {json.dumps(value)}"
        case Relation.HAS:
            return f"{json.dumps(value)} in {name}"
        case Relation.IS:
            return name if value else f"!{name}"


def policy_text(workload: Workload) -> str:
    """Return one expression: no denying rule holds, and a permitting one does."""
    sides = {}
    for permits in (True, False):
        rules = [rule for rule in workload.rules if rule.permits is permits]
        sides[permits] = " || ".join(f"({' && '.join(map(conjunct_text, rule.conjuncts))})" for rule in rules)
    return f"!({sides[False] or 'false'}) && ({sides[True] or 'false'})"


class Cel(Peer):
    name = "common-expression-language"
    distribution = "common-expression-language"
    how = "one compiled program, requests kept as `cel.Context`"
    timed = 5_000

    def __init__(self, workload: Workload) -> None:
        import cel  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.context = cel.Context
        self.program = cel.compile(policy_text(workload))

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        subject = {f"subject_{name}": value for name, value in asked.subject.items()}
        resource = {f"resource_{name}": value for name, value in asked.resource.items()}
        return self.context(subject | resource)

    def permits(self, held: Any) -> bool:
        return self.program.execute(held) is True
