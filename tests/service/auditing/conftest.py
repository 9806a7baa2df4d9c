"""An empty PostgreSQL database for each test that asks for one."""

from __future__ import annotations

from itertools import count

import pytest
import sqlalchemy as sa

from tests.postgres import postgres  # noqa: F401  # a fixture

_NUMBER = count()


@pytest.fixture
def postgres_url(postgres):  # noqa: F811  # the fixture
    """The URL of a new database on the tests' own server."""
    name = f"auditing_{next(_NUMBER)}"
    with postgres.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text(f"CREATE DATABASE {name}"))
    return postgres.url.set(database=name).render_as_string(hide_password=False)
