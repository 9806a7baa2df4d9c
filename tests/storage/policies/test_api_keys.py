"""API keys in their table, on both databases: whose they are, who may have their secrets, what the log says."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any

import pytest

from abac.rest.callers.keyform import read_key, written
from abac.rest.callers.keys import Caller, Role, generate, revoke
from abac.rest.callers.keytable import KeysInTable
from abac.storage.policies.errors import (
    PolicyError,
    PolicyKeyError,
    PolicySamePersonError,
    PolicyUnapprovedError,
    PolicyWordsError,
)
from tests.policy_stores import acts, clock, postgres, reopened, store, url  # noqa: F401  # fixtures

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def terms(name: str = "gateway", *roles: Role) -> tuple[str, dict[str, Any], str]:
    made, text = generate(Caller(name, frozenset(roles or (Role.DECIDE,))), NOW)
    return made.id, written(made), text


def test_a_key_and_every_change_of_it_is_an_entry(store):  # noqa: F811
    table = store.policies.api_keys
    assert (table.version(), table.all()) == (0, [])
    identity, said, text = terms()
    made = table.make(identity, said, who="Ada", why="the gateway")
    assert made == table.get(identity)
    before = table.version()
    table.change(identity, lambda t: {**t, "ceiling": "documented"}, who="Ada", why="it is vouched for")
    assert table.version() > before
    (first, second) = acts(store)
    assert (first.kind, second.kind, second.who) == ("api-key-made", "api-key-changed", "Ada")
    assert second.what["terms"]["ceiling"] == "documented"
    assert all(text.encode() not in e.bytes for e in store.log.entries())
    assert list(store.policies.mismatches()) == []


def test_a_key_that_may_publish_waits_for_somebody_who_neither_made_nor_holds_it(store):  # noqa: F811
    table = store.policies.api_keys
    identity, said, _ = terms("Bob", Role.PUBLISH)
    assert table.make(identity, said, who="Ada", why="w").pending == "Ada"
    for nobody in ("Ada", " ADA", "Bob"):
        with pytest.raises(PolicySamePersonError):
            table.approve(identity, who=nobody, why="w")
    with pytest.raises(PolicyKeyError, match="waits for a second person"):
        table.rotate(identity, dict, who="Bob", why="w")
    assert table.approve(identity, who="Cy", why="w").pending == ""
    with pytest.raises(PolicyKeyError, match="waits for nobody"):
        table.approve(identity, who="Cy", why="w")
    with pytest.raises(PolicyUnapprovedError):
        table.rotate(identity, dict, who="Ada", why="w")
    with pytest.raises(PolicySamePersonError):
        table.rotate(identity, dict, who="Ada", approver="Bob", why="w")
    table.rotate(identity, dict, who="Bob", why="w")
    table.rotate(identity, dict, who="Ada", approver="Cy", why="w")
    assert list(store.policies.mismatches()) == []


def test_what_is_refused_leaves_nothing(store):  # noqa: F811
    table = store.policies.api_keys
    identity, said, _ = terms()
    table.make(identity, said, who="Ada", why="w")
    number = len(acts(store))
    refused: list[Any] = [
        lambda: table.make(identity, said, who="Ada", why="w"),
        lambda: table.make("0f", {**said, "name": ""}, who="Ada", why="w"),
        lambda: table.make("0f", said, who="", why="w"),
        lambda: table.make("0f", {**said, "name": "jwt:ana"}, who="Ada", why="w"),
        lambda: table.change(identity, lambda t: {**t, "name": "Bob"}, who="Ada", why="w"),
        lambda: table.change(identity, lambda t: {**t, "roles": ["publish"]}, who="Ada", why="w"),
        lambda: table.revoke("0f", dict, who="Ada", why="w"),
        lambda: table.rotate(identity, dict, who="Ada", why=" "),
    ]
    for act in refused:
        with pytest.raises((PolicyError, PolicyWordsError)):
            act()
    assert len(acts(store)) == number


def test_of_two_who_change_one_key_both_changes_stay(store):  # noqa: F811
    table = store.policies.api_keys
    identity, said, _ = terms()
    table.make(identity, said, who="Ada", why="w")
    together = Barrier(2)

    def add(word: str) -> None:
        together.wait()
        table.change(identity, lambda t: {**t, "sees": [*t.get("sees", ()), word]}, who="Ada", why="w")

    threads = [Thread(target=add, args=(word,)) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = table.get(identity)
    assert found is not None
    assert sorted(found.terms["sees"]) == ["one", "two"]


def test_another_worker_sees_a_key_made_and_revoked_at_its_next_look(store, url, clock):  # noqa: F811
    identity, said, text = terms()
    with reopened(url, clock) as other:
        seen = KeysInTable(other.policies.api_keys)
        assert seen.find(identity) is None
        store.policies.api_keys.make(identity, said, who="Ada", why="w")
        seen.look()
        key = seen.find(identity)
        assert key is not None
        assert key.opens(text.encode(), clock())
        ended = lambda t: written(revoke(read_key(identity, t), clock()))  # noqa: E731  # said once
        store.policies.api_keys.revoke(identity, ended, who="Ada", why="lost")
        seen.look()
        key = seen.find(identity)
        assert key is not None
        assert not key.opens(text.encode(), clock())
