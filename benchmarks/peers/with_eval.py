"""Python's own `eval` of compiled rules, one by one and as one expression: floors, and no access-control engines.

They explain nothing and know no unknowns, and to them a hostile rule is code to run.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import Asked, Conjunct, Relation, Rule, Workload, number, ranked


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct in Python."""
    name, value = f"{conjunct.category}_{conjunct.attribute}", number(conjunct)
    match conjunct.relation:
        case Relation.EQUALS | Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {value!r}"
        case Relation.IN:
            return f"{name} in {value!r}"
        case Relation.HAS:
            return f"{value!r} in {name}"
        case Relation.IS:
            return name if value else f"not {name}"


def rule_text(rule: Rule) -> str:
    """Return a rule's condition."""
    return f"({' and '.join(map(conjunct_text, rule.conjuncts))})"


def policy_text(workload: Workload) -> str:
    """Return one expression: no denying rule holds, and a permitting one does."""
    sides = {}
    for permits in (True, False):
        rules = [rule for rule in workload.rules if rule.permits is permits]
        sides[permits] = " or ".join(map(rule_text, rules))
    return f"not ({sides[False] or 'False'}) and ({sides[True] or 'False'})"


def names(asked: Asked) -> dict[str, Any]:
    """Return a request as the globals of an expression."""
    asked = ranked(asked)
    subject = {f"subject_{name}": value for name, value in asked.subject.items()}
    resource = {f"resource_{name}": value for name, value in asked.resource.items()}
    return {**subject, **resource, "__builtins__": {}}


class EvalRules(Peer):
    name = "Python's `eval`, a code object per rule"
    distribution = ""
    how = "code objects and a dictionary of names kept; stops at the first denying rule, else the first permitting"
    floor = True
    timed = 5_000

    def __init__(self, workload: Workload) -> None:
        codes: dict[bool, list[CodeType]] = {True: [], False: []}
        for rule in workload.rules:
            codes[rule.permits].append(compile(rule_text(rule), rule.name, "eval"))
        self.permitting, self.denying = codes[True], codes[False]

    def hold(self, asked: Asked) -> dict[str, Any]:
        return names(asked)

    def permits(self, held: dict[str, Any]) -> bool:
        for code in self.denying:
            if eval(code, held):  # noqa: S307  # the floor is what eval costs; the text is our own
                return False
        return any(eval(code, held) for code in self.permitting)  # noqa: S307  # as above


class EvalExpression(Peer):
    name = "Python's `eval`, one compiled expression"
    distribution = ""
    how = "one code object and a dictionary of names kept; a bare boolean"
    floor = True
    timed = 20_000
    chunk = 10

    def __init__(self, workload: Workload) -> None:
        self.code = compile(policy_text(workload), "policy", "eval")

    def hold(self, asked: Asked) -> dict[str, Any]:
        return names(asked)

    def permits(self, held: dict[str, Any]) -> bool:
        return bool(eval(self.code, held))  # noqa: S307  # the floor is what eval costs; the text is our own
