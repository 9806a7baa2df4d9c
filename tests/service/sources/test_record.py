"""What a database or a file gives in its own types, in ours."""

from decimal import Decimal
from uuid import UUID

import pytest

from abac.condition.types import BOOL, FLOAT, INT, STRING, SetType, TypeClash, admit
from abac.service.sources.record import identity, native

ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (Decimal("3.5"), FLOAT, 3.5),
        (Decimal("3.0"), INT, 3),
        (ID, STRING, str(ID)),
        ('["a", "b"]', SetType(STRING), frozenset({"a", "b"})),
        ((Decimal(1), Decimal(2)), SetType(INT), frozenset({1, 2})),
        ([], SetType(STRING), frozenset()),
    ],
)
def test_what_says_the_same_is_taken(value, kind, expected):
    admitted = admit(native(value, kind), kind)
    assert admitted == expected
    assert type(admitted) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Decimal("3.5"), INT),
        (Decimal(1), BOOL),
        (1, BOOL),
        ("1", INT),
        ("a,b", SetType(STRING)),
        ('{"a": 1}', SetType(STRING)),
        ("[" * 100_000, SetType(STRING)),
        ("[null]", SetType(STRING)),
        (b"a", STRING),
    ],
)
def test_what_does_not_is_refused(value, kind):
    with pytest.raises(TypeClash):
        admit(native(value, kind), kind)


@pytest.mark.parametrize(("value", "expected"), [("7", "7"), (7, "7"), (ID, str(ID)), (True, None), (1.0, None)])
def test_an_id_is_text_or_a_whole_number(value, expected):
    assert identity(value) == expected
