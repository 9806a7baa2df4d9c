"""Programs laid out in pages equal the reference, and stay so when rules come and go.

Pages pay where there are hundreds of rules; here they are made for a handful, in a schema whose bare values are as
well known as any rule demands. Trees are random, or plain: of conjuncts that the index answers by itself, so that
every request is decided in a page. Requests are decided three times over: values are taken note of from the first.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.compiler.index import pages
from abac.compiler.index.masks import bits
from abac.compiler.program import assemble
from abac.compiler.quick.places import line
from abac.compiler.quick.words import FEW
from abac.compiler.runner import Runner
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Comparison,
    Constant,
    Holds,
    Literal,
    Not,
    Or,
    Order,
    SetConstant,
)
from abac.condition.schema import Assurance, Category, Schema
from abac.condition.truth import TRUE
from abac.condition.types import BOOL, FLOAT, INT, STRING, Kind, SetType
from abac.errors import RequestError
from abac.pdp.decide import decide
from abac.policy.decision import Effect, Obligation
from abac.policy.reference import decide as decide_by_reference
from abac.policy.request import Request, assertions
from abac.policy.rule import SAFE, Algorithm, Policy, PolicySet, Rule
from tests.agreement.strategies import FUNCTIONS, POOLS, SCHEMA, policy
from tests.agreement.test_quick import WRONG, bare, value
from tests.agreement.test_succession import edited, edits

VERIFIED = Schema.of([replace(definition, assurance=Assurance.VERIFIED) for definition in SCHEMA])
UNORDERED = tuple(a for a in SAFE if not a.in_order)

READ = ("name", "alias", "flag", "age", "weight", "ratio", "colour", "paint", "tier", "tags", "colours", "paints")
"""What plain rules read, the pivot first."""

seeds = st.integers(0, 2**32)


@pytest.fixture(autouse=True, scope="module")
def pages_for_all() -> Iterator[None]:
    """Make pages even where they do not pay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "SMALLEST", 1)
        patch.setattr(pages, "SHARE", 1e-9)
        yield


def _named(rule, source):
    """Most rules ask for one name besides, the alias or the name itself."""
    if source.random() < 0.15:
        return rule
    asked = Attribute(Category.SUBJECT, source.choice(("name", "name", "name", "alias")), STRING)
    name = Comparison(Order.EQUAL, asked, Constant(source.choice(("a", "b", "é", "ab")), STRING))
    return replace(rule, condition=And((name, rule.condition)))


@st.composite
def roots(draw, algorithms=UNORDERED):
    source = random.Random(draw(seeds))
    children = draw(st.lists(policy(algorithms), min_size=1, max_size=3))
    named = [replace(c, rules=tuple(_named(rule, source) for rule in c.rules)) for c in children]
    return PolicySet("root", draw(st.sampled_from(UNORDERED)), tuple(named), draw(st.booleans()))


def usual(source, known):
    """A request of the shape that most have: bare values, the action by its name."""
    subject = {d.name: value(source, d.type) for d in VERIFIED if d.category is Category.SUBJECT}
    if source.random() < 0.5:
        subject = {name: held for name, held in subject.items() if name in READ}
    subject = {name: held for name, held in subject.items() if source.random() < known}
    return Request(subject, source.choice(("read", "a", "b")))


def _agree(program, root, seed, count, make=bare):
    source = random.Random(seed)
    duties = source.choice((frozenset(), frozenset(), frozenset({"duty-0", "duty-1"})))
    requests = [make(source, source.choice((1.0, 1.0, 1.0, 0.8))) for _ in range(count)]
    for request in requests * 3:
        expected = decide_by_reference(
            root, assertions(request, VERIFIED), FUNCTIONS, discharges=duties, revision=program.revision
        )
        assert decide(program, request, duties) == expected


@given(roots(), seeds)
def test_pages_equal_the_reference(root, seed):
    program = assemble(VERIFIED, root, FUNCTIONS)
    _agree(program, root, seed, 12)


# --- rules that the index answers by itself -----------------------------------------------------------------


def _plain(source):
    """A condition over one attribute, of a shape that the index takes apart."""
    definition = VERIFIED[f"subject.{source.choice(READ[1:])}"]
    read = Attribute(definition.category, definition.name, definition.type)
    if isinstance(definition.type, SetType):
        element = definition.type.element
        constant = SetConstant(frozenset(source.sample(POOLS[element], 2)), definition.type)
        asked = source.choice((AnyOf, AllOf))(read, constant)
        return Not(asked) if source.random() < 0.4 else asked
    if definition.type == BOOL:
        return Not(Holds(read)) if source.random() < 0.5 else Holds(read)
    ordered = definition.type in (FLOAT, INT) or definition.type.kind is Kind.ORDERED
    order = source.choice(tuple(Order)) if ordered else Order.EQUAL
    asked = Comparison(order, read, Constant(source.choice(POOLS[definition.type]), definition.type))
    return Not(asked) if source.random() < 0.3 else asked


def _either(source):
    """A disjunction, or what comes to one, mostly over several attributes."""
    first, *others = [_plain(source) for _ in range(source.choice((2, 2, 3, 4)))]
    either = Or((first, And(tuple(others)) if source.random() < 0.4 else Or(tuple(others))))
    return Not(either) if source.random() < 0.3 else either


def _plain_root(source):
    algorithm = source.choice(UNORDERED)
    children = []
    for which in range(source.choice((1, 1, 2))):
        rules = []
        for n in range(source.randrange(1, 30)):
            parts = [
                _plain(source) if source.random() < 0.8 else _either(source) for _ in range(source.randrange(4))
            ]
            owed = (Obligation("duty-0"), Obligation("advice", advice=True)) if source.random() < 0.05 else ()
            effect = source.choice(tuple(Effect))
            rules.append(_named(Rule(f"{which}-{n}", effect, And((*parts, Literal(TRUE))), owed), source))
        own = source.choice((algorithm, Algorithm.DENY_OVERRIDES))
        children.append(Policy(f"policy-{which}", own, tuple(rules), (), source.random() < 0.3))
    return PolicySet("root", algorithm, tuple(children))


def _flat(rule):
    """The rule with its conjuncts side by side, as parsing leaves them."""
    parts = rule.condition.operands
    if isinstance(parts[-1], And):
        parts = (parts[0], *parts[-1].operands)
    return replace(rule, condition=And(tuple(c for c in parts if not isinstance(c, Literal))))


def plain_root(seed):
    root = _plain_root(random.Random(seed))
    return replace(root, children=tuple(replace(c, rules=tuple(map(_flat, c.rules))) for c in root.children))


@settings(max_examples=150)
@given(seeds)
def test_pages_of_plain_rules_equal_the_reference(seed):
    root = plain_root(seed)
    _agree(assemble(VERIFIED, root, FUNCTIONS), root, seed, 12, usual)


@pytest.mark.law
@given(seeds)
def test_pages_of_plain_rules_equal_the_reference_at_length(seed):
    root = plain_root(seed)
    _agree(assemble(VERIFIED, root, FUNCTIONS), root, seed, 100, usual)


def test_most_fully_known_requests_are_decided_in_a_page(monkeypatch):
    general, asked = [], Runner.settle
    monkeypatch.setattr(Runner, "settle", lambda *args: general.append(args) or asked(*args))
    count = 0
    for seed in range(40):
        root, source = plain_root(seed), random.Random(seed)
        program = assemble(VERIFIED, root, FUNCTIONS)
        requests = [usual(source, 1.0) for _ in range(20)]
        for request in requests * 2:
            decide(program, request)
        general.clear()
        for request in requests:
            decide(program, request)
        count += len(requests) > 2 * len(general)
    assert count > 30


@pytest.mark.law
@given(roots(), seeds)
def test_pages_equal_the_reference_at_length(root, seed):
    _agree(assemble(VERIFIED, root, FUNCTIONS), root, seed, 100)


@settings(max_examples=25)
@given(roots(), edits, seeds)
def test_pages_stand_when_rules_come_and_go(root, edits, seed):
    source = random.Random(seed)
    program = assemble(VERIFIED, root, FUNCTIONS)
    for which, at, rule in edits:
        added = None if rule is None else _named(rule, source)
        root = edited(root, (which % len(root.children), at, added))
        program = assemble(VERIFIED, root, FUNCTIONS, previous=program)
        _agree(program, root, source.random(), 3)


@given(roots(), seeds)
def test_what_the_door_refuses_is_refused_in_pages_too(root, seed):
    source = random.Random(seed)
    program = assemble(VERIFIED, root, FUNCTIONS)
    for _ in range(2):
        good = bare(source, 1.0)
        if not isinstance(good.subject, dict) or not good.source.schema_defaults:
            continue
        for name, wrong in WRONG:
            decide(program, good)
            bad = Request({**good.subject, name: wrong}, good.action, good.resource, good.environment)
            with pytest.raises(RequestError, match=f"subject.{name}"):
                decide(program, bad)


def _one_rule(*parts):
    name = Comparison(Order.EQUAL, Attribute(Category.SUBJECT, "name", STRING), Constant("a", STRING))
    rule = Rule("r", Effect.PERMIT, And((name, *parts)))
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, (rule,)),))
    return assemble(VERIFIED, root, FUNCTIONS)


def test_two_questions_of_one_rule_to_one_set_are_not_joined_by_elements():
    tags = Attribute(Category.SUBJECT, "tags", SetType(STRING))
    constant = SetConstant(frozenset({"b"}), SetType(STRING))
    program = _one_rule(AnyOf(tags, constant), Not(AllOf(tags, constant)))
    for held, rules in (["b"], ()), (["c"], ()), (["c", "b"], ("r",)), (["b", "b"], ()), (["c", "d"], ()):
        for _ in range(3):
            assert decide(program, Request({"name": "a", "tags": held}, "read")).rules == rules


def test_a_value_that_a_rule_names_keeps_its_own_word_among_many_others():
    alias = Comparison(Order.EQUAL, Attribute(Category.SUBJECT, "alias", STRING), Constant("me", STRING))
    program = _one_rule(alias, Holds(Attribute(Category.SUBJECT, "flag", BOOL)))
    for other in [f"other-{n}" for n in range(3 * FEW)] * 2 + ["é" * 3] * 3:
        assert not decide(program, Request({"name": "a", "alias": other, "flag": True}, "read")).rules
    for _ in range(3):
        assert decide(program, Request({"name": "a", "alias": "me", "flag": True}, "read")).rules == ("r",)
    assert not decide(program, Request({"name": "a", "alias": "other", "flag": True}, "read")).rules


def test_a_word_is_what_is_left_of_a_page_with_what_is_common_on_top():
    held = pages.Pages("subject.name", 2, ((2, 3), (3, 5), (5, 5)), {"a": 0, "b": 1})
    rules = 1 << 14 | 1 << 15 | 1 << 17 | 1 << 39
    left = held.left(rules)
    mask = (1 << 40) - 1 ^ (1 << 14 | 1 << 17 | 1 << 39)
    assert left.words(mask) == [left.word(mask, page) for page in range(3)]
    assert [bits(word) for word in left.words(mask)] == [[8, 1], [16, 15], [0]]
    assert [bits(left.slots(word, page)) for page, word in enumerate(left.words(mask))] == [
        [17, 14],
        [39, 14],
        [14],
    ]
    assert all(left.each(word, page) for page, word in enumerate(left.words(mask)))
    assert left.each(left.words(mask)[1], 1) == [14, 39]
    alone = held.left(1 << 17 | 1 << 39)
    assert [bits(word) for word in alone.words(mask)] == [[1], [15], []]


def test_no_cell_of_a_double_holds_what_is_not_finite():
    bounds, kept = line([], Assurance.DECLARED, 0)
    cells = [bisect_right(bounds, v) for v in (-inf, -1e308, 0.0, 1e308, inf, nan)]
    assert [cell in kept for cell in cells] == [False, True, True, True, False, False]
