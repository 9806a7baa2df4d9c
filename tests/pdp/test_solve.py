from __future__ import annotations

import pytest

from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.types import DATETIME, admit
from abac.pdp.solve import crossings
from tests.reading import condition

NOW = admit("2026-06-12T12:00:00Z", DATETIME)
EARLIER = admit("2026-06-12T11:00:00Z", DATETIME)


def solved(text, path, **held):
    given = {name.replace("__", "."): Assertion(v, Assurance.VERIFIED) for name, v in held.items()}
    return list(crossings(condition(text), path, Reference(given, {})))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("r.sub.age + 2 > 10", 8),
        ("r.sub.age - 2 > 10", 12),
        ("20 - r.sub.age > 10", 10),
        ("r.sub.age * 4 >= 10", 2.5),
        ("r.sub.age / 4 >= 10.0", 40.0),
        ("40 / r.sub.age >= 10.0", 4.0),
        ("30 < (r.sub.age + 2) * 3", 8.0),
    ],
)
def test_each_step_is_turned_round(text, value):
    assert solved(text, "subject.age") == [value]


def test_moments_and_what_lies_between():
    assert solved("r.env.now - r.sub.born < 3600.0", "subject.born", environment__now=NOW) == [EARLIER]
    assert solved("r.env.now - r.sub.born < 3600.0", "environment.now", subject__born=EARLIER) == [NOW]


@pytest.mark.parametrize("text", ["r.sub.age * r.sub.age > 4", "r.sub.age * 0 > 4", "r.sub.age + r.obj.cost > 4"])
def test_what_cannot_be_turned_round_gives_nothing(text):
    assert solved(text, "subject.age") == []
