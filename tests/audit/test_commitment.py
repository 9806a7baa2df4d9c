import struct
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.commitment import commit, matches
from abac.audit.errors import CommitmentError

IDS = st.binary(min_size=16, max_size=16)
SALTS = st.binary(min_size=32, max_size=32)
FIELDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(IDS, FIELDS, SALTS, st.binary(max_size=300))
def test_a_commitment_is_the_hash_of_its_parts_each_with_its_length(decision_id, field, salt, value):
    parts = (b"abac/commitment/1", decision_id, field.encode(), salt, value)
    expected = sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)).digest()
    assert commit(decision_id, field, salt, value) == expected
    assert matches(expected, decision_id, field, salt, value)


def test_every_part_counts():
    right = (bytes(16), "subject.citizenships", bytes(32), b'["FR"]')
    held = commit(*right)
    for other in (
        (b"\x01" + bytes(15), *right[1:]),
        (right[0], "subject.citizenship", *right[2:]),
        (*right[:2], bytes(31) + b"\x01", right[3]),
        (*right[:3], b'["FR" ]'),
    ):
        assert not matches(held, *other)
    assert not matches(held[:-1], *right)


def test_bytes_cannot_move_from_one_part_to_the_next():
    salt = b"a" * 32
    assert commit(bytes(16), "fielda", salt, b"value") != commit(bytes(16), "field", salt, b"avalue")


@pytest.mark.parametrize(
    ("decision_id", "salt", "said"),
    [(15, 32, "16 bytes, not 15"), (17, 32, "not 17"), (16, 31, "32 bytes, not 31"), (16, 0, "not 0")],
)
def test_lengths_are_demanded(decision_id, salt, said):
    with pytest.raises(CommitmentError, match=said):
        commit(bytes(decision_id), "field", bytes(salt), b"")
