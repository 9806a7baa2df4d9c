import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.errors import ProofError, TileError
from abac.audit.merkle import EMPTY_ROOT, Frontier, verify_consistency, verify_inclusion
from abac.audit.tiles import (
    consistency_proof,
    frontier,
    grown,
    inclusion_proof,
    node,
    root,
)
from tests.audit.naive import Simulated, entries, leaves, mth, path, proof

TEN_MILLION = 10_000_000


class Store(dict):
    """Tiles in a dictionary, as a database would hold them."""

    def __call__(self, level, index):
        return self.get((level, index), b"")


def built(size, seed=0, most=97):
    """Grow a tree to a size in random steps; every step's changes go into one store."""
    draw, store, held, after = random.Random(seed), Store(), leaves(size), Frontier()
    while after.size < size:
        step = draw.randint(1, most)
        after, changed = grown(after, held[after.size : after.size + step], store)
        store.update(changed)
    return after, store


def test_every_size_up_to_600_has_the_root_of_the_definition_however_it_grew():
    data = entries(600)
    expected = [mth(data[:size]) for size in range(601)]
    held = leaves(600)
    for seed in range(5):
        draw, store, after = random.Random(seed), Store(), Frontier()
        while after.size < 600:
            after, changed = grown(after, held[after.size : after.size + draw.randint(1, 130)], store)
            store.update(changed)
            assert after.root() == root(after.size, store) == expected[after.size]
            assert frontier(after.size, store) == after
        assert [root(size, store) for size in range(601)] == expected


def test_a_grown_tree_has_the_tiles_that_the_specification_counts():
    _, store = built(70_000, most=5_000)
    widths = {}
    for (level, _), tile in store.items():
        widths.setdefault(level, []).append(len(tile) // 32)
    assert {level: (held.count(256), [w for w in held if w != 256]) for level, held in widths.items()} == {
        0: (273, [112]),
        1: (1, [17]),
        2: (0, [1]),
    }


def test_only_the_tiles_that_differ_come_back():
    after, store = built(250)
    after, changed = grown(after, leaves(258)[250:], store)
    assert {place: len(tile) // 32 for place, tile in changed.items()} == {(0, 0): 256, (0, 1): 2, (1, 0): 1}
    assert all(changed[place].startswith(tile) for place, tile in store.items())
    assert grown(after, [], store) == (after, {})


def test_a_tile_that_was_stored_wider_than_the_tree_is_read_as_far_as_the_tree_goes():
    """A tile may have been written for a group whose size was not: the same group comes out the same."""
    after, store = built(300)
    ahead = Store(store) | grown(after, [bytes(32)] * 30, store)[1]
    again = Store(ahead)
    assert grown(after, leaves(310)[300:], again) == grown(after, leaves(310)[300:], store)
    assert inclusion_proof(299, 300, again) == inclusion_proof(299, 300, store)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 255, 256, 257, 300, 511, 513])
def test_every_inclusion_proof_is_the_path_of_the_definition(size):
    _, store = built(size)
    data = entries(size)
    for index in {0, 1, size // 3, size // 2, 254, 255, 256, size - 2, size - 1} & set(range(size)):
        assert list(inclusion_proof(index, size, store)) == path(index, data)


def test_proofs_of_earlier_sizes_come_from_the_tiles_of_today():
    _, store = built(600)
    data, draw = entries(600), random.Random(4)
    for _ in range(60):
        new = draw.randint(1, 600)
        old, index = draw.randint(1, new), draw.randrange(new)
        assert list(inclusion_proof(index, new, store)) == path(index, data[:new])
        assert list(consistency_proof(old, new, store)) == proof(old, data[:new])


@given(st.integers(0, 40), st.integers(0, 40))
def test_small_consistency_proofs_prove(a, b):
    old, new = sorted((a, b))
    _, store = built(40)
    verify_consistency(old, new, root(old, store), root(new, store), consistency_proof(old, new, store))


MARKED = (0, 255, 256, 65_535, 65_536, 5_000_000, 9_437_183, 9_999_872, 9_999_999)


@pytest.mark.parametrize("index", MARKED)
def test_a_proof_at_ten_million_leaves_proves_and_reads_few_tiles(index):
    tiles = Simulated(TEN_MILLION, MARKED)
    head = root(TEN_MILLION, tiles)
    tiles.reads.clear()
    given_proof = inclusion_proof(index, TEN_MILLION, tiles)
    assert len(tiles.reads) == len(set(tiles.reads)) <= 6
    verify_inclusion(tiles.leaf(index), index, TEN_MILLION, given_proof, head)
    with pytest.raises(ProofError):
        verify_inclusion(tiles.leaf(1), index, TEN_MILLION, given_proof, head)


@pytest.mark.parametrize("old", [1, 255, 256, 65_536, 1_234_567, 8_388_608, 9_999_999, TEN_MILLION])
def test_ten_million_leaves_begin_with_those_of_before(old):
    tiles = Simulated(TEN_MILLION, MARKED)
    roots = root(old, tiles), root(TEN_MILLION, tiles)
    tiles.reads.clear()
    given_proof = consistency_proof(old, TEN_MILLION, tiles)
    assert len(tiles.reads) == len(set(tiles.reads)) <= 6
    verify_consistency(old, TEN_MILLION, *roots, given_proof)


def test_growing_a_tree_of_ten_million_reads_its_partial_tiles_alone():
    tiles = Simulated(TEN_MILLION, MARKED)
    before = frontier(TEN_MILLION, tiles)
    tiles.reads.clear()
    after, changed = grown(before, leaves(200), tiles)
    assert tiles.reads == [(0, 39_062), (1, 152)]  # 10,000,000 is 39,062 * 256 + 128: the group fills that tile
    assert {place: len(tile) // 32 for place, tile in changed.items()} == {
        (0, 39_062): 256,
        (0, 39_063): 72,
        (1, 152): 151,
    }
    store = Store(changed)
    assert root(after.size, lambda *place: store(*place) or tiles(*place)) == after.root()


def test_inner_nodes_are_roots_of_the_subtrees_they_stand_over():
    _, store = built(600)
    data = entries(600)
    for height, index in ((0, 599), (1, 3), (7, 3), (8, 1), (9, 0)):
        assert node(height, index, store) == mth(data[index << height : (index + 1) << height])


def test_a_tile_that_is_missing_or_too_short_is_named():
    after, store = built(300)
    lacking = Store(store)
    del lacking[0, 1]
    said = "tile 1 of level 0 holds fewer than the [0-9]+ hashes that the tree's size demands"
    with pytest.raises(TileError, match=said):
        grown(after, leaves(1), lacking)
    with pytest.raises(TileError, match=said):
        inclusion_proof(0, 300, lacking)
    lacking[0, 1] = store[0, 1][:-1]
    with pytest.raises(TileError, match=said):
        root(300, lacking)


def test_what_there_is_not_cannot_be_proved():
    _, store = built(10)
    for index, size in ((10, 10), (-1, 10), (0, 0)):
        with pytest.raises(ProofError, match="there is no leaf"):
            inclusion_proof(index, size, store)
    for old, new in ((11, 10), (-1, 10)):
        with pytest.raises(ProofError, match="cannot begin with"):
            consistency_proof(old, new, store)
    assert consistency_proof(0, 10, store) == consistency_proof(10, 10, store) == ()
    assert root(0, store) == EMPTY_ROOT
