"""Displacement: every denied request goes somewhere exactly once, and only to what is still permitted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from abac.simulation.change import Ask, with_substitutes
from abac.simulation.displacement import NOWHERE, apportion, displaced, reached, substitutes
from tests.simulation import june

CATALOGUE = june.inputs(1_000).population.catalogue
ASKS = tuple(Ask(m, a) for m in CATALOGUE.models for a in CATALOGUE.actions)
INVOKE = [i for i, ask in enumerate(ASKS) if ask.action == "invoke"]


def named(model: str, action: str = "invoke") -> int:
    return next(i for i, ask in enumerate(ASKS) if (ask.model.id, ask.action) == (model, action))


weights = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 100).map(lambda n: n / 100), min_size=1)


@given(st.integers(0, 10**9), weights)
def test_what_is_apportioned_sums_and_is_within_one_of_its_quota(total, shares):
    given_ = apportion(total, shares)
    assert sum(given_.values()) == total
    whole = sum(Fraction(str(w)) for w in shares.values())
    for name, number in given_.items():
        quota = total * (Fraction(str(shares[name])) / whole if whole else Fraction(1, len(shares)))
        assert abs(number - quota) < 1


@given(st.integers(0, 10**6), weights)
def test_apportioning_does_not_hang_on_the_order_of_names(total, shares):
    assert apportion(total, dict(reversed(shares.items()))) == apportion(total, shares)


def test_equal_remainders_go_by_name_and_not_by_rounding():
    assert apportion(9, {"gpt-5.5": 0.14, "fable-5": 0.22}) == {"gpt-5.5": 3, "fable-5": 6}
    assert apportion(1, {"b": 0.1, "a": 0.1}) == {"b": 0, "a": 1}
    assert apportion(5, {"b": 0.0, "a": 0.0}) == {"b": 2, "a": 3}


def test_a_substitute_does_the_same_at_the_same_level_or_above():
    level = {ASKS[j].model.id for j in substitutes(ASKS, named("fable-5"), "cyber", parity_shown=False)}
    assert level == {"mythos-5"}
    assert {ASKS[j].model.id for j in substitutes(ASKS, named("fable-5"), "cyber", parity_shown=True)} == {
        "mythos-5",
        "gpt-5.5",
        "gpt-5.6",
    }
    for i in range(len(ASKS)):
        for j in substitutes(ASKS, i, "cyber", parity_shown=True):
            assert ASKS[i].action == ASKS[j].action
            assert ASKS[i].model.id != ASKS[j].model.id


def test_taking_a_claim_as_shown_can_only_add_substitutes_of_what_claims_nothing():
    for i, ask in enumerate(ASKS):
        if ask.model.level("cyber", parity_shown=True) == ask.model.level("cyber", parity_shown=False):
            less = set(substitutes(ASKS, i, "cyber", parity_shown=False))
            assert less <= set(substitutes(ASKS, i, "cyber", parity_shown=True))


@st.composite
def markets(draw):
    rows = draw(st.integers(1, 6))
    marks = st.lists(st.booleans(), min_size=rows, max_size=rows).map(lambda m: np.array(m, np.bool_))
    access = [draw(marks) for _ in ASKS]
    blocked = [draw(marks) & ~a for a in access]
    numbers = st.lists(st.integers(0, 50), min_size=rows, max_size=rows).map(lambda n: np.array(n, np.uint32))
    return blocked, access, [draw(numbers) for _ in ASKS]


@given(markets(), st.booleans())
def test_every_denied_request_goes_somewhere_exactly_once(market, shown):
    blocked, access, requests = market
    found = displaced(ASKS, blocked, access, requests, "cyber", parity_shown=shown)
    assert sum(found.to.values()) == sum(int(w[b].sum()) for b, w in zip(blocked, requests, strict=True))
    assert set(found.to) <= {NOWHERE, *(m.id for m in CATALOGUE.models)}


@given(markets(), st.booleans())
def test_nobody_reaches_what_the_policies_after_do_not_permit_them(market, shown):
    blocked, access, requests = market
    found = displaced(ASKS, blocked, access, requests, "cyber", parity_shown=shown)
    for i, reach in enumerate(found.reached):
        for row in np.flatnonzero(reach):
            assert any(access[j][row] for j in substitutes(ASKS, i, "cyber", parity_shown=shown))
    nobody = [np.zeros_like(a) for a in access]
    lost = displaced(ASKS, blocked, nobody, requests, "cyber", parity_shown=shown)
    assert set(lost.to) <= {NOWHERE}
    assert not any(r.any() for r in reached(ASKS, nobody, "cyber", parity_shown=shown))


def test_reachable_and_goes_there_are_two_numbers():
    """Both substitutes are reachable; the demand goes where popularity says."""
    one = np.array([True])
    access = [~one] * len(ASKS)
    for name in ("gpt-5.5", "gpt-5.6"):
        access[named(name)] = one
    blocked = [one if i == named("fable-5") else ~one for i in range(len(ASKS))]
    found = displaced(ASKS, blocked, access, [np.array([17], np.uint32)] * len(ASKS), "cyber", parity_shown=True)
    assert found.reached[named("fable-5")].all()
    assert found.to == {"gpt-5.5": 14, "gpt-5.6": 3}


def test_what_nobody_uses_yet_can_be_a_substitute():
    used = (ASKS[named("fable-5")],)
    more = with_substitutes(used, CATALOGUE, "cyber")
    assert more[0] is used[0]
    assert [a.key for a in more[1:]] == ["mythos-5|invoke", "gpt-5.5|invoke", "gpt-5.6|invoke"]
    low = replace(ASKS[0].model, capabilities={})
    assert len(with_substitutes((Ask(low, "invoke"),), CATALOGUE, "cyber")) == len(INVOKE)
