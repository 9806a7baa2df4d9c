from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.compiler.index.annotated import annotation
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.types import BOOL, FLOAT, INT, STRING, SetType
from abac.errors import AbacError
from abac.policy.request import EMBEDDED, read_assertion

values = st.one_of(
    st.sampled_from([True, False, 0, 1, 0.0, -0.0, 1.0, "a", "b", "", None, float("nan"), 2**70]),
    st.lists(st.sampled_from(["a", "b", 1, True, None]), max_size=2),
    st.just({"value": "a"}),
)
levels = st.sampled_from([None, "verified", "declared", "certain", 1, True, Assurance.DECLARED, ["verified"]])
wholes = st.sampled_from([True, False, None, 1, 0, "true"])
annotated = st.fixed_dictionaries(
    {},
    optional={
        "value": values,
        "assurance": levels,
        "complete": wholes,
        "source": st.sampled_from(["idp", None]),
        "as_of": st.sampled_from(["2026-06-12T00:00:00Z", "yesterday"]),
        "level": st.just("verified"),
    },
)
kinds = st.sampled_from([BOOL, INT, FLOAT, STRING, SetType(STRING)])


def said(value, kind):
    """What an annotated value comes to, or why it is refused."""
    definition = AttributeDefinition(Category.SUBJECT, "a", kind)
    try:
        found = read_assertion(value, definition, EMBEDDED)
    except AbacError as error:
        return str(error)
    return found and (type(found.value), found.value, found.assurance, found.complete, found.elements)


@given(annotated, annotated, kinds)
def test_values_of_one_key_say_the_same(one, other, kind):
    key = annotation(one)
    if key is not None and key == annotation(other):
        assert said(one, kind) == said(other, kind)


@given(annotated, kinds)
def test_what_is_keyed_is_no_more_than_what_decides(one, kind):
    key = annotation(one)
    if key is not None and "source" in one:
        assert annotation({**one, "source": "another"}) == key
        assert said({**one, "source": "another"}, kind) == said(one, kind)


@pytest.mark.parametrize(
    "held", [{"as_of": "2026-06-12T00:00:00Z"}, {"level": 1}, {"assurance": 1}, {"complete": 1}]
)
def test_the_unusual_has_no_key(held):
    assert annotation({"value": "a"}) is not None
    assert annotation({"value": "a", **held}) is None
