"""The shipped policies and directives, exported, are enforced by stock pycasbin as we decide."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache

import casbin
import pytest

import abac
from abac.compiler.program import Program, assemble, select
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Schema
from abac.condition.types import Kind, SetType
from abac.language.casbin_out import CasbinText
from abac.pdp.decide import decide
from abac.policy.decision import Decision, Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from abac.service.export import export_casbin
from tests.agreement.strategies import as_request
from tests.language.test_casbin_out_differential import stock
from tests.reading import DIRECTIVES, MODELS, ROOT, condition

EACH = sorted(path.stem for path in DIRECTIVES.glob("*.yaml"))
TEXTS = ("fable-5", "mythos-5", "gpt-5.6", "none", "anthropic", "acme", "customer")
NUMBERS = (0.0, 0.25, 0.5, 0.75)


@cache
def shipped() -> Program:
    return abac.compile(
        ROOT / "policies" / "schema.yaml",
        MODELS / "abac.conf",
        [DIRECTIVES, ROOT / "policies" / "rules" / "baseline.csv"],
    )


def _value(source: random.Random, definition: AttributeDefinition):
    kind = definition.type
    if isinstance(kind, SetType):
        few = ("US", "FR", "CN", "RU", "KP", "DE")
        values = few if "US" in kind.element.values else kind.element.values or TEXTS
        return frozenset(source.sample(values, source.choice((0, 1, 1, 1, 2))))
    match kind.kind:
        case Kind.BOOL:
            return source.random() < 0.5
        case Kind.INT:
            return source.randint(0, 5)
        case Kind.FLOAT:
            return source.choice(NUMBERS)
        case Kind.STRING:
            return source.choice(TEXTS)
        case Kind.DATETIME:
            return datetime(2026, 6, 9, tzinfo=UTC) + timedelta(hours=source.randint(0, 30 * 24))
        case _:
            return source.choice(("US", "US", "FR", "CN") if "US" in kind.values else kind.values)


def known(source: random.Random, schema: Schema) -> dict[str, Assertion]:
    found = {d.path: Assertion(_value(source, d), Assurance.VERIFIED) for d in schema}
    found["resource.released"] = Assertion(datetime(2026, 6, 9, 16, tzinfo=UTC), Assurance.VERIFIED)
    return found


def _ask(program: Program, text: CasbinText, number: int, permitted) -> tuple[int, int]:
    """Ask stock what is permitted, of random known requests; return how many were, and were not."""
    source, enforcer = random.Random(5), stock(text)
    yes = 0
    for _ in range(number):
        given = known(source, program.schema)
        theirs = enforcer.enforce(*text.arguments({p: a.value for p, a in given.items()}))
        assert theirs is permitted(given), given
        yes += theirs
    return yes, number - yes


@pytest.mark.parametrize("directives", [[name] for name in EACH] + [[], EACH], ids="+".join)
def test_stock_enforces_the_shipped_policies_as_we_decide(directives):
    program = select(shipped(), directives)
    text = export_casbin(program)
    assert text.exact
    yes, no = _ask(program, text, 250, lambda given: decide(program, as_request(given)).permitted)
    assert yes > 5
    assert no > 20


@pytest.mark.parametrize("name", EACH)
def test_a_directive_alone_is_what_it_takes_away(name):
    alone, program = select(shipped(), [name]), shipped()
    text = export_casbin(program, directive=name)
    assert all(row.split(", ")[1].startswith(f"{name}/") or "nothing" in row for row in _rows(text))

    def unhurt(given) -> bool:
        outcome = decide(alone, as_request(given))
        cited = {r.citation.directive for r in outcome.reasons}
        return not (outcome.decision is Decision.DENY and name in cited) and not _owed(alone, given)

    yes, _ = _ask(program, text, 200, unhurt)
    assert yes > 5


def _owed(program: Program, given) -> bool:
    """Whether a PERMIT would owe something, whatever the rows say."""
    guard = PolicySet("root", Algorithm.DENY_OVERRIDES, (program.root.children[0], ALWAYS))
    outcome = decide(assemble(program.schema, guard, program.functions), as_request(given))
    return bool(outcome.obligations) and outcome.decision is Decision.PERMIT


def _rows(text: CasbinText) -> list[str]:
    return [row for row in text.rows.splitlines() if row.startswith("p, ")]


ALWAYS = Policy("rows", Algorithm.DENY_OVERRIDES, (Rule("all", Effect.PERMIT, condition("true")),))


def test_the_files_load_in_a_plain_enforcer_and_through_our_own_compile(tmp_path):
    program = select(shipped(), ["d1-foreign-nationals", "t2-end-users"])
    text = export_casbin(program)
    (tmp_path / "model.conf").write_text(text.model, encoding="utf-8")
    (tmp_path / "policy.csv").write_text(text.rows, encoding="utf-8")
    enforcer = casbin.Enforcer(str(tmp_path / "model.conf"), str(tmp_path / "policy.csv"))
    again = abac.compile(ROOT / "policies" / "schema.yaml", tmp_path / "model.conf", [tmp_path / "policy.csv"])
    source = random.Random(11)
    for _ in range(100):
        given = known(source, program.schema)
        permitted = decide(program, as_request(given)).permitted
        assert enforcer.enforce(*text.arguments({p: a.value for p, a in given.items()})) is permitted
        assert decide(again, as_request(given)).permitted is permitted
