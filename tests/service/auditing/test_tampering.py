"""Whatever is done to a log behind its back is found by verification, and named."""

import random

import pytest

from abac.service.auditing.verifying import verify
from tests.service.auditing.building import KEY, Clock, decide_all, opened
from tests.service.auditing.tampering import BY_KEPT, FROM_WITHIN, World


@pytest.fixture(scope="module")
def tampered(tmp_path_factory):
    """A log of three hundred entries in a SQLite file, an older snapshot of it, and a kept checkpoint."""
    clock = Clock()
    with opened(tmp_path_factory.mktemp("tampered"), clock) as store:
        yield *_made(store, clock), clock


def _made(store, clock):
    world = World(store, KEY)
    decide_all(store, clock, 200)
    with world:
        world.old = world.snapshot()
    decide_all(store, clock, 90)
    with world:
        whole = world.snapshot()
    return world, whole, store.log.head().checkpoint


def _found(how, rng, world, whole, kept, clock):
    """Tamper, verify, and put everything back; return what was to be found, where, and what was."""
    try:
        with world:
            codes, place = how(rng, world)
        checkpoints = {"kept": kept} if kept else {}
        return codes, place, verify(world.store, now=clock(), checkpoints=checkpoints)
    finally:
        with world:
            world.restore(whole)


@pytest.mark.parametrize("how", FROM_WITHIN, ids=lambda f: f.__name__)
def test_it_is_found_from_within_and_named(tampered, how):
    world, whole, _, clock = tampered
    rng = random.Random(how.__name__)
    for _ in range(3):
        _expect(*_found(how, rng, world, whole, None, clock))


@pytest.mark.parametrize("how", BY_KEPT, ids=lambda f: f.__name__)
def test_it_is_found_with_a_kept_checkpoint_and_only_with_one(tampered, how):
    world, whole, kept, clock = tampered
    _expect(*_found(how, random.Random(1), world, whole, kept, clock))
    _, _, without = _found(how, random.Random(1), world, whole, None, clock)
    assert "rolled-back" not in without.findings.counts
    assert "rewritten" not in without.findings.counts
    if how is not BY_KEPT[-1]:
        assert without.holds  # nobody can see it: the documentation says so


def test_what_was_put_back_is_whole(tampered):
    world, _, kept, clock = tampered
    assert set(verify(world.store, now=clock(), checkpoints={"kept": kept}).findings.counts) == set()


@pytest.mark.parametrize("count", [60, pytest.param(1_000, marks=pytest.mark.law)])
def test_random_tamperings_are_all_found(tampered, count):
    world, whole, kept, clock = tampered
    rng = random.Random(20260612)
    for _ in range(count):
        how = rng.choice((*FROM_WITHIN, *BY_KEPT))
        _expect(*_found(how, rng, world, whole, kept, clock))


def test_a_selection_on_postgresql(postgres_url, tmp_path):
    clock = Clock()
    with opened(tmp_path, clock, postgres_url) as store:
        world, whole, kept = _made(store, clock)
        for how in (*FROM_WITHIN, *BY_KEPT):
            _expect(*_found(how, random.Random(7), world, whole, kept, clock))
        assert set(verify(store, now=clock(), checkpoints={"kept": kept}).findings.counts) == set()


def _expect(codes, place, found):
    said = [str(f) for f in found.findings.listed]
    assert not found.holds, said
    assert codes & set(found.findings.counts), (codes, said)
    if place is not None:
        assert any(f.code in codes and f.place == place for f in found.findings.listed), (codes, place, said)
