"""Read one condition text: parse it, put in what its names stand for, type it and simplify it.

The one way from text to a condition that can be evaluated, for directives, person tests and scenarios alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from abac.condition.check import check
from abac.condition.expr import Condition
from abac.condition.rewrite import simplify
from abac.condition.schema import Assurance
from abac.condition.terms import Vocabulary
from abac.condition.types import Scalar
from abac.errors import Findings
from abac.language.names import Names
from abac.language.parser import parse
from abac.language.yaml_source import Text
from abac.policy.persons import PersonTest, references, substitute, unknown_test

Meaning = Mapping[tuple[str, str], Condition]


@dataclass(frozen=True, slots=True)
class Context:
    """What a text may refer to: the vocabulary, named lists and linked person tests."""

    vocabulary: Vocabulary
    lists: Mapping[str, frozenset[Scalar]] = field(default_factory=dict)
    persons: Mapping[str, PersonTest] = field(default_factory=dict)


def read_condition(
    text: Text, context: Context, findings: Findings, terms: Meaning | None = None
) -> Condition | None:
    """Return the condition of a text, linked and typed; None with every error in it noted.

    `terms` are the terms of a directive, by `("term", full name)`.
    """
    names = Names(context.lists, frozenset(name for _, name in terms or ()))
    parsed = parse(text, names, findings)
    return None if parsed is None else linked(parsed, context, findings, terms or {})


def linked(condition: Condition, context: Context, findings: Findings, terms: Meaning) -> Condition | None:
    """Replace person tests and terms by what they stand for, then type and simplify."""
    meaning = dict(terms)
    for reference in references(condition):
        test = context.persons.get(reference.name)
        if test is None:
            unknown_test(reference, context.persons, findings)
            return None
        meaning["person", reference.name] = test.condition
    typed = check(substitute(condition, meaning), context.vocabulary, findings)
    return None if typed is None else simplify(typed)


def demanding(condition: Condition, context: Context, least: Mapping[str, Assurance]) -> Condition:
    """Return a typed condition with other demands on the assurance of its attributes."""
    retyped = check(condition, context.vocabulary.demanding(least), Findings())
    assert retyped is not None  # noqa: S101  # it was typed before
    return retyped
