"""The quick check of an opening equals the plain one, field by field and fault by fault."""

import pytest

from abac.audit.entry import placed, read_entry
from abac.audit.errors import EntryError
from abac.audit.sealing import NONCE, unfaithful, unseal
from abac.service.auditing.opening import check, opener, told
from abac.storage.keys import KeptKey
from tests.service.auditing.building import START, Clock, draft, opened

AT = "2026-06-12T22:00:00.000000Z"


@pytest.fixture
def made(tmp_path):
    """An entry's bytes, its opening, and its key with whom it is for."""
    with opened(tmp_path, Clock()) as store:
        sealed = draft(store, 3, START)
        (kept,) = store.keys.kept([sealed.key]).values()
    return placed(sealed.body, 0, AT), sealed.id, sealed.opening, kept


def both(data, identity, opening, kept):
    entry = read_entry(data)
    try:
        plain = sorted(unfaithful(entry, unseal(entry, opening, kept.key)))
    except EntryError:
        plain = None
    try:
        quick, owned = check(told(data), identity, opening, opener(kept))
        quick = sorted(quick)
    except EntryError:
        quick, owned = None, None
    assert quick == plain
    return quick, owned


def test_what_is_whole(made):
    assert both(*made) == ([], True)


def test_each_commitment_that_is_another(made):
    data, identity, opening, kept = made
    for field, sealed in read_entry(data).sealed.items():
        changed = data.replace(sealed.encode(), b"A" * 43 + b"=")
        assert both(changed, identity, opening, kept)[0] == [field]


def test_every_byte_of_an_opening(made):
    data, identity, opening, kept = made
    for at in range(0, len(opening), 7):
        changed = opening[:at] + bytes([opening[at] ^ 1]) + opening[at + 1 :]
        assert both(data, identity, changed, kept) == (None, None)
    for short in (b"", opening[:NONCE], opening[:-1]):
        assert both(data, identity, short, kept) == (None, None)


def test_another_key_subject_or_month(made):
    data, identity, opening, kept = made
    assert both(data, identity, opening, kept._replace(key=bytes(32))) == (None, None)
    assert both(data, identity, opening, kept._replace(subject="u-4")) == ([], False)
    assert both(data, identity, opening, kept._replace(subject="")) == ([], False)
    assert both(data, identity, opening, KeptKey(kept.key, kept.subject, "2026-07")) == ([], False)


def test_an_entry_with_other_fields_than_its_opening(made):
    data, identity, opening, kept = made
    field, sealed = next(iter(read_entry(data).sealed.items()))
    fewer = data.replace(f'"{field}":"{sealed}",'.encode(), b"")
    more = data.replace(b'"sealed":{', b'"sealed":{"x":"' + b"A" * 43 + b'=",')
    for changed in (fewer, more):
        with pytest.raises(EntryError):
            check(told(changed), identity, opening, opener(kept))
