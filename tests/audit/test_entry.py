"""An entry's bytes are read back as they were written, and what is no entry is refused."""

import pytest

from abac.audit.entry import act, placed, read_entry
from abac.audit.errors import EntryError

ID = bytes(range(16))
AT = "2026-06-12T21:21:00.000000Z"


def test_an_act_is_read_back():
    draft = act(ID, "publication", AT, {"effective_at": AT}, who="ada", why="letter", approver="bo", revision="0a")
    entry = read_entry(placed(draft.body, 5, AT))
    assert (entry.seq, entry.integrated_at, entry.uuid, entry.kind) == (5, AT, ID, "publication")
    assert (entry.who, entry.approver, entry.why, entry.revision) == ("ada", "bo", "letter", "0a")
    assert entry.what == {"effective_at": AT}
    assert (draft.id, draft.kind, draft.key, draft.opening) == (ID, "publication", b"", b"")


def test_what_is_empty_is_left_out():
    draft = act(ID, "note", AT, {}, who="ada")
    assert draft.body == (
        b'"id":"00010203-0405-0607-0809-0a0b0c0d0e0f","kind":"note","decided_at":"%b","who":"ada"}' % AT.encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"seq":"1"}',
        b"[" * 100_000,
        placed(act(ID, "n", AT, {}, who="a").body, 1, AT)[:-1],
    ],
)
def test_what_is_no_entry_is_refused(data):
    with pytest.raises(EntryError, match="not an entry of the log"):
        read_entry(data)


def test_an_unknown_field_is_refused():
    with pytest.raises(EntryError, match="unknown field"):
        read_entry(placed(b'"id":"x","kind":"n","decided_at":"t","extra":1}', 0, AT))
