"""A log to write to on each database, and a PostgreSQL server of one's own to be unkind to."""

from __future__ import annotations

import secrets

import pytest
import sqlalchemy as sa

from tests.postgres import postgres  # noqa: F401  # a fixture
from tests.storage.server import Server
from tests.storage.writing import made, opened


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of a database without tables, of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/abac.db"
        return
    engine = request.getfixturevalue("postgres")
    name = f"abac_{secrets.token_hex(6)}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield engine.url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def log(url):
    """An empty log, on both databases."""
    log = made(url)
    yield log
    log.database.close()


@pytest.fixture
def sqlite_log(tmp_path):
    log = made(f"sqlite:///{tmp_path}/abac.db", patience=0.2)
    yield log
    log.database.close()


@pytest.fixture
def server():
    """A PostgreSQL server that can be killed and started again."""
    with Server() as server:
        yield server


@pytest.fixture
def server_log(server):
    made(server.url).database.close()
    log = opened(server.url, patience=2)
    yield log
    log.database.close()
