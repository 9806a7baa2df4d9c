import re

import pytest
from casbin import util
from hypothesis import given
from hypothesis import strategies as st

from abac.condition.expr import Call, Constant
from abac.condition.functions import SHIPPED
from abac.enforcer.keys import as_regular

STOCK = {"keyMatch2": util.key_match2_func, "keyMatch3": util.key_match3_func, "keyMatch4": util.key_match4_func}
KEYS = st.text(alphabet="/ab1.?*", max_size=6)
PATTERNS = st.lists(st.sampled_from(["/", "a", "b", ".", ":x", "{x}", "{y}", "*", "/*", "[ab]", "+"]), max_size=5)


@pytest.mark.parametrize("name", sorted(STOCK))
@given(key=KEYS, pattern=PATTERNS.map("".join))
def test_a_pattern_means_what_it_means_to_pycasbin_or_is_refused(name, key, pattern):
    call = as_regular(Call(name, (Constant(key), Constant(pattern))))
    ours = SHIPPED[call.function]
    written = call.arguments[1].value
    try:
        ours.inspect[1](written)
    except ValueError:
        return  # refused when compiled
    names = re.findall(r"{([^/]+)}", pattern)
    twice = len(set(names)) < len(names)
    if name == "keyMatch4" and twice and "." in pattern:
        return  # in the ledger
    try:
        stock = STOCK[name](key, pattern)
    except re.error:
        return  # stock raises whenever it gets there
    assert ours.value(key, written) == stock


def test_a_dot_stands_for_any_character_as_in_pycasbin():
    call = as_regular(Call("keyMatch2", (Constant("/aXb"), Constant("/a.b"))))
    assert (call.function, call.arguments[1].value) == ("regexMatch", "^/a.b$")
    assert SHIPPED["regexMatch"].value("/aXb", "^/a.b$") is STOCK["keyMatch2"]("/aXb", "/a.b") is True


@pytest.mark.parametrize(
    ("function", "pattern"),
    [
        ("keyMatch2", "/a/:id"),
        ("keyMatch3", "/a/{id}"),
        ("keyMatch", "/a.b"),
        ("keyMatch5", "/a.b"),
        ("keyMatch4", "/{x}/.{x}"),
    ],
)
def test_a_pattern_that_ours_reads_alike_or_no_regular_expression_can_stays(function, pattern):
    call = Call(function, (Constant("k"), Constant(pattern)))
    assert as_regular(call) is call


def test_a_pattern_that_the_request_brings_stays():
    call = Call("keyMatch2", (Constant("k"), Call("lower", (Constant("K"),))))
    assert as_regular(call) is call
    assert as_regular(Call("keyMatch2", (Constant("k"),))) == Call("keyMatch2", (Constant("k"),))
