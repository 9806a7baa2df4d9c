import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from abac.audit.errors import AuditError, ProofError
from abac.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from abac.errors import AbacError
from tests.audit.naive import entries, leaves, mth, path, proof

DATA = st.lists(st.binary(max_size=40), max_size=70)

KNOWN = [  # the roots that Certificate Transparency's implementations are tested with
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
]


def wrong(hashes):
    """Every way to get a list of hashes a little wrong: a bit, one less, one more, two in the other order."""
    for i, held in enumerate(hashes):
        for bit in (0, 100, 255):
            flipped = (int.from_bytes(held, "big") ^ 1 << bit).to_bytes(32, "big")
            yield [*hashes[:i], flipped, *hashes[i + 1 :]]
        yield [*hashes[:i], *hashes[i + 1 :]]
        yield [*hashes[:i], held[:-1], *hashes[i + 1 :]]
        if i:
            yield [*hashes[: i - 1], held, hashes[i - 1], *hashes[i + 1 :]]
    for i in range(len(hashes) + 1):
        yield [*hashes[:i], leaf_hash(b"slipped in"), *hashes[i:]]
        if hashes:
            yield [*hashes[:i], hashes[0], *hashes[i:]]


def test_the_roots_of_the_published_vectors():
    frontier = Frontier()
    for data, root in KNOWN:
        frontier = frontier.append(leaf_hash(bytes.fromhex(data)))
        assert frontier.root().hex() == root


@given(DATA, st.data())
def test_a_tree_grown_in_any_steps_has_the_root_of_the_definition(data, draw):
    frontier, held = Frontier(), [leaf_hash(d) for d in data]
    at = 0
    while at < len(held):
        step = draw.draw(st.integers(0, len(held) - at))
        frontier = frontier.extend(held[at : at + step]) if step else frontier.append(held[at])
        at += step or 1
    assert frontier == Frontier().extend(held)
    assert frontier.size == len(held)
    assert frontier.root() == mth(data)
    assert Frontier.from_bytes(frontier.size, frontier.to_bytes()) == frontier


@given(DATA.filter(bool))
def test_roots_equal_pymerkles(data):
    tree = InmemoryTree.init_from_entries(data, algorithm="sha256")
    assert Frontier().extend(map(leaf_hash, data)).root() == tree.get_root()


@given(DATA.filter(bool), st.data())
def test_growing_names_every_complete_subtree_that_came_to_be(data, draw):
    held = draw.draw(st.integers(0, len(data)))
    before = Frontier().extend(map(leaf_hash, data[:held]))
    _, heights = before.grown(map(leaf_hash, data[held:]))
    for height in range(8):
        roots = [mth(data[i << height : (i + 1) << height]) for i in range(len(data) >> height)]
        assert (heights[height] if height < len(heights) else []) == roots[held >> height :]


@pytest.mark.parametrize(("size", "length"), [(3, 32), (3, 96), (4, 0), (4, 33), (0, 32), (-1, 32), (-1, 64)])
def test_a_stored_frontier_must_fit_its_size(size, length):
    with pytest.raises(ProofError, match="are not the frontier of a tree"):
        Frontier.from_bytes(size, bytes(length))


def test_a_frontier_is_not_changed_by_growing():
    held = Frontier().extend(leaves(7))
    before = held.to_bytes()
    held.extend(leaves(9)), held.append(leaf_hash(b""))
    assert (held.size, held.to_bytes()) == (7, before)


@given(DATA.filter(bool), st.data())
def test_the_path_of_the_definition_proves_inclusion(data, draw):
    index = draw.draw(st.integers(0, len(data) - 1))
    verify_inclusion(leaf_hash(data[index]), index, len(data), path(index, data), mth(data))


@given(DATA, st.data())
def test_the_proof_of_the_definition_proves_consistency(data, draw):
    old = draw.draw(st.integers(0, len(data)))
    given_proof = proof(old, data) if old else []
    verify_consistency(old, len(data), mth(data[:old]), mth(data), given_proof)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 21])
def test_a_wrong_inclusion_proof_is_refused(size):
    data = entries(size)
    root, held = mth(data), leaves(size)
    for index in range(size):
        right = path(index, data)
        for given_proof in wrong(right):
            with pytest.raises(ProofError):
                verify_inclusion(held[index], index, size, given_proof, root)
        for other in range(size):
            if other != index:
                with pytest.raises(ProofError):
                    verify_inclusion(held[index], other, size, right, root)
                with pytest.raises(ProofError):
                    verify_inclusion(held[other], index, size, right, root)


@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 21])
def test_a_wrong_consistency_proof_is_refused(new):
    data = entries(new)
    for old in range(new + 1):
        roots = mth(data[:old]), mth(data)
        right = proof(old, data) if old else []
        for given_proof in wrong(right):
            with pytest.raises(ProofError):
                verify_consistency(old, new, *roots, given_proof)
        with pytest.raises(ProofError):
            verify_consistency(old, new, leaf_hash(b"x"), roots[1], right)
        if old:
            with pytest.raises(ProofError):
                verify_consistency(old, new, roots[0], leaf_hash(b"x"), right)


def test_every_single_bit_of_a_proof_counts():
    data = entries(100)
    right, root, leaf = path(37, data), mth(data), leaf_hash(data[37])
    whole = b"".join((leaf, root, *right))
    for bit in range(8 * len(whole)):
        raw = (int.from_bytes(whole, "big") ^ 1 << bit).to_bytes(len(whole), "big")
        leaf_, root_, *proof_ = (raw[at : at + 32] for at in range(0, len(raw), 32))
        with pytest.raises(ProofError):
            verify_inclusion(leaf_, 37, 100, proof_, root_)


@pytest.mark.parametrize(
    ("index", "size", "count", "said"),
    [
        (5, 5, 3, "no leaf 5 in a tree of 5"),
        (-1, 5, 3, "no leaf -1"),
        (0, 0, 0, "no leaf 0 in a tree of 0"),
        (4, 5, 2, "too long: 2 hashes for leaf 4 of 5"),
        (3, 5, 2, "too short: 2 hashes for leaf 3 of 5"),
        (3, 5, 3, "another root"),
    ],
)
def test_a_refusal_of_inclusion_says_what_is_wrong(index, size, count, said):
    with pytest.raises(ProofError, match=said):
        verify_inclusion(bytes(32), index, size, [bytes(32)] * count, bytes(32))


@pytest.mark.parametrize(
    ("old", "new", "count", "said"),
    [
        (6, 5, 1, "cannot begin with one of 6"),
        (-1, 5, 1, "cannot begin"),
        (0, 5, 0, "root of the empty tree"),
        (5, 5, 1, "where nothing is to prove"),
        (3, 5, 0, "is empty"),
        (3, 5, 2, "too short"),
        (3, 5, 5, "too long"),
        (3, 5, 4, "another root of the tree of 3 leaves"),
    ],
)
def test_a_refusal_of_consistency_says_what_is_wrong(old, new, count, said):
    with pytest.raises(ProofError, match=said):
        verify_consistency(old, new, bytes(32), bytes(32), [bytes(32)] * count)


def test_a_rewritten_log_is_named():
    data = entries(9)
    with pytest.raises(ProofError, match="the log was rewritten"):
        verify_consistency(9, 9, mth(data), bytes(32), [])
    with pytest.raises(ProofError, match="another root of the tree of 9 leaves"):
        verify_consistency(5, 9, mth(data[:5]), bytes(32), proof(5, data))
    with pytest.raises(ProofError, match="has 31"):
        verify_consistency(5, 9, bytes(31), bytes(32), [])


def test_a_leaf_is_never_taken_for_a_node():
    left, right = leaves(2)
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"") != EMPTY_ROOT


def test_errors_have_one_root_and_codes_of_their_own():
    codes = [kind.code for kind in AuditError.__subclasses__()]
    assert len(codes) == len(set(codes)) >= 6
    assert all(code.startswith("audit-") for code in codes)
    assert issubclass(AuditError, AbacError)
