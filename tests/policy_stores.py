"""Stores for the tests of the policies: fresh, on SQLite and on a real PostgreSQL, with a clock that tests turn.

Import `store`, `postgres` and what else is wanted; small programs are made once and differ in one number.
"""

from __future__ import annotations

import functools
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from abac.audit.entry import Entry, read_entry
from abac.audit.note import SigningKey
from abac.bootstrap import Settings, open_store
from abac.compiler.program import Program
from abac.service import starter
from abac.service.load import compile_policies
from abac.service.store import Store
from abac.storage.keys import SUBJECT_KEYS
from abac.storage.policies.acts import KINDS
from abac.storage.tables import METADATA
from tests.postgres import postgres

__all__ = ["START", "TurnedClock", "acts", "clock", "number", "postgres", "program", "reopened", "store", "url"]

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = SigningKey.generate("tests.example/log").text()


@dataclass
class TurnedClock:
    """A clock that stands still until a test turns it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is migrated and empty: a copy of one that was migrated once."""
    if request.param == "sqlite":
        (tmp_path / "abac.db").write_bytes(migrated_file())
        yield f"sqlite:///{tmp_path}/abac.db"
        return
    shared = _migrated_database(request.getfixturevalue("postgres").url)
    yield shared.url.render_as_string(hide_password=False)
    with shared.begin() as connection:
        for table in (SUBJECT_KEYS, *reversed(METADATA.sorted_tables)):
            connection.execute(sa.delete(table))


@functools.cache
def migrated_file() -> bytes:
    """The bytes of a SQLite database that is migrated and empty."""
    with tempfile.TemporaryDirectory(prefix="abac-migrated-") as folder:
        file = Path(folder) / "abac.db"
        open_store(Settings(f"sqlite:///{file}", key=KEY), make=True).close()
        return file.read_bytes()


@functools.cache
def _migrated_database(server: sa.URL) -> sa.Engine:
    """One database for all tests, each of which leaves it empty: to make one takes longer than most tests."""
    name = f"policies_{uuid.uuid4().hex}"
    with sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = sa.create_engine(server.set(database=name), poolclass=sa.NullPool)
    open_store(Settings(engine.url.render_as_string(hide_password=False), key=KEY), make=True).close()
    return engine


@pytest.fixture
def store(url: str, clock: TurnedClock) -> Iterator[Store]:
    """A fresh store under a clock that stands."""
    with open_store(Settings(url, key=KEY), clock=clock) as opened:
        yield opened


def reopened(url: str, clock: TurnedClock) -> Store:
    """The same store as another process sees it."""
    return open_store(Settings(url, key=KEY), clock=clock)


@functools.cache
def _starter() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="abac-starter-")) / "start"
    starter.write(folder)
    return folder


@functools.cache
def program(tier: int = 5) -> Program:
    """The starter's policies, whose first rule reaches up to a tier."""
    folder = _starter()
    rows = folder.parent / f"rules-{tier}.csv"
    rows.write_text((folder / "rules" / "rules.csv").read_text().replace("<= 5", f"<= {tier}"))
    return compile_policies(folder / "schema.yaml", folder / "models" / "abac.conf", [rows, folder / "directives"])


def acts(store: Store) -> list[Entry]:
    """The entries of acts on the policies."""
    return [read_entry(one.bytes) for one in store.log.entries() if one.kind in KINDS]


def number(store: Store) -> int:
    """How many entries of acts on the policies the log has."""
    return len(acts(store))
