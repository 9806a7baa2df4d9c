"""timeMatch, lowered to `environment.now`, against pycasbin's own."""

from datetime import UTC, datetime, timedelta

import casbin.util.builtin_operators as stock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.condition.check import check
from abac.condition.clock import FORMAT
from abac.condition.functions import SHIPPED, Function
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Schema
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text
from abac.condition.truth import UNKNOWN, truth
from abac.condition.types import BOOL, STRING
from abac.errors import Findings
from tests.reading import condition, error, schema, untyped

NOW = datetime(2026, 6, 12, 21, 21, 0, tzinfo=UTC)
sides = st.one_of(
    st.just("_"), st.integers(-3, 3).map(lambda seconds: (NOW + timedelta(seconds=seconds)).strftime(FORMAT))
)


def asked(text, now):
    held = {"environment.now": Assertion(now, Assurance.VERIFIED)} if now else {}
    return Reference(held, SHIPPED).truth(condition(text))


@given(sides, sides)
def test_time_match_answers_as_casbin_where_its_clock_stands_at_now(start, end):
    class Standing(datetime):
        """pycasbin's clock, which it reads without an offset, at a known time."""

        @classmethod
        def now(cls, tz=None):
            return NOW.replace(tzinfo=tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "datetime", Standing)
        theirs = stock.time_match_func(start, end)
    assert asked(f'timeMatch("{start}", "{end}")', NOW) is truth(theirs)


def test_time_match_answers_as_casbin_by_a_real_clock(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    now = datetime.now(UTC)
    for start, end in ((-1, 1), (1, 2), (-2, -1), (2, -2)):
        bounds = [(now + timedelta(days=days)).strftime(FORMAT) for days in (start, end)]
        answer = asked('timeMatch("{}", "{}")'.format(*bounds), now)
        assert answer is truth(stock.time_match_func(*bounds))


@pytest.mark.parametrize(
    ("text", "lowered"),
    [
        ('timeMatch("_", "_")', "true"),
        ('timeMatch("2026-06-12 21:21:00", "_")', 'environment.now > "2026-06-12T21:21:00Z"'),
        ('timeMatch("_", "2026-06-12 21:21:00")', 'environment.now < "2026-06-12T21:21:00Z"'),
        (
            '!timeMatch("2026-06-12 00:00:00", "2026-06-13 00:00:00")',
            '!(environment.now > "2026-06-12T00:00:00Z" && environment.now < "2026-06-13T00:00:00Z")',
        ),
    ],
)
def test_what_time_match_is_lowered_to(text, lowered):
    assert condition_text(condition(text)) == lowered


def test_an_absent_now_is_unknown_and_never_read_from_a_clock():
    assert asked('timeMatch("2026-06-12 21:21:00", "_")', None) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        ('timeMatch("2026-06-12 21:21:00")', "takes 2 arguments, got 1", 1),
        ('timeMatch("_", "2026-06-12T21:21:00Z")', "meant as UTC", 16),
        ('timeMatch("yesterday", "_")', "`yesterday` is no time", 11),
        ('timeMatch("_", r.sub.name)', "times written out", 16),
        ('timeMatch("_", 5)', "times written out", 16),
        ('timeMatch("_", "_") == true', "stands in no other", 1),
        ('lower(timeMatch("_", "_")) == "a"', "stands in no other", 7),
    ],
)
def test_a_time_match_that_cannot_be_lowered_is_refused_at_its_place(text, says, column):
    found = error(text)
    assert says in found.message
    assert found.span.column == column


def _checked(text, vocabulary):
    findings = Findings()
    parsed, _ = untyped(text)
    return check(parsed, vocabulary, findings), findings.errors


def test_now_must_be_in_the_schema():
    without = Schema.of(d for d in schema() if d.path != "environment.now")
    typed, (found,) = _checked('r.sub.flag || timeMatch("_", "2026-06-12 00:00:00")', Vocabulary(without, SHIPPED))
    assert typed is None
    assert str(found) == (
        "rule.txt:1:15: error[type-clash]: `timeMatch` asks `environment.now`; the schema has no such date-time"
        " (add `now: {type: date-time}` to its environment)"
    )


def test_a_function_of_that_name_that_is_passed_in_is_the_one_that_is_called():
    own = Function("timeMatch", 1, (STRING,), BOOL, lambda text: text == "a")
    typed, errors = _checked('timeMatch("a")', Vocabulary(schema(), {**SHIPPED, "timeMatch": own}))
    assert errors == ()
    assert condition_text(typed) == 'timeMatch("a")'
