"""Stock pycasbin is the oracle of what is exported: on known requests it permits what the program permits.

Random trees of all seven algorithms, nested and flat, over the whole union of conditions. Where everything can be
said the answers are equal; where something cannot, stock never permits more. What is exported also reads back
through our own loader, to the same answers.
"""

from __future__ import annotations

import logging
import random
from collections import Counter

import casbin
import pytest
from casbin.model.function import FunctionMap
from casbin.persist.adapter import Adapter, load_policy_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.compiler.link import RowLinker, link
from abac.condition.expr import And, Arithmetic, Comparison, Condition, Not, Operator, Or, Order
from abac.condition.functions import SHIPPED
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.terms import Vocabulary
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.condition.types import FLOAT, INT, SetType, Type, Value
from abac.errors import Findings, Span
from abac.language.casbin import Rows, read_model, read_rows
from abac.language.casbin_out import CasbinText, casbin_text
from abac.language.casbin_out.contract import contract_of, stock_arguments
from abac.language.casbin_out.lower import Lowering
from abac.language.casbin_out.text import SHORT, StockText
from abac.language.condition import Context, read_condition
from abac.language.yaml_source import Text
from abac.policy.reference import decide
from abac.policy.rule import PolicySet, policies
from tests.agreement.strategies import FUNCTIONS, POOLS, SCHEMA, atoms, term, trees

logging.getLogger("casbin").setLevel(logging.ERROR)

EVERY = dict(SHIPPED) | dict(FUNCTIONS)


class Known(list[dict[str, Assertion]]):
    """Fully known requests from one seed, shown by it in a counter-example."""

    def __init__(self, seed: int) -> None:
        source = random.Random(seed)
        super().__init__(
            {d.path: Assertion(_value(source, d.type), Assurance.VERIFIED) for d in SCHEMA} for _ in range(6)
        )
        self._seed = seed

    def __repr__(self) -> str:
        return f"Known({self._seed})"


def _value(source: random.Random, kind: Type) -> Value:
    if isinstance(kind, SetType):
        return frozenset(source.sample(POOLS[kind.element], source.randint(0, min(3, len(POOLS[kind.element])))))
    return source.choice(POOLS[kind])


REQUESTS = st.builds(Known, st.integers(0, 2**32))
BUILT_IN = FunctionMap.load_function_map().get_functions()
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(SLOW, max_examples=2_000)


class _Lines(Adapter):
    """An adapter over a text, by pycasbin's own reading of a line."""

    def __init__(self, text: str) -> None:
        self._text = text

    def load_policy(self, model):
        for line in self._text.split("\n"):
            load_policy_line(line.strip(), model)


def stock(text: CasbinText) -> casbin.Enforcer:
    model = casbin.Model()
    model.load_model_from_text(text.model)
    return casbin.Enforcer(model, _Lines(text.rows))


def read_back(text: CasbinText, schema=SCHEMA, functions=EVERY) -> PolicySet:
    """The tree that our own loader makes of the exported texts."""
    findings = Findings()
    model, rows = read_model(text.model, "m.conf", {}, findings), Rows()
    findings.raise_errors()
    read_rows(text.rows, "p.csv", model, rows, findings)
    rules = RowLinker(model, rows, Vocabulary(schema, functions), {}, {}, findings).rules()
    findings.raise_errors()
    return link(model, rules, [], None)


def is_sayable(condition: Condition) -> bool:
    noted: list[tuple[str, str, bool]] = []
    Lowering(EVERY, lambda *note: noted.append(note)).bounds(condition)
    return not noted


sayable: st.SearchStrategy[Condition] = st.recursive(
    atoms.filter(is_sayable),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, max_size=4).map(lambda many: And(tuple(many))),
        st.lists(inner, max_size=4).map(lambda many: Or(tuple(many))),
    ),
    max_leaves=6,
)


def _settled(root, assertions) -> bool:
    """Whether every rule of the tree is TRUE or FALSE, so that every computation has a value."""
    reference = Reference(assertions, EVERY)
    rules = (r for p in policies(root) for r in (*p.rules, *p.obligation_rules))
    return all(reference.truth(r.condition) is not UNKNOWN for r in rules)


def compare(root, requests, seen: Counter, discharges=frozenset()) -> None:
    text = casbin_text(root, EVERY, discharges=discharges)
    enforcer, again = stock(text), read_back(text)
    for assertions in requests:
        permitted = decide(root, assertions, EVERY, discharges=discharges).permitted
        values = {path: one.value for path, one in assertions.items()}
        theirs = enforcer.enforce(*text.arguments(values))
        assert not (theirs and not permitted), text.rows
        if text.exact and _settled(root, assertions):
            assert theirs is permitted, text.rows
            seen["exact", permitted] += 1
        else:
            seen["sound", permitted, theirs] += 1
        assert decide(again, assertions, EVERY).permitted is theirs, text.rows


# --- condition by condition ------------------------------------------------------------------------------------


_NUMBER = st.one_of(term(INT, 0), term(FLOAT, 0))
computed: st.SearchStrategy[Condition] = st.builds(
    Comparison,
    st.sampled_from(list(Order)),
    st.one_of(
        st.builds(Arithmetic, st.sampled_from(list(Operator)[:3]), term(INT, 0), term(INT, 0), st.just(INT)),
        st.builds(Arithmetic, st.sampled_from(list(Operator)), term(FLOAT, 0), _NUMBER, st.just(FLOAT)),
        st.builds(Arithmetic, st.just(Operator.DIVIDE), term(INT, 0), term(INT, 0), st.just(FLOAT)),
    ),
    _NUMBER,
)
"""Computations, many of them without a value: overflow, division by zero."""


class _Stock:
    """A lowered condition in stock's own pipeline: its text edits, then its evaluator."""

    def __init__(self, condition: Condition) -> None:
        text = StockText(bare_action=False)
        edited = casbin.util.escape_assertion(text.condition(condition))
        self._expression = casbin.Enforcer._get_expression(edited, dict(BUILT_IN))
        self._contract = contract_of([condition], text)

    def truth(self, assertions) -> bool:
        given_to = stock_arguments(self._contract, {path: one.value for path, one in assertions.items()})
        found = self._expression.eval(
            {f"r_{short}": one for short, one in zip(SHORT.values(), given_to, strict=True)}
        )
        assert isinstance(found, bool)
        return found


def _ours(condition: Condition) -> Condition:
    """What our own parser makes of the text of a lowered condition."""
    findings = Findings()
    written = Text(StockText(bare_action=False).condition(condition), Span())
    read = read_condition(written, Context(Vocabulary(SCHEMA, EVERY)), findings)
    findings.raise_errors()
    assert read is not None
    return read


def _bounds(examples: settings, conditions: st.SearchStrategy[Condition]) -> Counter:
    seen: Counter = Counter()

    @examples
    @given(conditions, REQUESTS)
    def run(atom, requests):
        noted: list[tuple[str, str, bool]] = []
        said = Lowering(EVERY, lambda *note: noted.append(note)).bounds(atom)
        least, most, again = _Stock(said.low), _Stock(said.high), _ours(said.low)
        for assertions in requests:
            reference = Reference(assertions, EVERY)
            truth, low, high = reference.truth(atom), least.truth(assertions), most.truth(assertions)
            assert truth is TRUE or not low, (truth, said)
            assert truth is FALSE or high, (truth, said)
            if not noted:
                assert (low, high) == (truth is TRUE, truth is not FALSE), (truth, said)
                assert (reference.truth(again) is TRUE) is low
            seen[truth.name, bool(noted)] += 1

    run()
    return seen


def test_every_kind_of_test_lies_between_its_bounds_and_is_them_where_it_can_be_said():
    seen = _bounds(settings(SLOW, max_examples=400), atoms)
    assert min(seen["TRUE", False], seen["FALSE", False], 10 * seen["UNKNOWN", True]) > 200, seen


def test_a_computation_without_a_value_lies_between_its_bounds():
    seen = _bounds(settings(SLOW, max_examples=200), computed)
    assert min(seen["TRUE", False], seen["FALSE", False], seen["UNKNOWN", False]) > 50, seen


@pytest.mark.law
def test_every_kind_of_test_lies_between_its_bounds_many_times_over():
    _bounds(settings(SLOW, max_examples=30_000), st.one_of(atoms, computed))


# --- whole trees -----------------------------------------------------------------------------------------------

duties = st.sampled_from([frozenset(), frozenset({"duty-1"}), frozenset({"duty-1", "duty-2", "duty-3"})])


def _sayable_trees(examples: settings) -> Counter:
    seen: Counter = Counter()

    @examples
    @given(trees(given=sayable), REQUESTS, duties)
    def run(root, requests, discharges):
        compare(root, requests, seen, discharges)

    run()
    return seen


def _any_trees(examples: settings) -> Counter:
    seen: Counter = Counter()

    @examples
    @given(trees(), REQUESTS)
    def run(root, requests):
        compare(root, requests, seen, frozenset({"duty-1", "duty-2", "duty-3"}))

    run()
    return seen


def test_what_can_be_said_is_enforced_alike():
    seen = _sayable_trees(SLOW)
    assert min(seen["exact", True], seen["exact", False]) > 0.05 * seen.total(), seen


def test_what_cannot_be_said_never_permits_more():
    seen = _any_trees(SLOW)
    assert seen["sound", False, True] == 0
    assert seen["sound", True, True] > 0.02 * seen.total(), seen


@pytest.mark.law
def test_what_can_be_said_is_enforced_alike_many_times_over():
    _sayable_trees(LONG)


@pytest.mark.law
def test_what_cannot_be_said_never_permits_more_many_times_over():
    _any_trees(LONG)
