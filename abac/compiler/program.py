"""A program: everything that decides, compiled, immutable, and named by its revision.

The revision is the SHA-256 of a canonical text of the schema, the rule tree with conditions, obligations and
citations, and the versions of the functions and of the evaluator's meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from abac.compiler.combiner import combiner
from abac.compiler.generate import Run, generate
from abac.compiler.index import Index, build
from abac.compiler.link import DIRECTIVES, directive_policy
from abac.compiler.outcomes import Outcomes
from abac.compiler.runner import runner
from abac.condition.functions import Function
from abac.condition.schema import Schema
from abac.condition.text import condition_text
from abac.condition.types import ScalarType, Type
from abac.errors import Diagnostic
from abac.policy.decision import Obligation
from abac.policy.directive import Directive
from abac.policy.persons import PersonTest
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule

MEANING = 1
"""The version of what conditions and policies mean; raised when any answer can change."""


@dataclass(frozen=True)
class Program:
    """Compiled policies. Build one with `abac.compile`; share it freely between threads."""

    schema: Schema
    root: PolicySet
    functions: Mapping[str, Function]
    revision: str
    index: Index
    run: Run
    directives: tuple[Directive, ...] = ()
    persons: Mapping[str, PersonTest] = field(default_factory=dict)
    lists: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()


def assemble(
    schema: Schema,
    root: PolicySet,
    functions: Mapping[str, Function],
    *,
    directives: Sequence[Directive] = (),
    persons: Mapping[str, PersonTest] | None = None,
    lists: Mapping[str, frozenset[Any]] | None = None,
    warnings: Sequence[Diagnostic] = (),
) -> Program:
    """Index a linked tree and name it by its digest."""
    index, name = build(root, schema, functions), revision(schema, root, functions)
    return Program(
        schema,
        root,
        functions,
        name,
        index,
        generate(root, runner(index, combiner(root, index), Outcomes(index, name))),
        tuple(directives),
        persons or {},
        lists or {},
        tuple(warnings),
    )


def schema_digest(schema: Schema) -> str:
    """Return the SHA-256 of a schema, as 64 hexadecimal digits."""
    return _digest(_schema(schema))


def revision(schema: Schema, root: Policy | PolicySet, functions: Mapping[str, Function]) -> str:
    """Return the SHA-256 of all that decides, as 64 hexadecimal digits."""
    versions = {name: f.version for name, f in sorted(functions.items())}
    return _digest({"meaning": MEANING, "schema": _schema(schema), "functions": versions, "root": _node(root)})


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _schema(schema: Schema) -> list[list[Any]]:
    return sorted([d.path, _type(d.type), str(d.assurance), d.complete, d.sensitive] for d in schema)


def _type(kind: Type) -> list[Any]:
    return [kind.kind.value, *kind.values] if isinstance(kind, ScalarType) else ["set", *_type(kind.element)]


def _node(node: Policy | PolicySet) -> dict[str, Any]:
    head = {"id": node.id, "algorithm": node.algorithm.value, "default_deny": node.default_deny}
    if isinstance(node, PolicySet):
        return head | {"children": [_node(c) for c in node.children]}
    return head | {
        "rules": [_rule(r) | {"effect": r.effect.value} for r in node.rules],
        "obligations": [_rule(r) | {"rides_on": r.rides_on.value} for r in node.obligation_rules],
    }


def _rule(rule: Rule | ObligationRule) -> dict[str, Any]:
    cited = rule.citation
    return {
        "id": rule.id,
        "condition": condition_text(rule.condition, demands=True),
        "obligations": [_obligation(o) for o in rule.obligations],
        "cites": [cited.directive, cited.clause, cited.person_test],
    }


def _obligation(obligation: Obligation) -> list[Any]:
    return [obligation.id, dict(obligation.parameters), obligation.advice]


def select(program: Program, directives: Iterable[str], as_known_at: datetime | None = None) -> Program:
    """Return the program with only the named directives, by what was recorded up to `as_known_at`.

    Rows, schema, person tests and lists stay. Raises `KeyError` for a directive that the program does not have.
    """
    by_id = {d.id: d for d in program.directives}
    chosen = [by_id[name] for name in directives]
    rows = [child for child in program.root.children if child.id != DIRECTIVES]
    own = [directive_policy(chosen, as_known_at)] if chosen else []
    return assemble(
        program.schema,
        replace(program.root, children=(*own, *rows)),
        program.functions,
        directives=chosen,
        persons=program.persons,
        lists=program.lists,
        warnings=program.warnings,
    )
