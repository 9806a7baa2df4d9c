"""Casbin out: which rows come out, and what is said of what cannot be said."""

from __future__ import annotations

from functools import cache

import pytest

import abac
from abac.compiler.program import Program, assemble
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Assurance, Category
from abac.condition.types import BOOL, INT, STRING, SetType
from abac.errors import CompileError, RequestError
from abac.language.casbin_out import CasbinText, casbin_text
from abac.language.casbin_out.text import quoted, row_id
from abac.pdp.decide import decide
from abac.policy.decision import Citation, Effect, Obligation
from abac.policy.request import assertions
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule
from abac.service.export import export_casbin
from tests.language.test_casbin_out_differential import read_back, stock
from tests.reading import DIRECTIVES, MODELS, ROOT, condition, schema


@cache
def shipped() -> Program:
    return abac.compile(
        ROOT / "policies" / "schema.yaml", MODELS / "abac.conf", [DIRECTIVES / "d1-foreign-nationals.yaml"]
    )


def _rows(text: CasbinText) -> list[str]:
    return [row for row in text.rows.splitlines() if row.startswith("p, ")]


def _policy(*rules: Rule, algorithm=Algorithm.DENY_OVERRIDES, riders=()) -> Policy:
    return Policy("rows", algorithm, rules, tuple(riders), default_deny=True)


def _permit(text: str, name: str = "r", *obligations: Obligation) -> Rule:
    return Rule(name, Effect.PERMIT, condition(text), obligations, Citation("rules.csv", 3))


def _deny(text: str, name: str = "d") -> Rule:
    return Rule(name, Effect.DENY, condition(text), (), Citation("rules.csv", 4))


def test_each_of_the_four_effects_is_used_where_it_fits():
    rules = (_permit("r.sub.age > 3", "a"), _deny("r.sub.flag", "b"), _permit("true", "c"))
    expected = {
        Algorithm.DENY_OVERRIDES: (
            "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
            ["a", "b", "c"],
        ),
        Algorithm.FIRST_APPLICABLE: ("priority(p.eft) || deny", ["a", "b", "c"]),
        Algorithm.DENY_UNLESS_PERMIT: ("some(where (p.eft == allow))", ["a", "c"]),
        Algorithm.PERMIT_OVERRIDES: ("some(where (p.eft == allow))", ["a", "c"]),
        Algorithm.PERMIT_UNLESS_DENY: ("!some(where (p.eft == deny))", ["b"]),
    }
    for algorithm, (effect, ids) in expected.items():
        text = casbin_text(_policy(*rules, algorithm=algorithm), SHIPPED)
        assert f"e = {effect}\n" in text.model
        assert [row.split(", ")[1] for row in _rows(text)] == ids
        left_out = {"a", "b", "c"} - set(ids)
        assert {u.what.removeprefix("rule ") for u in text.unsaid} == left_out
        assert text.exact


def test_a_directive_above_priority_rows_stands_before_them():
    directive = Policy("directives", Algorithm.DENY_OVERRIDES, (_deny("r.sub.flag", "d1/c"),))
    rows = _policy(_permit("true", "a"), algorithm=Algorithm.FIRST_APPLICABLE)
    text = casbin_text(PolicySet("root", Algorithm.DENY_OVERRIDES, (directive, rows)), SHIPPED)
    assert [row.split(", ")[1] for row in _rows(text)] == ["d1/c", "a"]


def test_a_program_that_permits_nothing_has_a_row_all_the_same():
    text = casbin_text(_policy(), SHIPPED)
    assert _rows(text) == ["p, nothing, False, deny"]
    assert stock(text).enforce(None, None, "read", None) is False


# --- what cannot be said ------------------------------------------------------------------------------------

OWN = {**SHIPPED, "mine": Function("mine", 1, (STRING,), BOOL, lambda text: text == "a")}


def _own(text: str):
    from abac.condition.terms import Vocabulary
    from abac.errors import Findings
    from abac.language.condition import Context, read_condition
    from tests.reading import text as placed

    findings = Findings()
    read = read_condition(placed(text), Context(Vocabulary(schema(), OWN)), findings)
    findings.raise_errors()
    return read


def test_a_rule_with_a_function_of_our_own_permits_less_and_denies_more():
    rules = (
        Rule("p1", Effect.PERMIT, _own("mine(r.sub.name) || r.sub.age > 3"), (), Citation("rules.csv", 1)),
        Rule("p2", Effect.PERMIT, _own("mine(r.sub.name) && r.sub.age > 3"), (), Citation("rules.csv", 2)),
        Rule("d1", Effect.DENY, _own("!mine(r.sub.name) && r.sub.flag"), (), Citation("rules.csv", 3)),
    )
    text = casbin_text(_policy(*rules), OWN)
    assert _rows(text) == ["p, p1, r.sub.age > 3, allow", "p, d1, r.sub.flag, deny"]
    assert not text.exact
    own = "`mine` is a function of our own"
    assert [str(u) for u in text.unsaid] == [
        f"rules.csv:1: mine(subject.name): {own}; the rule permits only without it",
        f"rules.csv:2: mine(subject.name): {own}; the rule permits only without it",
        f"rules.csv:3: mine(subject.name): {own}; the rule denies wherever it could matter",
    ]


def test_a_shipped_name_with_another_meaning_is_a_function_of_our_own():
    functions = {**SHIPPED, "keyMatch": Function("keyMatch", 1, (STRING, STRING), BOOL, str.endswith)}
    assert not casbin_text(_policy(_permit('keyMatch(r.sub.name, "a")')), functions).exact


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('any_of(r.sub.tags, {"a"}) && all_of(r.sub.tags, {"a", "b"})', "cannot go through the elements"),
        ("r.env.now - r.sub.born > 10", "text cannot be subtracted"),
        ('lower(r.sub.name) == "a"', "no `lower` that means the same"),
        ('ipMatch(r.sub.name, "10.0.0.0/8")', "raises where the text is no IP address"),
        ('regexMatch(r.sub.name, "a+")', "no `regexMatch` that means the same"),
        ('keyMatch2(r.sub.name, "/a.b/:c")', "a dot stands for any character"),
    ],
)
def test_what_stock_has_no_words_for_is_listed_with_its_place(text, reason):
    exported = casbin_text(_policy(_permit(text)), SHIPPED)
    (unsaid,) = exported.unsaid
    assert unsaid.place == "rules.csv:3"
    assert reason in unsaid.why
    assert reason in exported.rows
    assert reason in exported.model


@pytest.mark.parametrize("name", ["class", "_hidden", "mro", "format", "ﬁne"])
def test_a_name_that_stock_cannot_read_is_listed(name):
    from abac.condition.expr import Attribute, Holds

    rule = Rule("r", Effect.DENY, Holds(Attribute(Category.SUBJECT, name, BOOL)))
    text = casbin_text(_policy(rule, _permit("true", "a")), SHIPPED)
    assert not text.exact
    assert _rows(text)[0] == "p, r, True, deny"


def test_a_permit_that_owes_is_denied_unless_whoever_enforces_discharges_it():
    log, tip = Obligation("log"), Obligation("tip", advice=True)
    rider = ObligationRule("o", Effect.PERMIT, condition("r.sub.flag"), (log, tip), Citation("rules.csv", 9))
    policy = _policy(_permit("r.sub.age > 3"), riders=[rider])
    owed = casbin_text(policy, SHIPPED)
    assert _rows(owed) == ["p, o, r.sub.flag, deny", "p, r, r.sub.age > 3, allow"]
    assert [(u.place, u.what, u.exact) for u in owed.unsaid] == [
        ("rules.csv:9", "obligation log", True),
        ("rules.csv:9", "advice tip", True),
    ]
    trusted = casbin_text(policy, SHIPPED, discharges={"log"})
    assert _rows(trusted) == ["p, r, r.sub.age > 3, allow"]
    assert {u.instead for u in trusted.unsaid} == {"whoever enforces must see to it"}


def test_an_assurance_that_is_demanded_is_left_to_the_caller_and_said():
    text = export_casbin(shipped(), directive="d1-foreign-nationals")
    demanded = {g.path for g in text.contract if g.least is Assurance.DOCUMENTED}
    assert "subject.citizenships_current" in demanded
    assert demanded == {u.place for u in text.unsaid if u.what == "assurance"}


def test_a_row_that_is_too_long_is_cut_and_one_that_cannot_be_cut_errs_on_the_safe_side():
    many = ", ".join(f'"{"x" * 90}{n}"' for n in range(1500))
    text = casbin_text(
        _policy(_permit("r.sub.age > 3 && r.sub.name in {" + many[:90_000].rsplit(",", 1)[0] + "}")), SHIPPED
    )
    assert len(_rows(text)) == 1
    listed = frozenset(f"{'x' * 90}{n}" for n in range(1500))
    from abac.condition.expr import Attribute, Member, Not, SetConstant

    member = Member(Attribute(Category.SUBJECT, "name", STRING), SetConstant(listed, SetType(STRING)))
    cut = casbin_text(_policy(Rule("r", Effect.PERMIT, member)), SHIPPED)
    assert [row.split(", ")[1] for row in _rows(cut)] == ["r", "r~2"]
    assert cut.exact
    assert stock(cut).enforce({"name": "x" * 90 + "7"}, None, "read", None) is True
    assert read_back(cut, schema(), SHIPPED).children[0].rules[1].effect is Effect.PERMIT
    whole = casbin_text(
        _policy(Rule("d", Effect.DENY, Not(member)), Rule("r", Effect.PERMIT, Not(member))), SHIPPED
    )
    assert _rows(whole) == ["p, d, True, deny"]
    assert [u.instead for u in whole.unsaid] == ["it denies everything", "left out"]


# --- text that stock would damage ---------------------------------------------------------------------------

NASTY = (
    "a && b", "a || b", "!a", "r.x", "p2.y", "x r.", "#1", 'a"b', "a'b", "a\\b", "a, b", "(a", "a]", "{a}", "a\nb",
    "a\tb", "", " a ", "é", "\u2028", "\U0001d11e", "eval(p.rule)", "True) or (True", "\\x41", "r\\x2ex",
    "not", "p.p.",
)  # fmt: skip


@pytest.mark.parametrize("value", NASTY)
def test_no_edit_of_stocks_reaches_into_a_string(value):
    from abac.condition.expr import Attribute, Comparison, Constant, Order

    name = Attribute(Category.SUBJECT, "name", STRING)
    rule = Rule(value, Effect.PERMIT, Comparison(Order.EQUAL, name, Constant(value, STRING)))
    text = casbin_text(_policy(rule), SHIPPED)
    enforcer, again = stock(text), read_back(text, schema(), SHIPPED)
    assert enforcer.enforce({"name": value}, None, "read", None) is True
    assert enforcer.enforce({"name": value + "x"}, None, "read", None) is False
    assert again.children[0].rules[0].condition == rule.condition


def test_literals_and_ids_are_plain_ascii():
    assert quoted("fable-5 gpt-5.6") == '"fable-5 gpt-5.6"'
    assert quoted("\u00e9\u20ac\U0001d11e") == r'"\xe9\u20ac\U0001d11e"'
    assert row_id("rules#1") == "rules#1"
    assert row_id("a,b\n") == "a%2cb%0a"


def test_ids_that_stand_twice_are_numbered():
    text = casbin_text(
        _policy(*(_permit(f"r.sub.age > {n}", name) for n, name in enumerate(("a", "a", "a~2", "a")))), SHIPPED
    )
    ids = [row.split(", ")[1] for row in _rows(text)]
    assert len(set(ids)) == 4
    assert ids[:2] == ["a", "a~2"]


# --- functions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ('keyMatch(r.sub.name, "/a/*")', ["/a/", "/a/b", "/a", "/b"]),
        ("keyMatch(r.sub.name, r.obj.owner)", ["x*", "x", "*", ""]),
        ('startsWith(r.sub.name, "ab")', ["ab", "abc", "a", ""]),
        ('keyMatch2(r.sub.name, "/a/:b/*")', ["/a/b/c", "/a//c", "/a/b", "/a/b/"]),
        ('keyMatch3(r.sub.name, "/a/{b}/c")', ["/a/b/c", "/a//c", "/a/b/c/d"]),
        ('keyMatch5(r.sub.name, "/a/{b}")', ["/a/b?c=d", "/a/?b", "/a/b"]),
    ],
)
def test_a_function_that_stock_has_is_called_there(call, values):
    program = assemble(schema(), PolicySet("root", Algorithm.DENY_OVERRIDES, (_policy(_permit(call)),)), SHIPPED)
    text = export_casbin(program)
    assert text.exact
    for value in values:
        for owner in values:
            request = abac.Request({"name": value}, "read", {"owner": owner})
            held = {p: a.value for p, a in assertions(request, program.schema).items()}
            assert stock(text).enforce(*text.arguments(held)) is decide(program, request).permitted, value


# --- the contract ---------------------------------------------------------------------------------------------


def test_the_contract_names_every_attribute_that_a_request_must_hold():
    text = casbin_text(
        _policy(_permit('r.sub.age > 3 && r.act == "read" && "a" in r.sub.tags && r.env.now > r.sub.born')),
        SHIPPED,
    )
    assert [(g.name, g.path) for g in text.contract] == [
        ("r.sub.age", "subject.age"),
        ("r.sub.born", "subject.born"),
        ("r.sub.tags", "subject.tags"),
        ("r.act", "action.name"),
        ("r.env.now", "environment.now"),
    ]
    forms = [g.form for g in text.contract]
    assert forms[0] == "a whole number of 64 bits"
    assert forms[2] == "a list, tuple or set (never text), whole, each of it text"
    assert forms[4] == "UTC with six decimals, as text: 2026-06-12T21:21:00.000000Z"
    with pytest.raises(RequestError, match=r"subject\.age: is not known"):
        text.arguments({})


def test_an_action_with_more_attributes_is_read_by_name():
    from abac.condition.expr import And, Attribute, Comparison, Constant, Order

    both = And(
        (
            Comparison(Order.EQUAL, Attribute(Category.ACTION, "name", STRING), Constant("read", STRING)),
            Comparison(Order.LESS, Attribute(Category.ACTION, "tokens", INT), Constant(10, INT)),
        )
    )
    text = casbin_text(_policy(Rule("r", Effect.PERMIT, both)), SHIPPED)
    assert _rows(text) == ['p, r, r.act.name == "read" && r.act.tokens < 10, allow']
    asked = text.arguments({"action.name": "read", "action.tokens": 3})
    assert stock(text).enforce(*asked) is True


def test_stock_has_no_answer_where_an_attribute_is_missing():
    text = casbin_text(_policy(_permit("r.sub.age > 3")), SHIPPED)
    with pytest.raises(Exception, match="age"):
        stock(text).enforce({}, {}, "read", {})


def test_a_directive_that_is_not_there_is_an_error_with_a_hint():
    with pytest.raises(CompileError, match="did you mean `d1-foreign-nationals`"):
        export_casbin(shipped(), directive="d1-foreign-national")
