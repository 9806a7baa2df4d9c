"""Many processes record into one log, are killed at random, and no acknowledged PERMIT is missing from it."""

import dataclasses
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import abac
from abac.bootstrap import open_store
from abac.storage.journal import journals
from tests.service.recording.worlds import entries, program

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]


def started(settings, mode, threads, decisions, name):
    arguments = [json.dumps(dataclasses.asdict(settings)), mode, str(threads), str(decisions), name]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(WORKER), *arguments], stdout=subprocess.PIPE, env=environment)


def acknowledged(output):
    """The ids of whole lines; a kill may cut the last."""
    lines = output.decode().split("\n")[:-1]
    assert not [line for line in lines if line.startswith("refused")], lines
    return [line for line in lines if line != "ready"]


def kept_apart(settings, acknowledgements):
    """The log is one tree without gaps, and holds every acknowledged id once."""
    with open_store(settings) as store:
        with abac.RecordedPoint(program(), store) as point:  # merges what was left in journals
            assert point.flush(30), point.troubles
        assert journals(store.journal) == []
        logged = [e.id for e in entries(store)]
    assert len(set(logged)) == len(logged)
    assert set(acknowledgements) <= set(logged)
    return logged


@pytest.mark.parametrize("mode", ["required", "spill"])
def test_many_workers_one_log(place, mode):
    open_store(place, make=True).close()
    workers = [started(place, mode, 3, 30, f"w{n}") for n in range(4)]
    found = [acknowledged(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [len(ids) for ids in found] == [90] * 4
    logged = kept_apart(place, [i for ids in found for i in ids])
    assert len([i for i in logged if i in {i for ids in found for i in ids}]) == 360


def killed(settings, rounds, seed):
    """Kill a worker at random so often; every acknowledged PERMIT is in the log after each restart."""
    source = random.Random(seed)
    open_store(settings, make=True).close()
    everything = []
    for number in range(rounds):
        mode = ["required", "spill"][number % 2]
        worker = started(settings, mode, 4, 100_000, f"k{number}")
        assert worker.stdout.readline() == b"ready\n"
        first = b"" if number % 3 else worker.stdout.readline()  # a busy machine may be slower than the kill
        time.sleep(source.random() * 0.5)
        worker.kill()
        output, _ = worker.communicate(timeout=60)
        everything += acknowledged(first + output)
        if number % 5 == rounds % 5 or rounds < 5:
            kept_apart(settings, everything)
    kept_apart(settings, everything)
    assert everything


def test_a_worker_killed_at_random(place):
    killed(place, 3, seed=4)


@pytest.mark.law
def test_a_worker_killed_at_random_a_hundred_times(place):
    killed(place, 100, seed=time.time_ns())
