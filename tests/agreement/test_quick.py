"""The function written for a program equals the reference on the requests it is written for: bare values.

Requests are decided three times over: values are remembered from the first, closures asked from the second.
"""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.compiler.program import assemble
from abac.condition.schema import Category
from abac.condition.types import SetType
from abac.errors import RequestError
from abac.pdp.decide import decide
from abac.policy.reference import decide as decide_by_reference
from abac.policy.request import UNTRUSTED, Request, assertions
from abac.policy.rule import SAFE, Policy, PolicySet
from tests.agreement.strategies import FUNCTIONS, POOLS, SCHEMA, policy, trees

seeds = st.integers(0, 2**32)


def value(source, kind):
    if not isinstance(kind, SetType):
        return source.choice(POOLS[kind])
    pool = POOLS[kind.element]
    held = [source.choice(pool) for _ in range(source.choice((0, 1, 1, 1, 2, 3)))]
    return source.choice((list, list, tuple, set, frozenset))(held)


def bare(source, known):
    """A request of bare values, each attribute there with probability `known`."""
    parts = {c.value: {} for c in Category}
    for definition in SCHEMA:
        if source.random() < known:
            held = None if source.random() < 0.02 else value(source, definition.type)
            parts[definition.category.value][definition.name] = held
    if source.random() < 0.6:
        parts["action"] = source.choice(("read", "a", "b"))
    if source.random() < 0.2:
        parts["subject"] = SimpleNamespace(**parts["subject"])
    return Request(**parts, source=UNTRUSTED if source.random() < 0.1 else Request().source)


def _agree(root, seed, count=12):
    source = random.Random(seed)
    program = assemble(SCHEMA, root, FUNCTIONS)
    requests = [bare(source, source.choice((1.0, 1.0, 0.8, 0.5))) for _ in range(count)]
    duties = source.choice((frozenset(), frozenset({"duty-0", "duty-1"})))
    for request in requests * 3:
        expected = decide_by_reference(
            root, assertions(request, SCHEMA), FUNCTIONS, discharges=duties, revision=program.revision
        )
        assert decide(program, request, discharges=duties) == expected


@given(trees(), seeds)
def test_the_quick_way_equals_the_reference(root, seed):
    _agree(root, seed)


@given(st.sampled_from(SAFE), st.data(), seeds)
def test_the_quick_way_equals_the_reference_in_flat_policies(algorithm, data, seed):
    flat = data.draw(policy((algorithm,)))
    _agree(PolicySet("root", data.draw(st.sampled_from(SAFE)), (Policy("empty", algorithm), flat)), seed)


@pytest.mark.law
@given(trees(), seeds)
def test_the_quick_way_equals_the_reference_at_length(root, seed):
    _agree(root, seed, 100)


@given(trees(), seeds)
def test_what_the_door_refuses_is_refused_the_quick_way_too(root, seed):
    source = random.Random(seed)
    program = assemble(SCHEMA, root, FUNCTIONS)
    for _ in range(2):
        good = bare(source, 1.0)
        if not isinstance(good.subject, dict):
            continue
        for name, wrong in WRONG:
            decide(program, good) if good.source.schema_defaults else None
            bad = Request({**good.subject, name: wrong}, good.action, good.resource, good.environment)
            with pytest.raises(RequestError, match=f"subject.{name}"):
                decide(program, bad)


class _Equal(str):
    """A string that is none: it equals everything."""

    __slots__ = ()

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("a")


WRONG = (
    ("flag", 1),
    ("age", True),
    ("age", 1.0),
    ("age", 2**63),
    ("weight", float("nan")),
    ("weight", "1"),
    ("name", _Equal("a")),
    ("name", "a\0"),
    ("name", "\ud800"),
    ("colour", "puce"),
    ("tier", b"small"),
    ("seen", "2026-06-18T00:00:00"),
    ("tags", "a"),
    ("tags", ["a", None]),
    ("tags", [_Equal("a")]),
    ("tags", ["a", 1]),
    ("numbers", [True]),
    ("colours", ["puce"]),
    ("unheard_of", 1),
)
