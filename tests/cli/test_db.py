"""`abac db`: what it says, what it does, and with which exit code."""

from __future__ import annotations

import pytest

from abac.bootstrap import Settings, open_store
from tests.cli.running import abac, answered
from tests.storage.writing import group


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/abac.db"


def test_upgrade_makes_the_tables_and_status_says_so(url, tmp_path):
    status = answered("db", "status", "--database", url)
    assert (status["found"], status["pending"]) == (None, ["0001"])
    assert abac("db", "status", "--database", url).exit_code == 1
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"

    first = abac("db", "upgrade", "--database", url)
    assert (first.exit_code, "from no tables" in first.stderr) == (0, True)
    assert "nothing to do" in abac("db", "upgrade", "--database", url).stderr
    done = abac("db", "status", "--database", url)
    assert done.exit_code == 0
    assert "pending    nothing" in done.stdout


def test_the_environment_names_the_database(url, monkeypatch):
    monkeypatch.setenv("ABAC_DATABASE", url)
    abac("db", "upgrade")
    assert answered("db", "status")["found"] == "0001"


def test_a_dry_run_prints_the_sql_and_makes_no_file(url, tmp_path):
    assert "CREATE TABLE abac_entries" in abac("db", "upgrade", "--database", url, "--sql").stdout
    assert list(tmp_path.iterdir()) == []


def test_a_downgrade_refuses_to_destroy_a_log(url):
    with open_store(Settings(url)) as store:
        store.log.append(group(4))
    said = abac("db", "downgrade", "--to", "base", "--database", url, "--dry-run")
    assert (said.exit_code, "DROP TABLE abac_entries" in said.stdout) == (0, True)
    refused = abac("db", "downgrade", "--to", "base", "--database", url)
    assert refused.exit_code == 2
    assert "error[storage-held]" in refused.stderr
    assert "--force" in refused.stderr
    with open_store(Settings(url)) as store:
        assert store.log.head().size == 5
    assert abac("db", "downgrade", "--to", "base", "--database", url, "--force").exit_code == 0
    assert answered("db", "status", "--database", url)["found"] is None


def test_size_measures_the_entries_and_counts_on(url):
    abac("db", "upgrade", "--database", url)
    empty = abac("db", "size", "--database", url)
    assert (empty.exit_code, "nothing can be measured" in empty.stderr) == (1, True)
    with open_store(Settings(url)) as store:
        store.log.append(group(500))
    size = answered("db", "size", "--database", url)
    assert size["entries"] == 501
    each = size["bytes_per_entry"]
    assert size["bytes_after_five_years"] == {
        rate: pytest.approx(each * 5 * 365.25 * 86_400 * int(rate)) for rate in ("100", "1000", "10000")
    }
    shown = abac("db", "size", "--database", url)
    assert "after 5 years" in shown.stdout
    assert "501 entries are few" in shown.stderr


def test_tables_of_an_older_version_stop_whoever_opens_them(url):
    with open_store(Settings(url)) as store, store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE abac_schema SET version_num = '0000'")
    old = abac("db", "size", "--database", url)
    assert old.exit_code == 2
    assert "error[storage-schema]" in old.stderr
    assert "next: abac db upgrade" in old.stderr
