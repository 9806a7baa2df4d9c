"""Keys are durable before they are used, found in batches, and gone when they are destroyed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from abac.storage.database import Database
from abac.storage.keys import BATCH, SubjectKeys
from tests.storage.writing import now


@pytest.fixture
def keys(url):
    keys = SubjectKeys(Database(url, forgets=True), now)
    keys.create()
    yield keys
    keys.database.close()


def opened_again(keys):
    return SubjectKeys(Database(keys.database.url.render_as_string(hide_password=False), forgets=True), now)


def test_a_key_is_made_once_and_found_again_by_every_way(keys):
    pairs = {("ann", "2026-06"), ("ann", "2026-07"), ("bob", "2026-06")}
    made = keys.of(pairs)
    assert set(made) == pairs
    assert len({key.key for key in made.values()}) == len({key.handle for key in made.values()}) == 3
    assert {(len(key.handle), len(key.key)) for key in made.values()} == {(16, 32)}
    assert keys.of(pairs) == made
    again = opened_again(keys)
    assert again.of(pairs) == made
    again.database.close()
    assert keys.by_handle(key.handle for key in made.values()) == {k.handle: k.key for k in made.values()}
    assert set(keys.handles(subject="ann")) == {made["ann", "2026-06"].handle, made["ann", "2026-07"].handle}
    assert set(keys.handles(before="2026-07")) == {made["ann", "2026-06"].handle, made["bob", "2026-06"].handle}
    assert len(keys.handles()) == 3
    keys.create()
    assert len(keys.handles()) == 3


def test_thousands_of_subjects_at_once(keys):
    pairs = {(f"u-{n}", ("2026-06", "2026-07")[n % 2]) for n in range(5 * BATCH + 3)}
    made = keys.of(pairs)
    assert set(made) == pairs
    assert keys.of(pairs) == made
    assert len(keys.by_handle(key.handle for key in made.values())) == len(pairs)
    assert keys.destroy(key.handle for key in made.values()) == len(pairs)
    assert keys.handles() == []


def test_subjects_are_text_and_never_sql(keys):
    pairs = {("'; DROP TABLE abac_subject_keys; --", "2026-06"), ("", "2026-06"), ("ünï\x01 %s ?", "2026-06")}
    assert keys.of(pairs) == keys.of(pairs)


def test_processes_that_make_the_same_key_at_once_get_the_same(keys):
    others = [opened_again(keys) for _ in range(4)]
    pairs = {(f"u-{n}", "2026-06") for n in range(200)}
    with ThreadPoolExecutor(4) as pool:
        one, *rest = pool.map(lambda other: other.of(pairs), others)
    assert all(found == one for found in rest)
    assert len(keys.handles()) == 200
    for other in others:
        other.database.close()


def test_a_destroyed_key_is_gone_and_a_new_one_is_another(keys):
    before = keys.of({("ann", "2026-06"), ("bob", "2026-06")})
    assert keys.destroy([before["ann", "2026-06"].handle, bytes(16)]) == 1
    assert keys.by_handle([before["ann", "2026-06"].handle]) == {}
    after = keys.of({("ann", "2026-06"), ("bob", "2026-06")})
    assert after["bob", "2026-06"] == before["bob", "2026-06"]
    assert after["ann", "2026-06"].key != before["ann", "2026-06"].key


def test_destroyed_bytes_stand_nowhere_in_the_file(tmp_path):
    """Not in the file, and in no file beside it: neither a free page nor a journal keeps them."""
    keys = SubjectKeys(Database(f"sqlite:///{tmp_path}/abac.keys", forgets=True), now)
    keys.create()
    made = keys.of({(f"u-{n}", "2026-06") for n in range(300)})
    kept, destroyed = set(list(made.values())[::3]), set(made.values()) - set(list(made.values())[::3])
    assert all(key.key in on_disk(tmp_path) for key in made.values())
    keys.destroy(key.handle for key in destroyed)
    assert all(key.key in on_disk(tmp_path) for key in kept)
    assert not [key for key in destroyed if key.key in on_disk(tmp_path) or key.handle in on_disk(tmp_path)]
    keys.database.close()
    assert not [key for key in destroyed if key.key in on_disk(tmp_path)]


def test_the_file_of_keys_is_its_owners_alone(tmp_path):
    keys = SubjectKeys(Database(f"sqlite:///{tmp_path}/abac.keys", forgets=True), now)
    keys.create()
    assert stat.S_IMODE((tmp_path / "abac.keys").stat().st_mode) == 0o600
    keys.database.close()


def on_disk(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
