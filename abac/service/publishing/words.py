"""A program in words: named parts with readable fields, by section, for people to compare.

Every part that decides is here; rules without an id of their own are named by what they say, so that a row put in
between renames no other.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from abac.audit.clock import stamp
from abac.compiler.link import DIRECTIVES
from abac.compiler.program import Program
from abac.condition.text import condition_text, scalar_text
from abac.policy.decision import Obligation
from abac.policy.directive import Clause, Directive, Exemption
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

Fields = Mapping[str, str | tuple[str, ...]]
Parts = Mapping[str, Fields]


def described(program: Program) -> Mapping[str, Parts]:
    """Return the parts of a program by section and name, each with readable fields."""
    return {
        "policies": dict(_combining(program.root)),
        "rules": _rules(program),
        "directives": {d.id: _directive(d) for d in program.directives},
        "lists": {name: {"members": _sorted(members)} for name, members in sorted(program.lists.items())},
        "attributes": {
            d.path: {
                "type": str(d.type),
                "assurance": str(d.assurance),
                "set": ("complete" if d.complete else "incomplete") if d.is_set else "",
                "sensitive": "yes" if d.sensitive else "no",
            }
            for d in program.schema
        },
        "persons": {t.id: {"condition": _text(t.condition)} for t in program.persons.values()},
        "functions": {name: {"version": str(f.version)} for name, f in sorted(program.functions.items())},
        "told": _told(program),
    }


def _combining(node: Policy | PolicySet) -> list[tuple[str, Fields]]:
    fields: dict[str, str | tuple[str, ...]] = {
        "algorithm": node.algorithm.value,
        "default": "deny" if node.default_deny else "none",
    }
    if isinstance(node, Policy):
        ordered = node.algorithm.in_order
        return [(node.id, fields | ({"order": tuple(_name(r) for r in node.rules)} if ordered else {}))]
    fields["children"] = tuple(child.id for child in node.children)
    return [(node.id, fields), *(part for child in node.children for part in _combining(child))]


def _rules(program: Program) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    seen: Counter[str] = Counter()
    for policy in policies(program.root):
        if policy.id == DIRECTIVES:  # they follow from the directives, which are told as such
            continue
        rules: tuple[Rule | ObligationRule, ...] = (*policy.rules, *policy.obligation_rules)
        for rule in rules:
            name = f"{policy.id}/{_name(rule)}"
            seen[name] += 1
            found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = _rule(rule)
    return found


def _name(rule: Rule | ObligationRule) -> str:
    """Return a rule's id, or its file's name with a digest of what it says where the id is a row's number."""
    stem, _, number = rule.id.rpartition("#")
    if not (stem and number.isdigit()):
        return rule.id
    said = repr(sorted(_rule(rule).items())).encode()
    return f"{stem}~{hashlib.sha256(said).hexdigest()[:8]}"


def _rule(rule: Rule | ObligationRule) -> Fields:
    effect = rule.effect.value if isinstance(rule, Rule) else f"rides on {rule.rides_on.value}"
    owed = tuple(map(_owed, rule.obligations))
    return {"effect": effect, "condition": _text(rule.condition), "obligations": owed}


def _directive(directive: Directive) -> Fields:
    fields: dict[str, str | tuple[str, ...]] = {
        "kind": directive.kind,
        "binding": "yes" if directive.binding else "no",
        "person test": directive.person_test,
        "in flight": directive.in_flight,
        "requires": tuple(f"{path}: {least}" for path, least in directive.requires),
        "events": tuple(
            f"{e.event.value} at {stamp(e.at)}, recorded {stamp(e.recorded)}" for e in directive.events
        ),
        "clauses": tuple(map(_clause, directive.clauses)),
        "exemptions": tuple(map(_exemption, directive.exemptions)),
    }
    return fields


def _clause(clause: Clause) -> str:
    owed = "".join(f"; {_owed(o)}" for o in clause.obligations)
    who, what, how = _text(clause.subject), _text(clause.resource), _text(clause.action)
    return f"{clause.id}: {clause.kind.value} subject {who}; resource {what}; action {how}{owed}"


def _exemption(exemption: Exemption) -> str:
    start, end = (moment and stamp(moment) for moment in (exemption.interval.start, exemption.interval.end))
    when = "".join((f" from {start}" if start else "", f" until {end}" if end else ""))
    of = f" from {', '.join(exemption.clauses)}" if exemption.clauses else ""
    return f"{exemption.id}: let off{of}{when} if {_text(exemption.condition)}"


def _owed(obligation: Obligation) -> str:
    word = "advice" if obligation.advice else "obligation"
    parameters = "".join(f" {k}={v!r}" for k, v in sorted(obligation.parameters.items()))
    return f"{word} {obligation.id}{parameters}"


def _told(program: Program) -> dict[str, Fields]:
    """Return what people are told of directives and person tests, as one line a key."""
    found: dict[str, Fields] = {d.id: {key: _line(value) for key, value in d.about} for d in program.directives}
    for test in program.persons.values():
        found[test.id] = {"title": test.title, "source": test.source}
    return found


def _line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _text(condition: Any) -> str:
    return condition_text(condition, demands=True)


def _sorted(members: frozenset[Any]) -> tuple[str, ...]:
    return tuple(sorted(map(scalar_text, members)))
