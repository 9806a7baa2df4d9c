"""Stock pycasbin is the oracle: on requests with every attribute known, what it permits is what we permit.

Random policies over generated models (all four effects; attribute rules, priorities, roles with and without
domains, role hierarchies, path patterns) and over the shipped ones. Where stock does what nobody can mean, we
refuse or differ on purpose: each such case is a test below the differential.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import casbin
import pytest
from casbin.persist.adapter import Adapter, load_policy_line

from abac.compiler.link import RowLinker, link
from abac.compiler.program import assemble
from abac.condition.functions import SHIPPED
from abac.errors import CompileError, Findings
from abac.language.casbin import Rows, read_model, read_rows
from abac.language.names import Names
from abac.language.parser import parse
from abac.pdp.decide import decide
from abac.policy.decision import Decision
from abac.policy.request import Request
from tests.reading import MODELS, context, schema, text

logging.getLogger("casbin").setLevel(logging.ERROR)

EFFECTS = (
    "some(where (p.eft == allow))",
    "!some(where (p.eft == deny))",
    "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "priority(p.eft) || deny",
)
COUNTRIES, TIERS, TAGS = ("FR", "US", "CN"), ("low", "mid", "high"), ("a", "b", "c")
PEOPLE, ROLES = ("ann", "bob", "eve", "dan"), ("staff", "lead", "root", "guest")
MODELS_USED = ("/m/fable", "/m/mythos", "/m/x/y", "/n")


def _conf(definition: str, effect: str, matcher: str, *, request: str = "sub, obj, act", roles: str = "") -> str:
    section = f"[role_definition]\n{roles}\n" if roles else ""
    return (
        f"[request_definition]\nr = {request}\n[policy_definition]\np = {definition}\n{section}"
        f"[policy_effect]\ne = {effect}\n[matchers]\nm = {matcher}\n"
    )


@dataclass
class Case:
    model: str
    rows: str
    attributes: bool
    """Whether stock is asked with objects that have attributes, or with bare names."""
    domains: bool = False


# --- conditions in the text that both read ----------------------------------------------------------------------


def _test(source: random.Random, category: str) -> str:
    sub = {
        "number": lambda: f"r.sub.age {_order(source)} {source.randint(0, 5)}",
        "double": lambda: f"r.sub.weight {_order(source)} {source.choice((0.5, 1, 2.5))}",
        "computed": lambda: (
            f"r.sub.age {source.choice('+-*')} {source.randint(1, 3)} {_order(source)} r.sub.weight"
        ),
        "enum": lambda: f'r.sub.country {source.choice(("==", "!="))} "{source.choice(COUNTRIES)}"',
        "member": lambda: f"r.sub.country {_in(source)} {_tuple(source, COUNTRIES)}",
        "held": lambda: f'"{source.choice(TAGS)}" {_in(source)} r.sub.tags',
        "flag": lambda: f"{source.choice(('', '!'))}r.sub.flag",
        "text": lambda: f'r.sub.name {source.choice(("==", "!=", "<"))} "{source.choice(PEOPLE)}"',
    }
    obj = {
        "cost": lambda: f"r.obj.cost {_order(source)} {source.randint(0, 5)}",
        "rate": lambda: f"r.obj.rate / 2 {_order(source)} {source.choice((0.5, 1.25))}",
        "hidden": lambda: f"{source.choice(('', '!'))}r.obj.hidden",
        "owner": lambda: f"r.obj.owner {_in(source)} {_tuple(source, PEOPLE)}",
        "path": lambda: f'keyMatch(r.obj.owner, "{source.choice(("a*", "*", "bob", "e*"))}")',
    }
    both = {"mine": lambda: "r.obj.owner == r.sub.name", "dear": lambda: "r.sub.age >= r.obj.cost"}
    return source.choice(list({"sub": {**sub, **both}, "obj": obj}[category].values()))()


def _order(source: random.Random) -> str:
    return source.choice(("==", "!=", "<", "<=", ">", ">="))


def _in(source: random.Random) -> str:
    return source.choice(("in", "not in"))


def _tuple(source: random.Random, among: tuple[str, ...]) -> str:
    return "(" + "".join(f'"{v}", ' for v in source.sample(among, source.randint(1, len(among)))) + ")"


def _condition(source: random.Random, category: str, depth: int = 2) -> str:
    kind = source.random()
    if depth == 0 or kind < 0.35:
        return "True" if kind < 0.05 else _test(source, category)
    if kind < 0.45:
        return f"!({_condition(source, category, depth - 1)})"
    mark = source.choice(("&&", "||"))
    left, right = (_condition(source, category, depth - 1) for _ in range(2))
    return f"({left} {mark} {right})" if kind < 0.6 else f"{left} {mark} {right}"


# --- policies ---------------------------------------------------------------------------------------------------


def _effect(source: random.Random) -> str:
    return source.choice(("allow", "allow", "deny"))


def _count(source: random.Random) -> range:
    return range(source.randint(1, 7))


def _act(source: random.Random) -> str:
    return source.choice(("read", "write"))


def attribute_rules(source: random.Random) -> Case:
    matcher = "eval(p.sub_rule) && eval(p.obj_rule) && r.act == p.act"
    rows = [
        f"p, {_condition(source, 'sub')}, {_condition(source, 'obj')}, {_act(source)}, {_effect(source)}"
        for _ in _count(source)
    ]
    definition = "sub_rule, obj_rule, act, eft"
    return Case(_conf(definition, source.choice(EFFECTS), matcher), "\n".join(rows), attributes=True)


def matcher_of_attributes(source: random.Random) -> Case:
    sub, obj = _condition(source, "sub"), _condition(source, "obj")
    matcher = f"({sub}) && r.sub.name == p.sub || r.obj.owner == p.obj && ({obj})"
    rows = [f"p, {source.choice(PEOPLE)}, {source.choice(PEOPLE)}, {_effect(source)}" for _ in _count(source)]
    return Case(_conf("sub, obj, eft", source.choice(EFFECTS), matcher), "\n".join(rows), attributes=True)


def shipped_deny_overrides(source: random.Random) -> Case:
    made = attribute_rules(source)
    return Case((MODELS / "abac.conf").read_text(encoding="utf-8"), made.rows, attributes=True)


def shipped_priority(source: random.Random) -> Case:
    rows = [
        f"p, {source.randint(1, 12)}, {_condition(source, 'sub')}, {_condition(source, 'obj')}, {_act(source)},"
        f" {_effect(source)}"
        for _ in _count(source)
    ]
    return Case((MODELS / "priority.conf").read_text(encoding="utf-8"), "\n".join(rows), attributes=True)


def shipped_roles(source: random.Random) -> Case:
    rows = [
        f"p, {source.choice(ROLES)}, {_condition(source, 'obj')}, {_act(source)}, {_effect(source)}"
        for _ in _count(source)
    ]
    text = (MODELS / "rbac_with_attributes.conf").read_text(encoding="utf-8")
    return Case(text, "\n".join([*rows, *_links(source)]), attributes=True)


def roles(source: random.Random) -> Case:
    objects = source.choice(("r.obj == p.obj", "keyMatch(r.obj, p.obj)", "keyMatch2(r.obj, p.obj)"))
    patterns = (
        ("/m/*", "/m/:id", "/m/fable", "/m/*/y", "*")
        if "keyMatch2" in objects
        else ("/m/*", "/n", "/m/fable", "*")
    )
    rows = [
        f"p, {source.choice(ROLES + PEOPLE)}, {source.choice(patterns)}, {_act(source)}, {_effect(source)}"
        for _ in _count(source)
    ]
    matcher = f'g(r.sub, p.sub) && {objects} && r.act == p.act || r.sub == "{source.choice(ROLES)}"'
    conf = _conf("sub, obj, act, eft", source.choice(EFFECTS), matcher, roles="g = _, _")
    return Case(conf, "\n".join([*rows, *_links(source)]), attributes=False)


def roles_in_domains(source: random.Random) -> Case:
    rows = [
        f"p, {source.choice(ROLES)}, {source.choice(('d1', 'd2'))}, {source.choice(MODELS_USED)}, {_act(source)},"
        f" {_effect(source)}"
        for _ in _count(source)
    ]
    links = [f"{one}, {source.choice(('d1', 'd2'))}" for one in _links(source)]
    matcher = "g(r.sub, p.sub, p.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act"
    definition = "sub, dom, obj, act, eft"
    conf = _conf(definition, source.choice(EFFECTS), matcher, request="sub, dom, obj, act", roles="g = _, _, _")
    return Case(conf, "\n".join([*rows, *links]), attributes=False, domains=True)


def _links(source: random.Random) -> list[str]:
    people = [f"g, {source.choice(PEOPLE)}, {source.choice(ROLES)}" for _ in range(source.randint(0, 4))]
    return people + [f"g, {source.choice(ROLES)}, {source.choice(ROLES)}" for _ in range(source.randint(0, 3))]


KINDS = (
    attribute_rules,
    matcher_of_attributes,
    shipped_deny_overrides,
    shipped_priority,
    shipped_roles,
    roles,
    roles_in_domains,
)

# --- asking both ----------------------------------------------------------------------------------------------


class _Lines(Adapter):
    """An adapter over a text, by pycasbin's own reading of a line."""

    def __init__(self, text: str) -> None:
        self._text = text

    def load_policy(self, model):
        for line in self._text.split("\n"):
            load_policy_line(line.strip(), model)


def stock(case: Case) -> casbin.Enforcer:
    model = casbin.Model()
    model.load_model_from_text(case.model)
    return casbin.Enforcer(model, _Lines(case.rows))


def ours(model_text: str, rows_text: str):
    """Compile as `abac.compile` does, without files."""
    findings = Findings()
    model, rows = read_model(model_text, "m.conf", {}, findings), Rows()
    findings.raise_errors()
    read_rows(rows_text, "p.csv", model, rows, findings)
    found = RowLinker(model, rows, context().vocabulary, {}, {}, findings).rules()
    findings.raise_errors()
    return assemble(schema(), link(model, found, [], None), SHIPPED)


def _asked(source: random.Random, case: Case) -> tuple[tuple, Request]:
    act = _act(source)
    if not case.attributes:
        who, what = source.choice(PEOPLE + ROLES), source.choice(MODELS_USED)
        where = source.choice(("d1", "d2", "d3"))
        request = Request({"id": who, "domain": where}, act, {"id": what})
        return ((who, where, what, act) if case.domains else (who, what, act)), request
    sub = {
        "name": source.choice(PEOPLE),
        "age": source.randint(0, 5),
        "weight": source.choice((0.0, 0.5, 1.0, 2.5, 4.0)),
        "country": source.choice(COUNTRIES),
        "flag": source.random() < 0.5,
        "tags": source.sample(TAGS, source.randint(0, 3)),
        "organisation": source.choice(PEOPLE + ROLES),
    }
    obj = {
        "cost": source.randint(0, 5),
        "rate": source.choice((0.0, 1.0, 2.5)),
        "owner": source.choice(PEOPLE),
        "hidden": source.random() < 0.5,
    }
    return (SimpleNamespace(**sub), SimpleNamespace(**obj), act), Request(sub, act, obj)


def differ(seed: int, policies: int, requests: int) -> Counter:
    """Ask both, and count the answers by kind of policy; fails at the first difference."""
    source = random.Random(seed)
    seen: Counter = Counter()
    for number in range(policies):
        kind = KINDS[number % len(KINDS)]
        case = kind(source)
        enforcer, program = stock(case), ours(case.model, case.rows)
        for _ in range(requests):
            asked, request = _asked(source, case)
            outcome, theirs = decide(program, request), enforcer.enforce(*asked)
            assert outcome.decision is not Decision.INDETERMINATE
            assert outcome.permitted == theirs, f"{case.model}\n{case.rows}\n{request}\n{outcome}"
            seen[kind.__name__, theirs] += 1
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_what_stock_permits_is_what_we_permit(seed):
    seen = differ(seed, policies=210, requests=12)
    assert seen.total() == 210 * 12
    for kind in KINDS:
        yes, no = seen[kind.__name__, True], seen[kind.__name__, False]
        assert min(yes, no) > 0.04 * (yes + no), (kind.__name__, yes, no)


@pytest.mark.law
@pytest.mark.parametrize("seed", range(100, 120))
def test_what_stock_permits_is_what_we_permit_many_times_over(seed):
    differ(seed, policies=1_400, requests=12)


# --- where stock does what nobody can mean -------------------------------------------------------------------

RULES = _conf("sub_rule, eft", EFFECTS[0], "eval(p.sub_rule)")


def _permits(rule: str, subject: dict, model: str = RULES) -> tuple[bool | type, bool | str]:
    """What stock and we say of one rule row: an answer, or the error."""
    case = Case(model, f"p, {rule}, allow", attributes=True)
    try:
        theirs: bool | type = stock(case).enforce(SimpleNamespace(**subject), SimpleNamespace(), "read")
    except Exception as error:  # noqa: BLE001  # whatever stock raises is the finding
        theirs = type(error)
    try:
        outcome = decide(ours(case.model, case.rows), Request(subject, "read"))
    except CompileError as error:
        return theirs, error.diagnostics[0].code
    return theirs, outcome.permitted


def test_stock_edits_the_inside_of_a_string_and_we_do_not():
    assert _permits('r.sub.name == "a && b"', {"name": "a && b"}) == (False, True)
    assert _permits('r.sub.name == "a || b"', {"name": "a or b"}) == (True, False)
    assert _permits('r.sub.name == "hi!"', {"name": "hi!"}) == (False, True)
    assert _permits('r.sub.name == "r.x"', {"name": "r.x"}) == (False, True)


def test_stock_splices_a_rule_that_closes_its_parenthesis_and_we_refuse_it():
    model = _conf("sub_rule, eft", EFFECTS[0], "eval(p.sub_rule) && r.sub.flag")
    row = "True) or (True"
    spliced = casbin.Model()
    spliced.load_model_from_text(model)
    enforcer = casbin.Enforcer(spliced)
    enforcer.add_policy(row, "allow")  # from a data base, say, where no line is cut at its brackets
    assert enforcer.enforce(SimpleNamespace(flag=False), SimpleNamespace(), "read") is True
    findings = Findings()
    assert parse(text(row), Names(), findings) is None
    assert str(findings.errors[0]).startswith("rule.txt:1:5: error[syntax]")
    assert _permits(row, {"flag": False}, model)[1] == "row"


def test_stock_finds_a_part_of_a_string_in_a_string_and_we_refuse_to_look():
    assert _permits('"b" in ("abc")', {}) == (True, "type-clash")
    assert _permits('r.sub.name in "abc"', {"name": "bc"}) == (True, "type-clash")


def test_stock_takes_true_for_one_and_we_do_not():
    assert _permits("r.sub.flag == 1", {"flag": True}) == (True, "type-clash")
    assert _permits("r.sub.age in (True, )", {"age": 1}) == (True, "type-clash")


def test_stock_aborts_where_an_attribute_is_missing_and_we_leave_it_unknown():
    theirs, permitted = _permits("r.sub.age > 3 || r.sub.flag", {"flag": True})
    assert isinstance(theirs, type)
    assert permitted is True
    assert _permits("r.sub.age > 3", {})[1] is False


def test_stock_chains_comparisons_and_we_ask_for_two():
    assert _permits("1 < r.sub.age < 5", {"age": 3}) == (True, "syntax")


def test_stock_ignores_an_effect_it_does_not_know_and_we_refuse_it():
    with pytest.raises(CompileError, match="neither `allow` nor `deny`"):
        ours(RULES, "p, True, denied")


def test_a_rule_that_evaluates_another_field_is_refused_and_never_dropped():
    model = _conf("sub_rule, other, eft", EFFECTS[2], "eval(p.sub_rule)")
    with pytest.raises(CompileError, match="`eval` has no meaning inside a row"):
        ours(model, "p, True, True, allow\np, eval(p.other), True, deny")


def test_an_empty_policy_permits_only_where_the_effect_says_that_nothing_denies():
    for effect, decision in zip(
        EFFECTS, (Decision.DENY, Decision.PERMIT, Decision.DENY, Decision.DENY), strict=True
    ):
        program = ours(_conf("sub, eft", effect, "r.sub == p.sub"), "# nobody\n")
        assert decide(program, Request({"id": ""})).decision is decision
    loose = Case(_conf("sub, eft", EFFECTS[0], "r.sub == p.sub"), "", attributes=False)
    assert stock(loose).enforce("", "x", "read") is True  # stock runs the matcher once on empty strings


def test_a_role_of_a_domain_is_no_role_of_another():
    conf = _conf(
        "sub, dom, eft",
        EFFECTS[0],
        "g(r.sub, p.sub, p.dom) && r.dom == p.dom",
        request="sub, dom, obj, act",
        roles="g = _, _, _",
    )
    case = Case(
        conf, "p, admin, d1, allow\np, admin, d2, allow\ng, ann, admin, d1", attributes=False, domains=True
    )
    enforcer, program = stock(case), ours(case.model, case.rows)
    for domain, permitted in (("d1", True), ("d2", False)):
        assert enforcer.enforce("ann", domain, "x", "read") is permitted
        assert decide(program, Request({"id": "ann", "domain": domain}, "read")).permitted is permitted
