"""The canonical form of everything that decides, and its digest: the revision.

Schema, rule tree (model, rows and directives as linked, with role links and lists written into the conditions),
directives with all their dated events, person tests, named lists, the functions' names, versions and signatures,
the posture, and the version of the evaluator's meaning. What only people read (files and lines, descriptions,
titles, evidence) is `disk.told`'s part: it may change without the revision changing. The order of files, of
attributes and of a list's members is no part of the form; the order of rows is, since some algorithms go by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from abac.compiler.canonical.nodes import Json, NodeForm, canonical_json, scalar_form, set_form
from abac.condition.functions import Function
from abac.condition.schema import Schema
from abac.policy.decision import Obligation
from abac.policy.directive import Clause, Directive, Exemption
from abac.policy.persons import PersonTest
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule

POSTURE = "strict"
"""What becomes of the undecidable under a program: it is not permitted. Any other is another program."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """The parts of a program that decide, however they came to be."""

    schema: Schema
    root: Policy | PolicySet
    functions: Mapping[str, Function]
    directives: Sequence[Directive] = ()
    persons: Mapping[str, PersonTest] = field(default_factory=dict)
    lists: Mapping[str, frozenset[Any]] = field(default_factory=dict)


def canonical_form(parts: Deciding, meaning: int) -> dict[str, Json]:
    """Return all that decides as one JSON object; what JSON cannot say shows when it is written."""
    nodes = NodeForm()
    root = _policy(parts.root, lambda rule: rule_form(rule, nodes))
    return _frame(parts, meaning, nodes) | {"root": root, "enums": nodes.enums}


def revision(parts: Deciding, meaning: int, digests: Mapping[int, str]) -> str:
    """Return the SHA-256 of the canonical form, each rule in it replaced by the SHA-256 of its own.

    `digests` are those of the rules by `id`, so that a program that differs from another in one rule is named
    without writing the others out again. An enum's name is made from its values, so a rule's form stands alone.
    """
    root = _policy(parts.root, lambda rule: digests[id(rule)])
    return digest({"frame": digest(_frame(parts, meaning, NodeForm())), "root": root})


def schema_form(schema: Schema) -> dict[str, Json]:
    """Return a schema as one JSON object."""
    nodes = NodeForm()
    return {"attributes": _schema(schema, nodes), "enums": nodes.enums}


def rule_digest(rule: Rule | ObligationRule, nodes: NodeForm) -> str:
    """Return the SHA-256 of one rule's canonical form; `nodes` may be shared by many."""
    return digest(rule_form(rule, nodes))


def _frame(parts: Deciding, meaning: int, nodes: NodeForm) -> dict[str, Json]:
    """Return the form of all but the rules."""
    return {
        "meaning": meaning,
        "posture": POSTURE,
        "functions": {name: _function(f, nodes) for name, f in parts.functions.items()},
        "schema": _schema(parts.schema, nodes),
        "directives": {d.id: _directive(d, nodes) for d in parts.directives},
        "persons": {
            key: {"name": test.name, "version": test.version, "condition": nodes.condition(test.condition)}
            for key, test in parts.persons.items()
        },
        "lists": {name: set_form(members) for name, members in parts.lists.items()},
        "enums": nodes.enums,  # the last: the lines above fill it
    }


def digest(form: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a form's canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(form).encode()).hexdigest()


def _function(function: Function, nodes: NodeForm) -> Json:
    return {
        "version": function.version,
        "parameters": [nodes.type(p) for p in function.parameters],
        "result": nodes.type(function.result),
    }


def _schema(schema: Schema, nodes: NodeForm) -> Json:
    return {
        d.path: {
            "type": nodes.type(d.type),
            "assurance": str(d.assurance),
            "complete": d.complete,
            "sensitive": d.sensitive,
        }
        for d in schema
    }


def _policy(node: Policy | PolicySet, form: Callable[[Rule | ObligationRule], Json]) -> dict[str, Json]:
    head: dict[str, Json] = {"id": node.id, "algorithm": node.algorithm.value, "default_deny": node.default_deny}
    if isinstance(node, PolicySet):
        return head | {"children": [_policy(child, form) for child in node.children]}
    return head | {
        "rules": [form(r) for r in node.rules],
        "obligation_rules": [form(r) for r in node.obligation_rules],
    }


def rule_form(rule: Rule | ObligationRule, nodes: NodeForm) -> dict[str, Json]:
    """Return the form of a rule, or of an obligation rule."""
    cited = rule.citation
    effect = {"effect": rule.effect.value} if isinstance(rule, Rule) else {"rides_on": rule.rides_on.value}
    return effect | {
        "id": rule.id,
        "condition": nodes.condition(rule.condition),
        "obligations": [_obligation(o) for o in rule.obligations],
        "cites": [cited.directive, cited.clause, cited.person_test],
    }


def _obligation(obligation: Obligation) -> Json:
    return {"id": obligation.id, "parameters": dict(obligation.parameters), "advice": obligation.advice}


def _directive(directive: Directive, nodes: NodeForm) -> Json:
    return {
        "kind": directive.kind,
        "binding": directive.binding,
        "clauses": [_clause(c, nodes) for c in directive.clauses],
        "exemptions": [_exemption(e, nodes) for e in directive.exemptions],
        "events": [[e.event.value, _at(e.at), _at(e.recorded)] for e in directive.events],
        "person_test": directive.person_test,
        "requires": {path: str(least) for path, least in directive.requires},
        "in_flight": directive.in_flight,
    }


def _clause(clause: Clause, nodes: NodeForm) -> Json:
    return {
        "id": clause.id,
        "kind": clause.kind.value,
        "subject": nodes.condition(clause.subject),
        "resource": nodes.condition(clause.resource),
        "action": nodes.condition(clause.action),
        "obligations": [_obligation(o) for o in clause.obligations],
    }


def _exemption(exemption: Exemption, nodes: NodeForm) -> Json:
    return {
        "id": exemption.id,
        "condition": nodes.condition(exemption.condition),
        "from": _at(exemption.interval.start),
        "until": _at(exemption.interval.end),
        "clauses": list(exemption.clauses),
    }


def _at(moment: datetime | None) -> Json:
    return None if moment is None else scalar_form(moment)
