"""JSON that somebody else sent."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.language.json_source import MAX_DEPTH, JsonError, read

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_json_says_is_read_as_it_is(value):
    assert read(json.dumps(value, ensure_ascii=True).encode()) == value


@given(st.binary())
def test_whatever_comes_is_a_value_or_an_error_of_ours(data):
    with contextlib.suppress(JsonError):
        read(data)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]',
        b"NaN",
        b"-Infinity",
        b'"\xff"',
        b"1" * 10_000,
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b"[" * 1_000_000,
        b'{"a": ' * 100_000,
    ],
)
def test_what_is_none_or_can_be_read_in_two_ways_is_refused(text):
    with pytest.raises(JsonError):
        read(text)


def test_a_text_may_be_as_deep_as_it_may():
    assert read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
