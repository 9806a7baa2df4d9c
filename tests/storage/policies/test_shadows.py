from __future__ import annotations

import threading

import pytest
import uuid_utils

from abac.storage.policies.errors import PolicyShadowError, PolicyUnknownError
from tests.policy_stores import acts, clock, number, postgres, program, reopened, store, url  # noqa: F401  # fixtures


@pytest.fixture
def draft(store):  # noqa: F811
    store.policies.publish(program(), who="Ada", approver="Bob", why="x", expect="none")
    return store.policies.record(program(4), who="Ada", why="tier 4 only").revision


def answers(number, active="PERMIT", shadowed="DENY"):
    return [(uuid_utils.uuid7().bytes, active, shadowed) for _ in range(number)]


def test_a_shadow_counts_and_keeps_what_differs(store, draft):  # noqa: F811
    assert store.policies.shadows.differences() is None
    store.policies.shadows.start(draft[:12], who="Ada", why="try")
    assert store.policies.standing().shadow == draft
    noting = store.policies.shadows.differences()
    assert noting.revision == draft
    assert noting.note(answers(7) + answers(93, "DENY", "DENY"))
    assert noting.note(answers(3, "DENY", "INDETERMINATE_DP, not permitted") + answers(7) + answers(40, "X", "X"))
    assert noting.note([])
    found = store.policies.shadows.status()
    assert (found.shadow.decided, found.shadow.differing) == (150, 17)
    assert [(d.active, d.shadowed, d.number) for d in found.differences] == [
        ("PERMIT", "DENY", 14),
        ("DENY", "INDETERMINATE_DP, not permitted", 3),
    ]
    assert [len(d.examples) for d in found.differences] == [5, 3]
    assert store.policies.active_revision() == program().revision
    assert list(store.policies.mismatches()) == []


def test_a_decision_is_kept_once(store, draft):  # noqa: F811
    store.policies.shadows.start(draft, who="Ada", why="try")
    noting = store.policies.shadows.differences()
    batch = answers(2)
    noting.note(batch + batch[:1])
    noting.note(batch)
    assert store.policies.shadows.status().differences[0].number == 2


def test_the_end_states_the_counts_in_the_log(store, draft, clock):  # noqa: F811
    store.policies.shadows.start(draft, who="Ada", why="try")
    noting = store.policies.shadows.differences()
    noting.note(answers(2) + answers(7, "DENY", "DENY"))
    clock.turn(days=1)
    ended = store.policies.shadows.stop(who="Bob", why="enough")
    assert ended.shadow.ended is not None
    entry = acts(store)[-1]
    assert (entry.kind, entry.who, entry.revision) == ("shadow-ended", "Bob", draft)
    assert (entry.what["decided"], entry.what["differing"]) == (9, 2)
    assert not noting.note(answers(5))
    assert store.policies.shadows.status().shadow.decided == 9
    assert store.policies.standing().shadow is None
    assert list(store.policies.mismatches()) == []


def test_one_shadow_at_a_time(store, draft):  # noqa: F811
    with pytest.raises(PolicyShadowError):
        store.policies.shadows.stop(who="Ada", why="x")
    with pytest.raises(PolicyUnknownError):
        store.policies.shadows.start("0123456789", who="Ada", why="x")
    store.policies.shadows.start(draft, who="Ada", why="try")
    before = number(store)
    with pytest.raises(PolicyShadowError, match="shadow stop"):
        store.policies.shadows.start(draft, who="Ada", why="again")
    assert number(store) == before
    store.policies.shadows.stop(who="Ada", why="x")
    store.policies.shadows.start(draft, who="Ada", why="again")
    assert store.policies.shadows.status().shadow.decided == 0


def test_many_workers_lose_no_count(store, url, clock, draft):  # noqa: F811
    store.policies.shadows.start(draft, who="Ada", why="try")
    workers = [reopened(url, clock) for _ in range(3)]

    def work(one):
        noting = one.policies.shadows.differences()
        for _ in range(10):
            noting.note(answers(2) + answers(8, "DENY", "DENY"))

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    [t.start() for t in threads]
    [t.join() for t in threads]
    [one.close() for one in workers]
    found = store.policies.shadows.status()
    assert (found.shadow.decided, found.shadow.differing) == (300, 60)
    assert found.differences[0].number == 60
