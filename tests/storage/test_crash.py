"""Killed at random while writing at full speed: what was acknowledged is there, the tree is sound, nobody helps.

The writers are processes of their own (`tests.storage.writing`), which print ids after `append` returned. A short
run always; a hundred kills of each kind as laws.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.storage.writing import group, made, opened, sound

ROOT = Path(__file__).parents[2]
SHORT, LONG = 6, 100
KILLS_A_LOG = 10
"""A log is begun anew after so many kills: checking a whole one takes its time."""


class Writer:
    """A process that writes at full speed; what it acknowledges is read from its pipe all the while."""

    def __init__(self, url, size):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.writing", url, str(size)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)

    def wait_for(self, lines):
        while len(self._lines) < lines:
            assert self._process.poll() is None, "the writer gave up"
            time.sleep(0.01)

    def kill(self):
        """SIGKILL; return the ids that were acknowledged. A line that was cut short is none."""
        self._process.kill()
        self._reader.join()
        self._process.wait()
        self._process.stdout.close()
        return {bytes.fromhex(one) for line in self._lines if line.endswith("\n") for one in line.split()}


def kill_writers(url, kills, draw, longest=0.25):
    """Kill two writers at a time, at random; return everything that they acknowledged."""
    promised = set()
    for _ in range(kills):
        pair = [Writer(url, draw.choice((1, 10, 100))) for _ in range(2)]
        for one in pair:
            one.wait_for(1)
        time.sleep(draw.uniform(0, longest))
        for one in pair:
            promised |= one.kill()
    return promised


def holds(url, promised):
    """Check the log as it was left, and that it goes on; nothing is repaired in between."""
    log = opened(url)
    found = {entry.id for entry in sound(log)}
    assert promised
    assert promised <= found
    log.append(group(10))
    assert len(sound(log)) == len(found) + 10
    log.database.close()


def test_writers_killed_lose_nothing_that_was_acknowledged(url):
    made(url).database.close()
    holds(url, kill_writers(url, SHORT, random.Random(4), longest=0.05))


@pytest.mark.law
@pytest.mark.parametrize("series", range(LONG // KILLS_A_LOG))
def test_writers_killed_a_hundred_times(url, series):
    made(url).database.close()
    holds(url, kill_writers(url, KILLS_A_LOG, random.Random()))


def kill_server(server, kills, draw):
    """Kill the server under a writer that goes on by itself when it is back; return what it acknowledged."""
    one = Writer(server.url, 10)
    for _ in range(kills):
        before = len(one._lines)
        one.wait_for(before + 1)
        time.sleep(draw.uniform(0, 0.4))
        server.kill()
        server.start()
    one.wait_for(len(one._lines) + 5)
    return one.kill()


def test_the_server_killed_loses_nothing_that_was_acknowledged(server):
    made(server.url).database.close()
    holds(server.url, kill_server(server, SHORT // 2, random.Random(4)))


@pytest.mark.law
@pytest.mark.parametrize("series", range(LONG // KILLS_A_LOG))
def test_the_server_killed_a_hundred_times(server, series):
    made(server.url).database.close()
    holds(server.url, kill_server(server, KILLS_A_LOG, random.Random()))


def test_processes_that_write_at_once_share_one_tree(url):
    """Four writers without a leader, each acknowledged often enough to have taken its turn among the others."""
    made(url).database.close()
    writers = [Writer(url, size) for size in (1, 7, 20, 100)]
    for one in writers:
        one.wait_for(5)
    holds(url, set().union(*(one.kill() for one in writers)))
