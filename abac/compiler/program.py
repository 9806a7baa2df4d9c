"""A program: everything that decides, compiled, immutable, and named by its revision.

What goes into the revision is `canonical`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from abac.compiler.canonical import Deciding, digest, revision, rule_digest, schema_form
from abac.compiler.canonical.nodes import NodeForm
from abac.compiler.combiner import combiner
from abac.compiler.index import Index, build, conjuncts
from abac.compiler.index.succession import successor
from abac.compiler.link import DIRECTIVES, directive_policy
from abac.compiler.outcomes import Outcomes
from abac.compiler.quick import Run, generate
from abac.compiler.runner import runner
from abac.condition.expr import Attribute, attributes, walk
from abac.condition.functions import Function
from abac.condition.schema import Assurance, Schema
from abac.errors import Diagnostic
from abac.policy.directive import Directive
from abac.policy.persons import PersonTest
from abac.policy.rule import PolicySet, policies

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
    digests: Mapping[int, str] = field(repr=False)
    """The SHA-256 of every rule's canonical form, by the rule's `id`."""
    directives: tuple[Directive, ...] = ()
    persons: Mapping[str, PersonTest] = field(default_factory=dict)
    lists: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @cached_property
    def demands(self) -> Mapping[str, Assurance]:
        """Every attribute that a rule reads, by full name, with the most assurance that one demands of it."""
        found: dict[str, Assurance] = {}
        for policy in policies(self.root):
            for node in (node for rule in policy.rules for node in walk(rule.condition)):
                if isinstance(node, Attribute):
                    path = node.path
                    found[path] = max(node.least, found.get(path, node.least))
        return found

    @cached_property
    def entangled(self) -> frozenset[int]:
        """The conditions of rules, by their `id`, that have a conjunct over several attributes."""
        each = (rule.condition for policy in policies(self.root) for rule in policy.rules)
        return frozenset(id(own) for own in each if any(len(attributes(c)) > 1 for c in conjuncts(own)))


def assemble(
    schema: Schema,
    root: PolicySet,
    functions: Mapping[str, Function],
    *,
    directives: Sequence[Directive] = (),
    persons: Mapping[str, PersonTest] | None = None,
    lists: Mapping[str, frozenset[Any]] | None = None,
    warnings: Sequence[Diagnostic] = (),
    previous: Program | None = None,
) -> Program:
    """Index a linked tree and name it by its digest.

    With a `previous` program over the same schema and functions, rules that are still the same objects are not
    sorted again: to publish one rule more or less among thousands costs a small part of a compilation.
    """
    index, known = None, previous.digests if previous is not None else {}
    if previous is not None and (schema, functions) == (previous.schema, previous.functions):
        index = successor(previous.index, previous.root, root)
    if index is None:
        index = build(root, schema, functions)
    nodes = NodeForm()
    once = {id(rule): rule for rule in index.rules.values()}
    digests = {name: known.get(name) or rule_digest(rule, nodes) for name, rule in once.items()}
    parts = Deciding(schema, root, functions, directives, persons or {}, lists or {})
    name = revision(parts, MEANING, digests)
    return Program(
        schema,
        root,
        functions,
        name,
        index,
        generate(root, runner(index, combiner(root, index), Outcomes(index, name))),
        digests,
        tuple(directives),
        parts.persons,
        parts.lists,
        tuple(warnings),
    )


def schema_digest(schema: Schema) -> str:
    """Return the SHA-256 of a schema, as 64 hexadecimal digits."""
    return digest(schema_form(schema))


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
