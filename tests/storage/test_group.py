"""What a group makes of a log's end does not depend on how the log was cut into groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from abac.audit.entry import read_entry
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.tiles import root
from abac.storage.group import End, first, grouped, growing, identity, not_before, signer
from tests.storage.writing import KEY, group

AT = datetime(2026, 6, 12, 21, 21, 0, 123_456, tzinfo=UTC)
DRAFTS = group(1_500)


def cut(sizes):
    """The log of the first drafts, appended in groups of these sizes: its end, all tiles and all entries."""
    end, tiles, entries, done = End(), {}, [], 0
    for size in sizes:
        made = grouped(end, DRAFTS[done : done + size], AT, KEY)
        tiles |= made.tiles
        entries += made.entries
        end, done = made.end, done + size
    return end, tiles, entries


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_cut_as_you_like_the_log_is_the_same(sizes):
    whole, cut_up = cut([sum(sizes)]), cut(sizes)
    assert cut_up[1:] == whole[1:]
    assert cut_up[0]._replace(kept_at=0) == whole[0]._replace(kept_at=0)
    end, tiles, entries = whole
    leaves = [leaf_hash(entry[4]) for entry in entries]
    assert root(end.size, lambda level, index: tiles[level, index]) == Frontier().extend(leaves).root()
    assert set(end.edge) == set(growing(end.size))


@given(st.integers(0, 2**40))
def test_the_growing_tiles_are_those_that_are_neither_empty_nor_full(size):
    expected = []
    for level in range(6):
        held = size // 256**level
        if held % 256:
            expected.append((level, held // 256))
    assert list(growing(size)) == expected


def test_an_id_is_a_uuid_of_version_7_and_says_its_time():
    one, two = identity(AT), identity(AT)
    assert one != two
    assert (one[6] >> 4, one[8] >> 6) == (7, 2)
    assert int.from_bytes(one[:6], "big") == int(AT.timestamp() * 1000)


def test_a_clock_that_was_set_back_waits():
    end = grouped(End(), DRAFTS[:1], AT, KEY).end
    assert not_before(end, AT - timedelta(hours=1)) == AT
    assert not_before(end, AT + timedelta(microseconds=1)) == AT + timedelta(microseconds=1)


def test_the_first_entry_and_the_signer_are_read_back():
    made = grouped(End(), [first(KEY, AT)], AT, KEY)
    assert signer(made.end.checkpoint) == (KEY.name, KEY.verifying.id)
    assert read_entry(made.entries[0][4]).what["key"] == KEY.verifying.text()
    assert made.openings == []
