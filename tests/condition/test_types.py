from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from abac.condition.types import (
    BOOL,
    DATETIME,
    FLOAT,
    INT,
    INT_MAX,
    INT_MIN,
    STRING,
    Kind,
    ScalarType,
    SetType,
    TypeClash,
    admit,
    describe,
)

COUNTRY = ScalarType(Kind.ENUM, ("FR", "US"), "country")
TIER = ScalarType(Kind.ORDERED, ("low", "high"), "tier")


@pytest.mark.parametrize(
    ("value", "kind", "admitted"),
    [
        (True, BOOL, True),
        (INT_MAX, INT, INT_MAX),
        (INT_MIN, INT, INT_MIN),
        (1, FLOAT, 1.0),
        (1.5, FLOAT, 1.5),
        ("", STRING, ""),
        ("US", COUNTRY, "US"),
        ("low", TIER, "low"),
        (["FR", "FR"], SetType(COUNTRY), frozenset({"FR"})),
        ((), SetType(INT), frozenset()),
        ({1, 2}, SetType(FLOAT), frozenset({1.0, 2.0})),
        ("2026-06-12T23:21:00+02:00", DATETIME, datetime(2026, 6, 12, 21, 21, tzinfo=UTC)),
        ("2026-06-12T21:21:00Z", DATETIME, datetime(2026, 6, 12, 21, 21, tzinfo=UTC)),
    ],
)
def test_a_value_of_the_type_is_admitted_in_its_normal_form(value, kind, admitted):
    got = admit(value, kind)
    assert got == admitted
    assert type(got) is type(admitted)


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (1, BOOL, "expected bool, got int 1"),
        ("true", BOOL, "expected bool, got str 'true'"),
        (True, INT, "expected int, got bool True"),
        (1.0, INT, "expected int, got float 1.0"),
        (INT_MAX + 1, INT, "outside 64 bits"),
        (INT_MIN - 1, INT, "outside 64 bits"),
        (10**5_000, INT, "outside 64 bits"),
        (10**5_000, STRING, "expected string, got int outside 64 bits"),
        (10**400, FLOAT, "beyond the range of a double"),
        (True, FLOAT, "expected float, got bool True"),
        (float("nan"), FLOAT, "not a finite number"),
        (float("inf"), FLOAT, "not a finite number"),
        (float("-inf"), FLOAT, "not a finite number"),
        (b"US", STRING, "expected string, got bytes"),
        ("\ud800", STRING, "lone surrogate"),
        ("a\0b", STRING, "NUL character"),
        ("UK", COUNTRY, "`UK` is not a value of enum country"),
        ("\ud800", COUNTRY, "lone surrogate"),
        (None, INT, "expected int, got null"),
        ("US", SetType(COUNTRY), "expected set of enum country, got str 'US'"),
        ([None], SetType(INT), "null inside a set"),
        ([True], SetType(INT), "expected int, got bool True"),
        ([[1]], SetType(INT), "expected int, got list"),
        ([float("nan")], SetType(FLOAT), "not a finite number"),
        ("yesterday", DATETIME, "not an RFC 3339 date-time"),
        ("\ud800", DATETIME, "lone surrogate"),
        ("2026-06-12", DATETIME, "no offset"),
        ("2026-06-12T21:21:00", DATETIME, "no offset"),
        (datetime(2026, 6, 12), DATETIME, "no offset"),  # noqa: DTZ001  # naive on purpose
        (1_718_000_000, DATETIME, "expected date-time, got int"),
        ("0001-01-01T00:00:00+14:00", DATETIME, "outside the years 1 to 9999"),
        ("9999-12-31T23:59:59-14:00", DATETIME, "outside the years 1 to 9999"),
    ],
    ids=lambda part: type(part).__name__,  # some of these values cannot be written out
)
def test_all_else_is_a_clash_that_says_what_it_is_instead(value, kind, says):
    with pytest.raises(TypeClash) as caught:
        admit(value, kind)
    assert says in str(caught.value)
    assert str(caught.value).encode()  # it can be printed


def test_negative_zero_becomes_zero_so_that_equal_values_look_equal():
    assert str(admit(-0.0, FLOAT)) == "0.0"


def test_a_date_time_whose_zone_knows_no_offset_is_naive():
    class Nowhere(tzinfo):
        def utcoffset(self, _):
            return None

    with pytest.raises(TypeClash, match="no offset"):
        admit(datetime(2026, 6, 12, tzinfo=Nowhere()), DATETIME)


def test_a_date_time_is_normalised_to_utc_and_keeps_its_microsecond():
    zone = timezone(timedelta(hours=-4, minutes=-30))
    admitted = admit(datetime(2026, 6, 12, 20, 0, 0, 1, tzinfo=zone), DATETIME)
    assert admitted == datetime(2026, 6, 13, 0, 30, 0, 1, tzinfo=UTC)
    assert admitted.tzinfo is UTC


def test_a_value_of_any_size_or_depth_is_described_in_a_line():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]

    class Silent:
        def __repr__(self):
            raise ValueError

    for value in (deep, "x" * 10_000_000, 10**100_000, -(10**100_000), Silent(), {1: deep}, b"x" * 1_000_000):
        assert len(describe(value)) < 200
    assert describe(None) == "null"
