"""The tests that a narrower rule may be made of: over what can be collected, in the forms that types allow.

From the policies: every part of a directive's subject condition that reads nothing else, as people wrote it,
counted by the conditions in it. From the population: equality with values seen of those to be stopped, any-of and
none-of for sets and lists of the policies, thresholds at their quantiles and wherever a policy compares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from abac.compiler.program import Program
from abac.condition.expr import And, Attribute, Comparison, Condition, Constant, Or, attributes, walk
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text, scalar_text
from abac.condition.types import Kind, ScalarType, SetType
from abac.errors import CompileError, Findings, Span
from abac.language.condition import Context, read_condition
from abac.language.countries import country_type
from abac.language.yaml_source import Text
from abac.policy.directive import ClauseKind
from abac.policy.rule import policies
from abac.simulation.narrowing.problem import Test
from abac.simulation.population import ID

VALUES = 8
"""Values of one attribute that are tested for equality: those most often seen among the people to be stopped."""

CUTS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Quantiles, among the people to be stopped, at which numbers are cut."""


@dataclass(frozen=True)
class Words:
    """Tests with their conditions, and the assurance that a document of them must demand of each attribute."""

    tests: tuple[Test, ...]
    conditions: tuple[Condition, ...]
    requires: Mapping[str, Assurance]


def collectable(program: Program, *, named: Collection[str] = (), without: Collection[str] = ()) -> list[str]:
    """Return the subject attributes that rules may read: those named, or all that the schema lets be collected."""
    every = [d for d in program.schema if d.category is Category.SUBJECT and d.path != ID]
    chosen = [d.path for d in every if (d.path in named if named else d.collectable)]
    return [path for path in chosen if path not in without]


def vocabulary(program: Program, paths: Collection[str], facts: pl.DataFrame, wanted: pl.Series) -> Words:
    """Return the tests over some attributes; `facts` is what is on file, `wanted` marks whom to stop."""
    requires = demands(program, paths)
    vocabulary = Vocabulary(program.schema, program.functions).demanding(requires)
    context = Context(vocabulary, program.lists, program.persons)
    tests: dict[Condition, Test] = {}
    for test in (*written(program, paths), *observed(program, paths, facts.filter(wanted))):
        findings = Findings()
        condition = read_condition(Text(test.text, Span("<test>")), context, findings)
        findings.raise_errors(CompileError)
        assert condition is not None  # noqa: S101  # no errors, so there is one
        if condition not in tests or tests[condition].size > test.size:
            tests[condition] = test
    return Words(tuple(tests.values()), tuple(tests), requires)


def demands(program: Program, paths: Collection[str]) -> dict[str, Assurance]:
    """Return the most assurance that any directive demands of each attribute."""
    least: dict[str, Assurance] = {}
    for directive in program.directives:
        for path, level in directive.requires:
            if path in paths:
                least[path] = max(level, least.get(path, level))
    return least


def written(program: Program, paths: Collection[str]) -> Iterator[Test]:
    """Yield the parts of directives' subject conditions that read nothing but some attributes."""
    for directive in program.directives:
        for clause in directive.clauses:
            for node in _parts(clause.subject) if clause.kind is ClauseKind.DENY else ():
                if set(attributes(node)) <= set(paths) and attributes(node):
                    yield Test(condition_text(node, lists=True), _leaves(node), directive.id)


def _parts(condition: Condition) -> Iterator[Condition]:
    yield condition
    if isinstance(condition, And | Or):
        for operand in condition.operands:
            yield from _parts(operand)


def _leaves(condition: Condition) -> int:
    return sum(map(_leaves, condition.operands)) if isinstance(condition, And | Or) else 1


# --- what is seen ----------------------------------------------------------------------------------------


def observed(program: Program, paths: Collection[str], wanted: pl.DataFrame) -> Iterator[Test]:
    """Yield the tests that the people to be stopped suggest, attribute by attribute."""
    for path in paths:
        if path in wanted.columns:
            for text in _forms(program, program.schema[path], wanted[path].drop_nulls()):
                yield Test(text)


def _forms(program: Program, definition: AttributeDefinition, values: pl.Series) -> Iterable[str]:
    path, kind = definition.path, definition.type
    if isinstance(kind, SetType):
        named = [f'list("{n}")' for n in _lists(program, kind.element)]
        sets = [*named, *(f"{{{scalar_text(v)}}}" for v in _frequent(values.explode().drop_nulls()))]
        return [f"{form}({path}, {s})" for s in sets for form in ("any_of", "none_of")]
    match kind.kind:
        case Kind.BOOL:
            return [path, f"!{path}"]
        case Kind.STRING | Kind.ENUM:
            named = [f'{path} {form} list("{n}")' for n in _lists(program, kind) for form in ("in", "not in")]
            one = [f"{path} {form} {scalar_text(v)}" for v in _frequent(values) for form in ("==", "!=")]
            return [*one, *named]
        case Kind.ORDERED:
            return [f"{path} {form} {scalar_text(v)}" for v in kind.values for form in (">=", "<=")]
        case Kind.INT | Kind.FLOAT:
            cuts = sorted({*_quantiles(values), *_compared(program, path)})
            return [f"{path} {form} {scalar_text(v)}" for v in cuts for form in (">=", "<")]
        case Kind.DATETIME:
            return []


def _frequent(values: pl.Series) -> list[str]:
    """Return the values most often seen; of as many, the first by name."""
    counted = (
        values.cast(pl.String).value_counts(name="times").sort("times", values.name, descending=[True, False])
    )
    return [str(v) for v in counted[values.name].head(VALUES)]


def _quantiles(values: pl.Series) -> set[float | int]:
    found = {values.quantile(share, "nearest") for share in CUTS} - {None}
    whole = values.dtype.is_integer()
    return {int(v) if whole else float(v) for v in found if v is not None}


def _compared(program: Program, path: str) -> Iterator[float | int]:
    """Yield the numbers that rules compare an attribute with."""
    for policy in policies(program.root):
        for rule in (*policy.rules, *policy.obligation_rules):
            for node in walk(rule.condition):  # type: ignore[attr-defined]  # either kind of rule has one
                match node:
                    case Comparison(left=Attribute(path=own), right=Constant(value=int() | float() as value)):
                        if own == path:
                            yield value


def _lists(program: Program, kind: ScalarType) -> list[str]:
    """Return the named lists that could be of a type: of an enum all its values; of texts, what is no country."""
    if kind.values:
        return [n for n, held in program.lists.items() if held and held <= set(kind.values)]
    return [n for n, held in program.lists.items() if held and not held <= set(country_type().values)]
