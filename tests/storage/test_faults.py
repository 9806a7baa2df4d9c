"""Every fault made for real: it is told with its code and the next step, and is over when its cause is.

Nothing is restarted in between: the same log goes on, with everything acknowledged there and the tree sound.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from abac.storage.faults import (
    StorageCorruptError,
    StorageFullError,
    StorageLockedError,
    StorageLostError,
    StorageOutdatedError,
    StorageReadOnlyError,
    StorageUnknownError,
)
from tests.storage.writing import group, made, opened, sound


def fails_with(kind, code, call):
    """Check that a call fails so, and says what to do next."""
    with pytest.raises(kind) as raised:
        call()
    assert raised.value.code == code
    assert raised.value.next
    assert raised.value.next in str(raised.value)
    return raised.value


@contextlib.contextmanager
def small_disk(size):
    """A file system of so many bytes."""
    if os.geteuid() != 0:
        pytest.skip("cannot here: mounting a small file system needs root")
    folder = Path(tempfile.mkdtemp(prefix="abac-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"cannot here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


# --- no room ---------------------------------------------------------------------------------------------------


def test_a_full_disk_under_sqlite(tmp_path):
    with small_disk("2m") as folder:
        log = made(f"sqlite:///{folder}/abac.db")
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(1_000_000))
        kept = 1

        def fill():
            nonlocal kept
            while True:
                kept += len(log.append(group(20, opening=bytes(2_000))).places)

        fails_with(StorageFullError, "storage-full", fill)
        assert len(sound(log)) == kept
        fails_with(StorageFullError, "storage-full", lambda: log.append(group(20, opening=bytes(4_000))))
        ballast.unlink()
        kept += len(log.append(group(20, opening=bytes(2_000))).places)
        assert len(sound(log)) == kept
        log.database.close()


def test_a_full_disk_under_postgresql(server):
    """The entries' own table is moved to a small file system; the server's own log stays where there is room."""
    with small_disk("12m") as folder:
        folder.chmod(0o755)
        room = folder / "space"
        room.mkdir()
        shutil.chown(room, "pgserver", "pgserver")
        made(server.url).database.close()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{room}'")
            connection.execute("ALTER TABLE abac_openings SET TABLESPACE small")
            connection.execute("ALTER TABLE abac_openings ALTER COLUMN opening SET STORAGE PLAIN")
        log = opened(server.url)
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(10_000_000))
        kept = 1

        def fill():
            nonlocal kept
            while True:
                kept += len(log.append(group(50, opening=os.urandom(7_000))).places)

        fails_with(StorageFullError, "storage-full", fill)
        assert len(sound(log)) == kept
        ballast.unlink()
        kept += len(log.append(group(50, opening=os.urandom(7_000))).places)
        assert len(sound(log)) == kept
        log.database.close()
        server.stop()


# --- not to be written -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def as_nobody():
    """Without root's power to write what must not be written."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_written(tmp_path):
    folder = Path(tempfile.mkdtemp(prefix="abac-read-only-"))
    log = made(f"sqlite:///{folder}/abac.db")
    log.append(group(3))
    log.database.close()
    (folder / "abac.db").chmod(0o444)
    folder.chmod(0o555)
    with as_nobody():
        fails_with(StorageReadOnlyError, "storage-read-only", lambda: log.append(group(1)))
        reader = opened(log.database.url.render_as_string(), key=None, read_only=True)
        assert len(sound(reader)) == 4
        reader.database.close()
        log.database.close()
    folder.chmod(0o755)
    (folder / "abac.db").chmod(0o644)
    log.append(group(1))
    assert len(sound(log)) == 5
    log.database.close()
    shutil.rmtree(folder)


def test_a_server_that_may_not_be_written(server_log, server):
    server_log.append(group(3))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
        eventually(
            lambda: fails_with(StorageReadOnlyError, "storage-read-only", lambda: server_log.append(group(1)))
        )
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
        connection.execute("SELECT pg_reload_conf()")
    before = eventually(lambda: server_log.append(group(1))).places.stop - 1
    assert len(sound(server_log)) == before + 1


def eventually(call, seconds=10):
    """Call until it neither raises nor fails: a server takes a moment to take up a setting."""
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except (Exception, pytest.fail.Exception):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


# --- a lock that somebody holds --------------------------------------------------------------------------------

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_holds_the_file(sqlite_log):
    sqlite_log.append(group(1))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, sqlite_log.database.file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    fails_with(StorageLockedError, "storage-locked", lambda: sqlite_log.append(group(1)))
    assert len(sound(sqlite_log)) == 2, "readers are not held up"
    holder.communicate("")
    sqlite_log.append(group(1))
    assert len(sound(sqlite_log)) == 3


def test_another_session_holds_the_turn(server, server_log):
    server_log.append(group(1))
    impatient = opened(server.url, patience=0.2)
    with server_log.appending() as appending:
        appending.append(group(1))
        fails_with(StorageLockedError, "storage-locked", lambda: impatient.append(group(1)))
    impatient.append(group(1))
    impatient.database.close()
    assert len(sound(server_log)) == 4


def test_another_thread_holds_the_turn(sqlite_log):
    with sqlite_log.database.turn(), ThreadPoolExecutor(1) as pool:
        fails_with(StorageLockedError, "storage-locked", pool.submit(sqlite_log.append, group(1)).result)
    sqlite_log.append(group(1))
    assert len(sound(sqlite_log)) == 2


# --- a server that goes away -----------------------------------------------------------------------------------


def test_a_server_that_is_stopped_and_started_while_a_thread_writes(server, server_log):
    acknowledged, faults, done = [], [], threading.Event()

    def write():
        while not done.is_set():
            some = group(5)
            try:
                server_log.append(some)
            except StorageLostError as fault:
                faults.append(fault)
                time.sleep(0.02)
            else:
                acknowledged.extend(d.id for d in some)

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(acknowledged) > 20)
    server.stop()
    wait_until(lambda: len(faults) > 2)
    before = len(acknowledged)
    server.start()
    wait_until(lambda: len(acknowledged) > before + 20)
    done.set()
    writer.join()
    assert {fault.code for fault in faults} <= {"storage-lost", "storage-unknown"}
    assert "storage-lost" in {fault.code for fault in faults}
    assert set(acknowledged) <= {entry.id for entry in sound(server_log)}


def test_connections_that_were_cut_while_idle_are_made_anew_unnoticed(server, server_log):
    server_log.append(group(1))
    server_log.head()
    server.stop()
    server.start()
    server_log.append(group(1))
    assert len(sound(server_log)) == 3


def test_a_commit_whose_outcome_is_unknown_is_told_apart_and_found_by_its_id(server, server_log):
    """The server waits for a standby that is not there, has committed, and is cut off before it can say so."""
    server_log.append(group(1))
    some = group(3)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: connection.execute("SHOW synchronous_standby_names").fetchone() == ("nobody",))
        cutter = threading.Thread(target=cut_the_one_that_waits, args=(server.url,))
        cutter.start()
        fault = fails_with(StorageUnknownError, "storage-unknown", lambda: server_log.append(some))
        cutter.join()
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: connection.execute("SHOW synchronous_standby_names").fetchone() == ("",))
    assert isinstance(fault, StorageLostError)
    assert [server_log.find(d.id).seq for d in some] == [2, 3, 4]
    server_log.append(group(1))
    assert len(sound(server_log)) == 6


def cut_the_one_that_waits(url):
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'abac'"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(waiting).fetchone())
        (pid,) = connection.execute(waiting).fetchone()
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))


def wait_until(true, seconds=30):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- damage ----------------------------------------------------------------------------------------------------


def test_a_page_overwritten_in_the_file(sqlite_log):
    for _ in range(20):
        sqlite_log.append(group(100))
    sqlite_log.database.close()
    file = sqlite_log.database.file
    whole = file.read_bytes()
    assert not file.with_name("abac.db-wal").exists()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + b"\xff" * 65_536 + whole[middle + 65_536 :])
    fault = fails_with(StorageCorruptError, "storage-corrupt", lambda: list(sqlite_log.entries()))
    assert "abac audit verify" in fault.next
    sqlite_log.database.close()
    file.write_bytes(b"\xff" * 8_192 + whole[8_192:])
    fails_with(StorageCorruptError, "storage-corrupt", sqlite_log.head)
    fails_with(StorageCorruptError, "storage-corrupt", lambda: sqlite_log.append(group(1)))
    sqlite_log.database.close()
    file.write_bytes(whole)
    assert len(sound(sqlite_log)) == 2_001


def test_a_page_overwritten_under_the_server(server, server_log):
    for _ in range(5):
        server_log.append(group(100))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        path = connection.execute("SELECT pg_relation_filepath('abac_entries')").fetchone()[0]
    server.stop()
    file = server.folder / path
    whole = file.read_bytes()
    with file.open("r+b") as damaged:
        damaged.seek(8_192)
        damaged.write(b"\xff" * 4_096)
    server.start()
    fails_with(StorageCorruptError, "storage-corrupt", lambda: list(server_log.entries()))
    server.stop()
    with file.open("r+b") as repaired:
        repaired.write(whole)
    server.start()
    assert len(sound(server_log)) == 501


# --- tables of another version ---------------------------------------------------------------------------------


def test_tables_of_another_version_say_what_to_run(log):
    log.database.check()
    with log.database.writing() as connection:
        connection.exec_driver_sql("UPDATE abac_schema SET version_num = '0000'")
    fault = fails_with(StorageOutdatedError, "storage-schema", log.database.check)
    assert fault.next == "abac db upgrade"
    assert "0000" in fault.message


def test_a_database_without_tables_says_what_to_run(url):
    bare = opened(url)
    assert fails_with(StorageOutdatedError, "storage-schema", bare.database.check).next == "abac db upgrade"
    bare.database.close()
