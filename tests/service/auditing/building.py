"""Logs to audit: the letter of 12 June decided on some people, hour after hour, by a clock that the test turns."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
import uuid_utils

from abac import Request, decide
from abac.audit.clock import micros
from abac.audit.deciding import Circumstances, DecisionEncoder
from abac.audit.note import SigningKey
from abac.audit.sealing import seal
from abac.bootstrap import Settings, open_store
from abac.service.load import compile_policies

ROOT = Path(__file__).parents[3]
START = datetime(2026, 6, 12, 22, tzinfo=UTC)
KEY = SigningKey("example.com/decisions", bytes(range(32)))
SUBJECTS = 7


class Clock:
    """Says what the test set."""

    def __init__(self, at=START):
        self.at = at

    def __call__(self):
        return self.at

    def pass_(self, **time):
        self.at += timedelta(**time)


@cache
def program(directive=True):
    folder = ROOT / "policies"
    more = [folder / "directives" / "d1-foreign-nationals.yaml"] if directive else []
    return compile_policies(
        folder / "schema.yaml", ROOT / "models" / "abac.conf", [folder / "rules" / "baseline.csv", *more]
    )


def request(number):
    """The request of one of seven people: French, German, American or of unknown nationality, for two models."""
    held = {"assurance": "documented", "complete": True, "source": "identity-provider"}
    subject = {
        "id": f"u-{number % SUBJECTS}",
        "kind": "person",
        "relation": "customer",
        "protected_individual": {"value": False, **held},
    }
    nationality = ("FR", "DE", "US", None)[number % 4]
    if nationality:
        subject["citizenships_current"] = {"value": [nationality], **held}
        subject["residencies_permanent"] = {"value": [], **held}
    model = "fable-5" if number % 3 else "haiku-5"
    return Request(
        subject=subject,
        action="invoke",
        resource={
            "id": model,
            "provider": "anthropic",
            "cyber_tier": 5 if number % 3 else 1,
            "access": "public",
            "released": START - timedelta(days=30),
        },
        environment={"now": START},
    )


def draft(store, number, at, encoder=None, by=None):
    """The sealed draft of a decision, under the subject's own key."""
    asked = request(number)
    outcome = decide(by or program(), asked)
    identity = uuid_utils.uuid7(nanoseconds=micros(at) * 1_000).bytes
    held = Circumstances(request_id=f"req-{number}", commit="5f0c2b7e" * 5)
    unsealed = (encoder or DecisionEncoder(by or program())).encode(identity, at, asked, outcome, held)
    pair = unsealed.subject, unsealed.period
    return seal(unsealed, *store.keys.of([pair])[pair])


def opened(folder, clock, url=None, *, make=True):
    """A store in a folder, or at a URL with its keys in the folder."""
    database = url or f"sqlite:///{folder}/log.db"
    settings = Settings(database, f"sqlite:///{folder}/keys.db", KEY.text())
    return open_store(settings, clock=clock, make=make)


def decide_all(store, clock, count, *, group=10, every=timedelta(hours=1)):
    """Append decisions in groups, the clock going on after each."""
    encoder = DecisionEncoder(program())
    drafts = []
    for number in range(count):
        drafts.append(draft(store, number, clock(), encoder))
        if len(drafts) == group:
            store.log.append(drafts)
            drafts = []
            clock.at += every
    if drafts:
        store.log.append(drafts)


def copied(folder, to):
    """Copy a log's files, checkpointed, so that a test can spoil it."""
    shutil.copytree(folder, to)
    return to


def settle(store):
    """Bring the write-ahead log into the file, so that the file alone is the log."""
    if store.database.is_sqlite:
        with store.database.engine.connect() as connection:
            connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
            connection.rollback()
    store.close()


def execute(store, statement, **values):
    """Change the database behind the log's back."""
    with store.database.engine.connect() as connection:
        done = connection.execute(sa.text(statement), values)
        connection.commit()
        return done.rowcount
