"""What is sealed is opened by its own key only, and every change of it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.commitment import commit
from abac.audit.deciding import Unsealed
from abac.audit.encoding import to_base64
from abac.audit.errors import EntryError
from abac.audit.sealing import resealed, seal, seal_each, unfaithful, unseal
from tests.audit.entries import HANDLE, ID, KEY, stored

CLEAR = b'"id":"00010203-0405-0607-0809-0a0b0c0d0e0f","kind":"decision","decided_at":"2026-06-12T21:21:00.000000Z"'
secrets = st.dictionaries(
    st.sampled_from(["subject.id", "subject.a", "reasons", "unknown"]), st.binary(max_size=40), min_size=1
).map(lambda d: tuple(d.items()))


def unsealed(secret):
    paths, told = [name for name, _ in secret], [value for _, value in secret]
    return Unsealed(ID, "ada", "2026-06", CLEAR, tuple(paths[:2]), tuple(told[:2]), tuple(secret[2:]))


@given(secrets)
def test_what_is_sealed_is_opened_again(secret):
    draft = seal(unsealed(secret), HANDLE, KEY)
    entry = stored(draft)
    opened = unseal(entry, draft.opening, KEY)
    assert {field: value for field, (_, value) in opened.items()} == dict(secret)
    assert list(unfaithful(entry, opened)) == []
    assert bytes.fromhex(entry.key) == HANDLE == draft.key
    for field, (salt, value) in opened.items():
        assert entry.sealed[field] == to_base64(commit(ID, field, salt, value))


@given(secrets, st.data())
def test_a_changed_opening_is_refused(secret, data):
    draft = seal(unsealed(secret), HANDLE, KEY)
    at = data.draw(st.integers(0, len(draft.opening) - 1))
    changed = bytearray(draft.opening)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EntryError, match="not under its key, or was changed"):
        unseal(stored(draft), bytes(changed), KEY)


def test_another_key_or_entry_opens_nothing():
    draft = seal(unsealed((("subject.id", b'["ada"]'),)), HANDLE, KEY)
    with pytest.raises(EntryError, match="not under its key"):
        unseal(stored(draft), draft.opening, bytes(32))
    other = stored(draft._replace(body=draft.body.replace(b"0e0f", b"0e00")))
    with pytest.raises(EntryError, match="not under its key"):
        unseal(other, draft.opening, KEY)


def test_another_value_is_unfaithful():
    draft = seal(unsealed((("subject.id", b'["ada"]'), ("reasons", b"[]"))), HANDLE, KEY)
    opened = unseal(stored(draft), draft.opening, KEY)
    salt, _ = opened["subject.id"]
    assert list(unfaithful(stored(draft), {**opened, "subject.id": (salt, b'["bob"]')})) == ["subject.id"]


@given(st.lists(st.one_of(secrets, st.just(())), max_size=5))
def test_a_group_is_sealed_each_with_salts_of_its_own(groups):
    drafts = seal_each([(unsealed(secret), HANDLE, KEY) for secret in groups])
    salts = [salt for d in drafts if d.opening for salt, _ in unseal(stored(d), d.opening, KEY).values()]
    assert len(set(salts)) == len(salts) == sum(map(len, groups))
    assert [bool(d.opening) for d in drafts] == [bool(secret) for secret in groups]
    nonces = [d.opening[:12] for d in drafts if d.opening]
    assert len(set(nonces)) == len(nonces)


@given(secrets)
def test_resealing_changes_the_key_and_nothing_else(secret):
    draft = seal(unsealed(secret), HANDLE, KEY)
    handle, key = bytes(16), bytes(range(32))
    again = resealed(draft, stored(draft), KEY, handle, key)
    assert unseal(stored(again), again.opening, key) == unseal(stored(draft), draft.opening, KEY)
    assert stored(again).sealed == stored(draft).sealed
    assert stored(again).key == handle.hex()
    assert again.body == draft.body.replace(HANDLE.hex().encode(), handle.hex().encode())
