"""A frame of several chunks is decided as one: a literal met with a `when` over chunks once lost rows."""

import random

import polars as pl
import pytest

from abac.backends.columnar import Frame, truths
from abac.condition.expr import Arithmetic, Attribute, Comparison, Constant, Operator, Order
from abac.condition.reference import Reference
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.condition.types import FLOAT, INT
from tests.agreement.columns import table
from tests.agreement.strategies import FUNCTIONS, SCHEMA, random_assertions


def attribute(path: str, least: Assurance) -> Attribute:
    definition = SCHEMA[path]
    return Attribute(definition.category, definition.name, definition.type, least)


WEIGHT = attribute("subject.weight", Assurance.VERIFIED)
SUM = Arithmetic(Operator.ADD, WEIGHT, attribute("subject.age", Assurance.DECLARED), FLOAT)


@pytest.mark.parametrize("literal", [Constant(3.0, FLOAT), Constant(10, INT)])
@pytest.mark.parametrize("order", Order)
def test_a_literal_is_compared_with_a_sum_over_several_chunks(order, literal):
    source = random.Random(71)
    rows = [random_assertions(source) for _ in range(50)]
    whole = table(rows, SCHEMA, ("subject.weight", "subject.age"))
    chunked = pl.concat([whole[:24], whole[24:]], rechunk=False)
    assert chunked.n_chunks() == 2
    frame = Frame.encode(chunked, SCHEMA)
    for condition in (Comparison(order, literal, SUM), Comparison(order, SUM, literal)):
        (found,) = truths([condition], frame, {}, FUNCTIONS)
        given = [UNKNOWN if truth is None else TRUE if truth else FALSE for truth in found]
        assert given == [Reference(row, FUNCTIONS).truth(condition) for row in rows]
