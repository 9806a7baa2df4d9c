"""regopy (Rego in C++): a module built into a bundle with one entry point, queried with inputs made beforehand."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import Asked, Conjunct, Relation, Workload, number, ranked


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in Rego."""
    name, value = f"input.{conjunct.category}.{conjunct.attribute}", json.dumps(number(conjunct))
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {value}"
        case Relation.IN:
            return f"{name} in {{{value[1:-1]}}}"
        case Relation.HAS:
            return f"{value} in {name}"
        case Relation.IS:
            return name if conjunct.value else f"{name} == false"


def policy_text(workload: Workload) -> str:
    """Return one module: `allow` where no rule denies and one permits."""
    lines = ["package access", "", "default allow := false", "", "allow if {", "  not denied", "  permitted", "}"]
    for rule in workload.rules:
        body = "; ".join(map(conjunct_text, rule.conjuncts))
        lines.append(f"{'permitted' if rule.permits else 'denied'} if {{ {body} }}")
    return "\n".join(lines) + "\n"


class Regopy(Peer):
    name = "regopy"
    distribution = "regopy"
    how = "compiled bundle with an entry point, requests kept as `Input`; setting the input is inside the clock"
    timed = 500
    scales = False

    def __init__(self, workload: Workload) -> None:
        import regopy  # noqa: PLC0415  # a peer is loaded when it is its turn

        self.input = regopy.Input
        self.interpreter = regopy.Interpreter()
        self.interpreter.add_module("access", policy_text(workload))
        self.bundle = self.interpreter.build(None, ["access/allow"])

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        return self.input({"subject": asked.subject, "resource": asked.resource})

    def permits(self, held: Any) -> bool:
        self.interpreter.set_input(held)
        output = self.interpreter.query_bundle_entrypoint(self.bundle, "access/allow")
        return output.expressions()[0].value is True
