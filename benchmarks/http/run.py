"""One run: each server started, its answers checked against what the policy means, and loaded with `wrk`.

Floor and ours are loaded in turn, a little while each, and the median of the ratios of processor time counts,
so that a machine that is faster now and slower then is so for both.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import psutil

from abac.condition.schema import Assurance
from abac.rest.callers.keyfile import write_keys
from abac.rest.callers.keys import Caller, KeysInMemory, generate
from abac.service.ceiling import Ceiling
from benchmarks.http import bodies, cerbos
from benchmarks.peers.workload import Workload

WORK = Path(".make/http")
CONNECTIONS = (1, 16, 64)
SIZES = (10, 100, 1_000)
SENT = 2_000
"""Distinct requests of a run."""

CHECKED = 300
SECONDS = 2
PAIRS = 5
"""How often floor and ours are loaded in turn."""

BATCH = 1_000
PORT = 8_390


class Load(NamedTuple):
    """What one load came to: requests a second; per request, µs of processor time and of latency; bytes held."""

    rate: float
    cpu: float
    p50: float
    p99: float
    resident: float


class Row(NamedTuple):
    """One server at one number of rules and connections.

    Beside ours stands the floor's load, and the median of the ratios of processor time, pair by pair.
    """

    name: str
    rules: int
    connections: int
    load: Load
    floor: Load | None = None
    ratio: float = 0.0


class DisagreementError(Exception):
    """A server answers otherwise than the policy means, so its time would mean nothing."""


RECORDING = "abac, required audit"
"""The server that answers once the entry is committed to SQLite with `synchronous=FULL`."""


class Batches(NamedTuple):
    """µs of server time for an evaluation of a batch: every entity whole, the subject shared, and recorded."""

    whole: float
    shared: float
    recorded: float


def run(say: Callable[[str], None]) -> tuple[list[Row], Batches]:
    """Return all rows, and what batches take."""
    WORK.mkdir(parents=True, exist_ok=True)
    keys, text = _key()
    rows: list[Row] = []
    with serving("floor", 0, keys) as floor:
        for rules in SIZES:
            workload = Workload(rules)
            with serving("abac", rules, keys) as ours:
                _agree(workload, bodies.EVALUATION, bodies.evaluation, lambda a: bool(a["decision"]), text)
                rows += _beside(floor, ours, workload, text, say)
                if rules == SIZES[-1]:
                    whole, shared = _batches(ours, workload, text)
        with serving("audit", SIZES[-1], keys) as recording:
            _agree(workload, bodies.EVALUATION, bodies.evaluation, lambda a: bool(a["decision"]), text)
            _known(workload, text)
            rows += _beside(floor, recording, workload, text, say, RECORDING)
            batches = Batches(whole, shared, _batches(recording, workload, text)[0])
    binary = shutil.which("cerbos", path=str(WORK / "node_modules/.bin"))
    if binary is None:
        say("no Cerbos in .make/http: `npm install cerbos` there brings it")
        return rows, batches
    for rules in SIZES:
        workload = Workload(rules)
        with _cerbos(binary, workload) as theirs:
            _agree(workload, bodies.CHECK, bodies.check, cerbos.permits, "")
            for connections in CONNECTIONS:
                load = _load(theirs, bodies.CHECK, _script(workload, bodies.check, ""), connections)
                rows.append(Row("Cerbos", rules, connections, load))
                say(f"Cerbos, {rules} rules, {connections} connections: {load.cpu:.1f} µs, {load.rate:,.0f}/s")
    return rows, batches


def _beside(
    floor: Server, ours: Server, workload: Workload, text: str, say: Callable[[str], None], name: str = "abac"
) -> Iterator[Row]:
    script = _script(workload, bodies.evaluation, text)
    for connections in CONNECTIONS:
        pairs = [
            (
                _load(floor, bodies.EVALUATION, script, connections),
                _load(ours, bodies.EVALUATION, script, connections),
            )
            for _ in range(PAIRS)
        ]
        bare, load = (_quietest([pair[n] for pair in pairs]) for n in range(2))
        row = Row(name, workload.count, connections, load, bare, median(own.cpu / of.cpu for of, own in pairs))
        say(
            f"{name}, {workload.count} rules, {connections} connections: {load.cpu:.1f} µs, {load.rate:,.0f}/s; "
            f"floor {bare.cpu:.1f} µs; {load.cpu / bare.cpu:.2f} times, median of pairs {row.ratio:.2f}"
        )
        yield row


def _quietest(loads: Sequence[Load]) -> Load:
    """Return the load with the least processor time: what else the machine does can only add to it."""
    return min(loads, key=lambda load: load.cpu)


# --- servers -----------------------------------------------------------------------------------------------


class Server(NamedTuple):
    """A running server."""

    process: psutil.Process
    port: int


@contextlib.contextmanager
def serving(what: str, rules: int, keys: Path) -> Iterator[Server]:
    """Run one of ours."""
    port = PORT + 10 if what == "floor" else PORT
    command = [sys.executable, "-m", "benchmarks.http.serve", what, str(port), str(rules), str(keys)]
    with _running(command, port, "/healthz") as server:
        yield server


@contextlib.contextmanager
def _cerbos(binary: str, workload: Workload) -> Iterator[Server]:
    folder = (WORK / f"cerbos-{workload.count}").resolve()
    config = cerbos.write(folder, workload, PORT)
    with _running([binary, "server", f"--config={config}"], PORT, "/_cerbos/health") as server:
        yield server


@contextlib.contextmanager
def _running(command: Sequence[str], port: int, health: str) -> Iterator[Server]:
    log = (WORK / "server.log").open("wb")
    started = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # our own command lines
    try:
        for _ in range(600):
            if started.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: see {WORK / 'server.log'}")
            with contextlib.suppress(OSError):
                urlopen(f"http://127.0.0.1:{port}{health}", timeout=1).close()  # loopback
                break
            time.sleep(0.1)
        family = [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]
        yield Server(max(family, key=lambda p: p.memory_info().rss), port)
    finally:
        for child in psutil.Process(started.pid).children(recursive=True):
            child.terminate()
        started.terminate()
        started.wait(20)
        log.close()


# --- load --------------------------------------------------------------------------------------------------


def _load(server: Server, path: str, script: Path, connections: int) -> Load:
    url = f"http://127.0.0.1:{server.port}{path}"
    wrk = ["wrk", "-t1", f"-c{connections}", "-s", str(script), "--latency", url]
    subprocess.run([*wrk, "-d1s"], check=True, capture_output=True)  # noqa: S603  # to warm up
    before = server.process.cpu_times()
    out = subprocess.run([*wrk, f"-d{SECONDS}s"], check=True, capture_output=True, text=True)  # noqa: S603
    after = server.process.cpu_times()
    requests, duration, errors, p50, p99, _ = map(int, out.stdout.split("RUN ")[1].split())
    if errors:
        raise DisagreementError(f"{errors} of {requests} requests to {url} failed")
    spent = after.user + after.system - before.user - before.system
    resident = server.process.memory_info().rss
    return Load(requests / duration * 1e6, spent / requests * 1e6, p50, p99, resident)


def _script(workload: Workload, put: Callable[[Any], dict[str, Any]], text: str) -> Path:
    sent = [bodies.encoded(put(asked)) for asked in workload.requests(SENT, "http")]
    headers = {"Authorization": f"Bearer {text}", "X-Request-ID": "bench-0001"} if text else {}
    return bodies.script(WORK / "load.lua", sent, headers)


def _batches(ours: Server, workload: Workload, text: str) -> tuple[float, float]:
    asked = workload.requests(BATCH, "http")
    whole = bodies.batch(asked)
    first = bodies.evaluation(asked[0])
    shared = {"subject": first["subject"], "action": first["action"]}
    shared["evaluations"] = [{"resource": bodies.evaluation(one)["resource"]} for one in asked]
    found = []
    for body in (whole, shared):
        script = bodies.script(WORK / "batch.lua", [bodies.encoded(body)], {"Authorization": f"Bearer {text}"})
        found.append(_load(ours, bodies.EVALUATIONS, script, 1).cpu / BATCH)
    return found[0], found[1]


def _agree(
    workload: Workload,
    path: str,
    put: Callable[[Any], dict[str, Any]],
    permits: Callable[[Any], bool],
    text: str,
) -> None:
    for asked in workload.requests(CHECKED, "agree"):
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {text}"} if text else {})}
        url = f"http://127.0.0.1:{PORT}{path}"
        request = Request(url, bodies.encoded(put(asked)).encode(), headers)  # loopback
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
            theirs = permits(json.loads(answer.read()))
        if theirs is not workload.answer(asked):
            raise DisagreementError(f"{path} at {workload.count} rules: {theirs} for {asked}")


def _known(workload: Workload, text: str) -> None:
    """Have the server record something of every subject, whose key is then made for the month."""
    body = bodies.encoded(bodies.batch(workload.requests(SENT, "http"))).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {text}"}
    urlopen(Request(f"http://127.0.0.1:{PORT}{bodies.EVALUATIONS}", body, headers), timeout=60).close()


def _key() -> tuple[Path, str]:
    """Make the key of the run: what it sends is complete, as its peers take everything to be."""
    now = datetime.now(UTC)
    key, text = generate(Caller("bench", ceiling=Ceiling(Assurance.DECLARED, complete=True)), now)
    path = WORK / "keys.yaml"
    write_keys(path, KeysInMemory([key]))
    return path, text
