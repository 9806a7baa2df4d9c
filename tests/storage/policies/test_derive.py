"""The policy tables follow from the log: whoever changes one with an UPDATE is found and named."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
import uuid_utils

from abac.audit.clock import stamp
from abac.audit.entry import act, read_entry
from abac.audit.errors import EntryError
from abac.storage.policies.derive import DERIVED, derived, mismatches_in
from abac.storage.tables import (
    API_KEYS,
    DIRECTIVE_EVENTS,
    PUBLICATIONS,
    REVISIONS,
    SETTINGS,
    SHADOW_DIFFERENCES,
    SHADOWS,
)
from tests.policy_stores import acts, clock, postgres, program, store, url  # noqa: F401  # fixtures

TERMS = {"name": "gateway", "roles": ["decide"], "secrets": [{"sha256": "ab" * 32}]}


@pytest.fixture
def lived(store, clock):  # noqa: F811
    """A store with every kind of act in it."""
    policies = store.policies
    policies.publish(program(), who="Ada", approver="Bob", why="first", expect="none", commit="a" * 40)
    clock.turn(days=1)
    policies.record(program(4), who="Ada", why="tier 4", base=program().revision)
    policies.shadows.start(program(4).revision, who="Ada", why="try")
    policies.shadows.differences().note([(uuid_utils.uuid7().bytes, "PERMIT", "DENY")])
    policies.shadows.stop(who="Ada", why="enough")
    policies.activate(program(4).revision, who="Bob", why="fine", expect=program().revision)
    clock.turn(days=1)
    policies.rollback(who="Ada", approver="Bob", why="not fine")
    policies.publish(
        program(3), who="Ada", approver="Bob", why="later", expect=program().revision,
        effective=clock.now + timedelta(days=9),
    )  # fmt: skip
    policies.api_keys.make("0f", TERMS, who="Ada", why="for the gateway")
    policies.api_keys.rotate("0f", lambda terms: {**terms, "secrets": []}, who="Ada", why="its month is over")
    policies.settings.set_posture("step-up", who="Ada", approver="Bob", why="evidence is coming")
    policies.settings.set_one_person(who="Ada", approver="Bob", why="Bob leaves")
    return store


def test_every_row_follows_from_the_entries(lived):
    assert list(lived.policies.mismatches()) == []
    rows = derived(acts(lived))
    assert {name: len(found) for name, found in rows.items()} == {
        "abac_revisions": 3,
        "abac_publications": 4,
        "abac_directive_events": 4,
        "abac_shadows": 1,
        "abac_settings": 2,
        "abac_api_keys": 1,
    }


def edits(rng):
    """Yield changes that somebody could make with plain SQL."""
    other = {"author": "Mallory", "approver": "Mallory", "why": "nothing", "source_commit": "f" * 40}
    for column, value in {**other, "effective_at": 1, "recorded_at": 1, "previous": "f" * 64, "kind": "x"}.items():
        yield sa.update(PUBLICATIONS).where(PUBLICATIONS.c.why == "later").values({column: value})
    for column in ("author", "why", "source_commit"):
        yield sa.update(REVISIONS).values({column: other[column]})
    for column, value in {
        "at": 1,
        "recorded": 1,
        "recorded_at": 1,
        "event": "rescinded",
        "directive": "x",
    }.items():
        yield sa.update(DIRECTIVE_EVENTS).values({column: value})
    yield sa.update(PUBLICATIONS).values(revision=program(4).revision)
    yield sa.delete(PUBLICATIONS).where(PUBLICATIONS.c.kind == rng.choice(["publication", "rollback"]))
    yield sa.delete(DIRECTIVE_EVENTS)
    yield sa.update(SETTINGS).where(SETTINGS.c.name == "one-person").values(value="no")
    yield sa.update(SETTINGS).where(SETTINGS.c.name == "posture").values(value="lenient")
    yield sa.update(SETTINGS).values(seq=0)
    yield sa.delete(SETTINGS).where(SETTINGS.c.name == "posture")
    yield sa.update(API_KEYS).values(terms=sa.func.replace(API_KEYS.c.terms, "decide", "publish"))
    yield sa.update(API_KEYS).values(holder="Mallory")
    yield sa.update(API_KEYS).values(pending="Mallory")
    yield sa.delete(API_KEYS)
    yield sa.update(SHADOWS).values(ended=None)
    yield sa.update(SHADOWS).values(decided=9)
    yield sa.update(SHADOWS).values(differing=0)
    row = {"active": "PERMIT", "shadowed": "DENY"}
    yield sa.insert(SHADOW_DIFFERENCES).from_select(
        ["shadow", "id", *row], sa.select(SHADOWS.c.seq, sa.literal(b"0" * 16), *map(sa.literal, row.values()))
    )


def test_every_change_by_hand_is_found_and_named(lived):
    rng = random.Random(4)
    for number, edit in enumerate(edits(rng)):
        with lived.database.engine.connect() as connection, connection.begin() as transaction:
            connection.execute(edit)
            found = list(mismatches_in(connection))
            transaction.rollback()
        assert found, f"edit {number}: {edit}"
        assert all(line.startswith("abac_") for line in found)
    assert list(lived.policies.mismatches()) == []


def test_a_publication_slipped_in_is_found(lived):
    last = sa.select(PUBLICATIONS).order_by(PUBLICATIONS.c.seq.desc()).limit(1)
    with lived.database.writing() as connection:
        row = dict(connection.execute(last).mappings().one())
        connection.execute(sa.insert(PUBLICATIONS).values(row | {"seq": 10_000}))
    (found,) = lived.policies.mismatches()
    assert found == "abac_publications 10000: no entry of the log records it"


def test_an_entry_that_lacks_what_its_rows_need_is_told(lived):
    draft = act(uuid_utils.uuid7().bytes, "publication", stamp(lived.log.clock()), {"effective": "soon"}, who="M")
    lived.log.append([draft])
    assert any("not what a publication says" in line for line in lived.policies.mismatches())
    with pytest.raises(EntryError, match="not what a publication says"):
        derived(acts(lived))


def test_tables_are_built_anew_from_the_entries_alone(lived):
    """Nothing but the texts of programs and the answers of shadows stands in the tables alone."""
    rows = derived(read_entry(one.bytes) for one in lived.log.entries(acts_only=True))
    with lived.database.reading() as connection:
        for table in DERIVED:
            keys = [c.name for c in table.primary_key]
            stored = {tuple(r[k] for k in keys): r for r in connection.execute(sa.select(table)).mappings()}
            assert rows[table.name].keys() == stored.keys()
