import time

import casbin.util.builtin_operators as stock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.condition.functions import SHIPPED, Function, key_match, key_match2
from abac.condition.types import BOOL, INT, STRING

segments = st.lists(st.sampled_from(["a", "b", "ab", ""]), min_size=1, max_size=4)
wanted = st.lists(st.sampled_from(["a", "b", "ab", ":id", "*"]), min_size=1, max_size=4)


@given(st.text("ab/*", max_size=6), st.text("ab/*", max_size=6))
def test_key_match_answers_as_casbin(key, pattern):
    assert key_match(key, pattern) == stock.key_match(key, pattern)


@given(segments, wanted)
def test_key_match2_answers_as_casbin_on_path_patterns(key, pattern):
    path, wish = "/" + "/".join(key), "/" + "/".join(pattern)
    assert key_match2(path, wish) == stock.key_match2(path, wish)


@pytest.mark.parametrize(
    ("key", "pattern"), [("fable-55", "fable-.5"), ("ab", "a[ab]"), ("fable-5x", "fable-5.*")]
)
def test_what_only_a_regular_expression_would_match_is_not_matched(key, pattern):
    assert stock.key_match2(key, pattern)
    assert not key_match2(key, pattern)


def test_no_pattern_makes_key_match2_backtrack():
    start = time.process_time()
    assert not key_match2("/a" * 1_000, "/*" * 500 + "/b")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lambda _: 1 / 0, INT),
        (lambda _: "1", INT),
        (lambda _: True, INT),
        (lambda _: 1, BOOL),
        (lambda _: None, BOOL),
        (lambda _: 2**63, INT),
        (lambda _: "\ud800", STRING),
    ],
)
def test_a_function_that_raises_or_lies_about_its_type_has_no_value(call, result):
    assert Function("f", 1, (STRING,), result, call).value("x") is None


def test_the_shipped_functions_have_values():
    assert SHIPPED["startsWith"].value("abc", "ab") is True
    assert SHIPPED["lower"].value("AB") == "ab"
    assert SHIPPED["keyMatch"].value("/models/x", "/models/*") is True
