"""Up, down, up again, on both databases: nothing differs, others are left alone, nothing is lost unasked."""

from __future__ import annotations

import casbin
import pytest
import sqlalchemy as sa
from sqlalchemy_adapter import Adapter

from abac.service.shipped import shipped
from abac.storage.database import SCHEMA, Database
from abac.storage.faults import StorageError
from abac.storage.log import DecisionLog
from abac.storage.migrate import StorageHeldError, downgrade, drift, statements, status, upgrade
from abac.storage.tables import METADATA
from tests.storage.writing import KEY, group, now, sound

SCRIPTS = shipped("migrations")


@pytest.fixture
def database(url):
    database = Database(url)
    yield database
    database.close()


def tables(database):
    with database.reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_up_down_and_up_again_leave_no_drift(database):
    assert status(database, SCRIPTS) == (None, SCHEMA, (SCHEMA,))
    for _ in range(2):
        upgrade(database, SCRIPTS)
        assert drift(database) == []
        assert status(database, SCRIPTS) == (SCHEMA, SCHEMA, ())
        assert set(METADATA.tables) <= tables(database)
        database.check()
        log = DecisionLog(database, KEY, now)
        log.append(group(3))
        assert len(sound(log)) == 4
        downgrade(database, SCRIPTS, "base", force=True)
        assert tables(database) == {"abac_schema"}
        assert database.schema() is None
    upgrade(database, SCRIPTS)
    upgrade(database, SCRIPTS)
    assert drift(database) == []


def test_a_column_or_an_index_that_is_not_ours_is_drift(database):
    upgrade(database, SCRIPTS)
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE abac_head ADD COLUMN extra INTEGER")
    with database.writing() as connection:
        connection.exec_driver_sql("DROP INDEX ix_abac_entries_id")
    assert {change[0] for change in drift(database)} == {"remove_column", "add_index"}


def test_the_tables_of_others_are_left_alone(database):
    """Casbin's rules in the same database, made by its own adapter, before our tables come, go and come again."""
    adapter = Adapter(sa.create_engine(database.url))
    enforcer = casbin.Enforcer(str(shipped("models") / "abac.conf"), adapter)
    enforcer.add_policy("anyone", "p", "anything", "true", "permit")
    upgrade(database, SCRIPTS)
    assert drift(database) == []
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
    assert drift(database) == []
    downgrade(database, SCRIPTS, "base")
    assert tables(database) == {"abac_schema", "casbin_rule", "theirs"}
    upgrade(database, SCRIPTS)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM casbin_rule").scalar() == 1
    adapter._engine.dispose()


def test_a_downgrade_destroys_nothing_that_is_held_unless_forced(database):
    upgrade(database, SCRIPTS)
    log = DecisionLog(database, KEY, now)
    log.append(group(3))
    with pytest.raises(StorageHeldError, match=r"abac_entries \(4 rows\)") as refused:
        downgrade(database, SCRIPTS, "base")
    assert refused.value.code == "storage-held"
    assert len(sound(log)) == 4
    downgrade(database, SCRIPTS, "base", force=True)
    assert tables(database) == {"abac_schema"}


def test_the_sql_is_said_before_it_is_run(database):
    made = statements(database, SCRIPTS, "head")
    assert "CREATE TABLE abac_entries" in made
    assert database.schema() is None
    upgrade(database, SCRIPTS)
    destroyed = statements(database, SCRIPTS, "base", down=True)
    assert "DROP TABLE abac_entries" in destroyed
    assert set(METADATA.tables) <= tables(database)


def test_the_sql_that_is_said_makes_the_tables(database):
    """Whoever may not let abac change the tables can have a database administrator run it."""
    made = [one.strip() for one in statements(database, SCRIPTS, "head").split(";")]
    with database.writing() as connection:
        for statement in made:
            if statement not in ("", "BEGIN", "COMMIT"):
                connection.exec_driver_sql(statement)
    database.check()
    assert drift(database) == []


def test_a_migration_that_we_do_not_know_is_told(database):
    upgrade(database, SCRIPTS)
    with pytest.raises(StorageError, match="knows no migration `0999`"):
        downgrade(database, SCRIPTS, "0999")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE abac_schema SET version_num = '0777'")
    with pytest.raises(StorageError, match="knows no migration `0777`"):
        upgrade(database, SCRIPTS)
    assert status(database, SCRIPTS).found == "0777"
