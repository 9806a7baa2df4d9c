"""Short ways from text to conditions, findings and programs, for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from abac.condition.expr import Condition
from abac.condition.functions import SHIPPED
from abac.condition.schema import Schema
from abac.condition.terms import Vocabulary
from abac.errors import Diagnostic, Findings, Span
from abac.language.condition import Context, read_condition
from abac.language.names import Names
from abac.language.parser import parse
from abac.language.schema import read_schema
from abac.language.yaml_source import Text

ROOT = Path(__file__).parent.parent
SHIPPED_SCHEMA = ROOT / "policies" / "schema.yaml"
DIRECTIVES = ROOT / "policies" / "directives"
MODELS = ROOT / "models"

SCHEMA_TEXT = """\
schema: abac/1
attributes:
  subject:
    id: {type: string}
    name: {type: string}
    age: {type: int}
    weight: {type: float}
    flag: {type: bool}
    country: {type: {enum: [FR, US, CN]}}
    tier: {type: {ordered: [low, mid, high]}}
    born: {type: date-time}
    tags: {type: {set of: string}}
    citizenships: {type: {set of: {enum: [FR, US, CN]}}}
    marks: {type: {set of: int}}
    organisation: {type: string, assurance: documented}
    domain: {type: string}
  resource:
    id: {type: string}
    cost: {type: int}
    rate: {type: float}
    owner: {type: string}
    hidden: {type: bool}
  action:
    name: {type: {enum: [read, write]}}
  environment:
    now: {type: date-time}
"""


@cache
def schema() -> Schema:
    """The schema of `SCHEMA_TEXT`."""
    findings = Findings()
    read = read_schema(SCHEMA_TEXT, "schema.yaml", findings)
    findings.raise_errors()
    return read


def context(**lists: set[str]) -> Context:
    """What a text may refer to under that schema."""
    return Context(Vocabulary(schema(), SHIPPED), {name: frozenset(members) for name, members in lists.items()})


def text(value: str) -> Text:
    """A text that stands at the start of `rule.txt`."""
    return Text(value, Span("rule.txt", 1, 1))


def condition(value: str, **lists: set[str]) -> Condition:
    """The typed condition of a sound text."""
    findings = Findings()
    read = read_condition(text(value), context(**lists), findings)
    findings.raise_errors()
    assert read is not None
    return read


def errors(value: str, **lists: set[str]) -> tuple[Diagnostic, ...]:
    """The findings of a text that is not sound."""
    findings = Findings()
    assert read_condition(text(value), context(**lists), findings) is None
    return findings.errors


def error(value: str, **lists: set[str]) -> Diagnostic:
    """The one finding of a text that is not sound."""
    (found,) = errors(value, **lists)
    return found


def untyped(value: str) -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    """What the parser alone makes of a text."""
    findings = Findings()
    return parse(text(value), Names(), findings), findings.errors
