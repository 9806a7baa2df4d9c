from __future__ import annotations

import dataclasses
import zlib

import pytest
import sqlalchemy as sa

from abac.compiler.disk import program_text
from abac.compiler.program import assemble
from abac.condition.functions import Function
from abac.condition.types import BOOL, STRING
from abac.storage.policies import Policies
from abac.storage.policies.errors import (
    PolicyAmbiguousError,
    PolicyChangedError,
    PolicyUnknownError,
    PolicyUnreadableError,
    PolicyWordsError,
)
from abac.storage.tables import REVISIONS
from tests.policy_stores import acts, clock, number, postgres, program, store, url  # noqa: F401  # fixtures

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_revision_is_named_by_its_content_and_says_who_why_when_and_whence(store, clock):  # noqa: F811
    made = store.policies.record(program(), who=" Ada  L. ", why="the first", commit=COMMIT.upper())
    assert made.revision == program().revision
    assert (made.author, made.why, made.commit, made.base) == ("Ada L.", "the first", COMMIT, "")
    assert made.recorded_at == clock.now
    (entry,) = acts(store)
    assert (entry.kind, entry.who, entry.why, entry.revision) == ("draft", "Ada L.", "the first", made.revision)
    assert entry.what["commit"] == COMMIT


def test_what_was_recorded_is_read_back_to_the_same_decisions(store):  # noqa: F811
    store.policies.record(program(), who="Ada", why="x")
    again = Policies(store.log).program(program().revision)
    assert again.revision == program().revision
    assert again.directives == program().directives
    assert again is not program()
    assert store.policies.revisions.text(program().revision) == program_text(program())


def test_recording_twice_is_one_revision_with_its_first_author(store, clock):  # noqa: F811
    first = store.policies.record(program(), who="Ada", why="x")
    clock.turn(days=1)
    assert store.policies.record(program(), who="Bob", why="y") == first
    assert number(store) == 1


def test_a_revision_is_found_by_its_beginning(store):  # noqa: F811
    made = store.policies.record(program(), who="Ada", why="x")
    for prefix in (made.revision, made.revision[:12], made.revision[:4].upper()):
        assert store.policies.revisions[prefix] == made
    for unknown in ("", "abc", "zzzz", made.revision + "0", "%%%%", "0000000000"):
        with pytest.raises(PolicyUnknownError, match="abac policy list"):
            store.policies.program(unknown)


def test_the_beginning_of_two_revisions_is_ambiguous(store):  # noqa: F811
    made = store.policies.record(program(), who="Ada", why="x").revision
    twin = made[:10] + ("0" if made[10] != "0" else "1") + made[11:]
    with store.database.writing() as connection:
        row = dict(connection.execute(sa.select(REVISIONS)).mappings().one())
        connection.execute(sa.insert(REVISIONS).values(row | {"revision": twin}))
    with pytest.raises(PolicyAmbiguousError) as refused:
        store.policies.program(made[:8])
    assert made[:12] in str(refused.value)
    assert twin[:12] in str(refused.value)
    assert store.policies.program(made[:11])


@pytest.mark.parametrize("name", ["", "a\x00"])
def test_what_cannot_be_recorded_leaves_nothing(store, name):  # noqa: F811
    with pytest.raises(PolicyWordsError):
        store.policies.record(program(), who=name, why="x")
    with pytest.raises(PolicyWordsError):
        store.policies.record(program(), who="Ada", why=name)
    assert number(store) == 0
    assert store.policies.revisions.all() == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-3],
        lambda _: b"",
        lambda raw: raw + b"x",
        lambda _: zlib.compress(program_text(program(4)).encode()),
        lambda raw: zlib.compress(zlib.decompress(raw) + b" "),
    ],
)
def test_a_program_that_was_changed_is_refused(store, spoil):  # noqa: F811
    revision = store.policies.record(program(), who="Ada", why="x").revision
    with store.database.writing() as connection:
        raw = connection.scalar(sa.select(REVISIONS.c.program))
        connection.execute(sa.update(REVISIONS).values(program=spoil(raw)))
    with pytest.raises(PolicyChangedError, match="abac audit verify"):
        Policies(store.log).program(revision)
    assert any("program" in line for line in store.policies.mismatches())


def test_the_digest_is_computed_anew_even_where_the_entry_agrees(store):  # noqa: F811
    """A program recorded under another's revision: the text is what the entry says, and not that revision."""
    forged = dataclasses.replace(program(4), revision=program(5).revision)
    text = program_text(program(4)).replace(program(4).revision, program(5).revision)
    with store.log.appending() as appending:
        packed = zlib.compress(text.encode())
        store.policies.revisions.put(appending, forged, packed, "Mallory", "x", "", "")
    with pytest.raises(PolicyUnreadableError, match="comes to revision"):
        store.policies.program(program(5).revision)


def test_a_program_of_another_meaning_says_so(store, monkeypatch):  # noqa: F811
    revision = store.policies.record(program(), who="Ada", why="x").revision
    monkeypatch.setattr("abac.compiler.disk.MEANING", 2)
    with pytest.raises(PolicyUnreadableError, match="knows meaning 2 only") as refused:
        Policies(store.log).program(revision)
    assert "source commit" in refused.value.next


def test_functions_of_ones_own_are_needed_to_read_and_given_once(store):  # noqa: F811
    own = Function("isTest", 1, (STRING,), BOOL, lambda text: text == "test")
    made = assemble(
        program().schema,
        program().root,
        {**program().functions, "isTest": own},
        directives=program().directives,
        persons=program().persons,
    )
    revision = store.policies.record(made, who="Ada", why="x").revision
    with pytest.raises(PolicyUnreadableError, match="isTest"):
        store.policies.program(revision)
    assert Policies(store.log, [own]).program(revision).revision == revision
