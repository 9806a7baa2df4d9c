"""Person tests: named, versioned conditions that say who counts as, for example, a foreign person.

The same directive can be run under each, and the people on whom they disagree counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from abac.condition.check import too_large
from abac.condition.expr import And, Condition, Definition, Node, Not, Or, walk
from abac.errors import NOWHERE, Findings, Span, did_you_mean

MAX_CHAIN = 50
"""How far person tests may refer to one another."""


@dataclass(frozen=True, slots=True)
class PersonTest:
    """A person test by name and version, with the rule it follows; `condition` is TRUE of whom it catches."""

    name: str
    version: int
    condition: Condition
    title: str = ""
    source: str = ""
    span: Span = NOWHERE

    @property
    def id(self) -> str:
        """Name and version, as a directive pins it."""
        return f"{self.name}@{self.version}"


def substitute(condition: Condition, meaning: Mapping[tuple[str, str], Condition]) -> Condition:
    """Return the condition with every definition that has a meaning replaced by it."""
    match condition:
        case Definition(kind=kind, name=name):
            return meaning.get((kind, name), condition)
        case Not(operand=operand):
            return replace(condition, operand=substitute(operand, meaning))
        case And(operands=operands) | Or(operands=operands):
            return replace(condition, operands=tuple(substitute(o, meaning) for o in operands))
        case _:
            return condition


def references(node: Node, kind: str = "person") -> Iterator[Definition]:
    """Yield the definitions of one kind that a condition refers to."""
    return (n for n in walk(node) if isinstance(n, Definition) and n.kind == kind)


def link(tests: Mapping[str, PersonTest], findings: Findings) -> dict[str, PersonTest]:
    """Replace references among person tests by what they stand for; circles and unknown names are findings."""
    linked: dict[str, PersonTest] = {}
    for name in tests:
        _link(name, tests, linked, (), findings)
    return linked


def _link(
    name: str,
    tests: Mapping[str, PersonTest],
    linked: dict[str, PersonTest],
    above: tuple[str, ...],
    findings: Findings,
) -> Condition | None:
    if name in linked:
        return linked[name].condition
    test = tests[name]
    if len(above) > MAX_CHAIN:
        message = f"person tests refer to one another more than {MAX_CHAIN} deep"
        findings.error(test.condition.span, "nested-too-deep", message)
        return None
    meaning: dict[tuple[str, str], Condition] = {}
    for reference in references(test.condition):
        if reference.name == name or reference.name in above:
            chain = (*above, name, reference.name)
            circle = " -> ".join(chain[chain.index(reference.name) :])
            message = f"person test `{name}` is circular: {circle}"
            findings.error(reference.span, "circular-person-test", message)
        elif reference.name not in tests:
            unknown_test(reference, tests, findings)
        else:
            inner = _link(reference.name, tests, linked, (*above, name), findings)
            if inner is not None:
                meaning["person", reference.name] = inner
    whole = substitute(test.condition, meaning)
    if too_large(whole, test.span, findings):
        whole = test.condition
    linked[name] = replace(test, condition=whole)
    return whole


def unknown_test(reference: Definition, tests: Mapping[str, PersonTest], findings: Findings) -> None:
    """Note a reference to a person test that is not there."""
    hint = did_you_mean(reference.name, tests)
    findings.error(reference.span, "unknown-person-test", f"no person test `{reference.name}`", hint)
