"""A server's process under siege: long load, trickled requests, huge uploads, idle connections: all is bounded.

Nothing here looks at speed; what is measured is resident memory, open connections, and who is answered.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from abac.rest.authzen.examples import ANA, EXAMPLES, INVOKE, SONNET
from tests.rest.bodies import malformed
from tests.rest.processes import EVALUATION, EVALUATIONS, Served, serving, until
from tests.rest.running import running

HEAD = b"POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ASKED = {"subject": ANA, "action": INVOKE, "resource": SONNET}
MIB = 1 << 20


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = {"ABAC_IDLE_SECONDS": "2", "ABAC_CONNECTIONS": "40", "ABAC_BODY_LIMIT": str(MIB)}
    folder = tmp_path_factory.mktemp("besieged")
    with serving(folder, "--unsafe-no-auth", "--unsafe-no-audit", environment=environment) as served:
        yield served


def connected(served: Served) -> socket.socket:
    place = urlsplit(served.url)
    assert place.hostname
    assert place.port
    return socket.create_connection((place.hostname, place.port), timeout=20)


def resident(served: Served) -> int:
    """Return the bytes that a server and its workers hold."""
    process = psutil.Process(served.process.pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


def open_connections(served: Served) -> int:
    process = psutil.Process(served.process.pid)
    family = (process, *process.children(recursive=True))
    return sum(c.status == psutil.CONN_ESTABLISHED for one in family for c in one.net_connections("tcp"))


def is_answered(served: Served) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.post(f"{served.url}{EVALUATION}", json=ASKED, timeout=20).status_code == 200
    return False


# --- slow clients, large ones, many ------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [HEAD, HEAD + b"Content-Length: 500\r\n\r\n", b""], ids=["head", "body", "line"])
def test_a_request_that_trickles_in_is_cut_off_while_others_are_answered(besieged: Served, whole: bytes):
    with connected(besieged) as slow:
        slow.sendall(whole)
        slow.settimeout(0.2)
        for n in range(100):
            try:
                slow.sendall(b"x" if n % 2 or whole != HEAD else b"X-%d: y\r\n" % n)
                if slow.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:  # cut off
                break
        else:
            pytest.fail("it held its connection for twenty seconds")
    assert is_answered(besieged)


def test_uploads_beyond_the_limit_are_cut_off_and_not_kept(besieged: Served):
    before = resident(besieged)
    piece = b"y" * 65_536
    for head in (b"Content-Length: 1000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        sent = 0
        with connected(besieged) as large, contextlib.suppress(OSError):
            large.sendall(HEAD + head)
            while sent < 200 * MIB:
                large.sendall(b"10000\r\n" + piece + b"\r\n" if b"chunked" in head else piece)
                sent += len(piece)
        assert sent < 100 * MIB, "it went on reading"
    assert resident(besieged) - before < 32 * MIB
    assert is_answered(besieged)


def test_endless_headers_are_cut_off(besieged: Served):
    before = resident(besieged)
    sent = 0
    with connected(besieged) as large, contextlib.suppress(OSError):
        large.sendall(HEAD)
        while sent < 200 * MIB:
            large.sendall(b"X-Long: " + b"y" * 60_000 + b"\r\n")
            sent += 60_000
    assert sent < 200 * MIB, "it went on reading"
    assert resident(besieged) - before < 64 * MIB
    assert is_answered(besieged)


def test_idle_connections_are_bounded_and_go(besieged: Served):
    with contextlib.ExitStack() as held:
        for _ in range(300):
            with contextlib.suppress(OSError):
                held.enter_context(connected(besieged))
        assert until(lambda: open_connections(besieged) <= 80)
        until(lambda: is_answered(besieged))


def test_a_connection_beyond_those_served_is_told_so_as_of_any_problem():
    with running(connections=3) as found, contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(socket.create_connection(found.server.servers[0].sockets[0].getsockname()))
        until(lambda: len(found.server.server_state.connections) >= 3)
        answer = httpx.get(f"{found.url}/healthz", headers={"x-request-id": "r-1"})
        assert (answer.status_code, answer.json()["code"]) == (503, "connections")
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.headers["x-request-id"], answer.headers["retry-after"]) == ("r-1", "1")
        assert answer.headers["connection"] == "close"
        assert ("503", "connections") in found.app.evaluating.meter.problems


# --- for a long time ---------------------------------------------------------------------------------------


class Siege:
    """Clients of every kind that ask without end: other people each time, batches, searches, what is malformed."""

    def __init__(self, url: str) -> None:
        self.url, self.answered, self.stop = url, 0, threading.Event()
        self.faults: list[str] = []
        self.told = ""

    def one(self, number: int) -> None:
        source = random.Random(number)
        wrong = malformed(10**9, number)
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self.stop.is_set():
                kind = source.random()
                if kind < 0.8:
                    answer = client.post(EVALUATION, json=self.asked(source))
                elif kind < 0.9:
                    answer = client.post(
                        EVALUATIONS, json={"evaluations": [self.asked(source) for _ in range(20)]}
                    )
                elif kind < 0.93:
                    body = EXAMPLES["search_resource"]["models"].asked
                    answer = client.post("/access/v1/search/resource", json=body)
                elif kind < 0.98:
                    head = {"content-type": "application/json"}
                    answer = client.post(EVALUATION, content=next(wrong), headers=head)
                else:
                    answer = client.get("/metrics")
                self.answered += 1
                if answer.status_code >= 500:
                    self.faults.append(answer.text)

    def asked(self, source: random.Random) -> dict[str, Any]:
        country = source.choice(["US", "FR", "GB", "CN", "IN", "BR"])
        properties = {"relation": "customer", "organisation": "none", "organisation_country": country}
        if source.random() < 0.5:
            properties["citizenships_current"] = source.sample(["US", "FR", "GB", "CN"], 2)
        return {
            "subject": {"type": "person", "id": f"p-{source.getrandbits(64)}", "properties": properties},
            "action": INVOKE,
            "resource": SONNET,
        }


def soak(served: Served, warm: float, long: float) -> tuple[float, Siege]:
    """Load a server; return by which share its memory grew in `long` seconds, after the first `warm` ones.

    Each end is the median of a tenth of that time, so that one sample is not the verdict.
    """
    siege = Siege(served.url)
    threads = [threading.Thread(target=siege.one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    samples: list[int] = []
    try:
        time.sleep(warm)
        end = time.monotonic() + long
        while time.monotonic() < end:
            samples.append(resident(served))
            time.sleep(long / 200)
    finally:
        siege.stop.set()
        for thread in threads:
            thread.join(90)
    tenth = max(1, len(samples) // 10)
    first, last = (sorted(part)[len(part) // 2] for part in (samples[:tenth], samples[-tenth:]))
    siege.told = f"{first / MIB:.1f} MiB, then {last / MIB:.1f}; {siege.answered:,} requests answered"
    return last / first - 1, siege


def test_memory_does_not_grow_for_long(tmp_path: Path):
    with serving(tmp_path, "--unsafe-no-auth") as served:
        grown, siege = soak(served, warm=4, long=4)
        assert is_answered(served)
    assert siege.answered > 50
    assert not siege.faults
    assert grown < 0.1, siege.told


@pytest.mark.law
@pytest.mark.parametrize("audit", ["recorded", "unrecorded"])
def test_memory_grows_by_less_than_a_hundredth_between_minutes_three_and_ten(
    tmp_path: Path, audit: str, record_property: Any
):
    options = ["--unsafe-no-audit"] if audit == "unrecorded" else []
    with serving(tmp_path, "--unsafe-no-auth", *options) as served:
        grown, siege = soak(served, warm=180, long=420)
    assert siege.answered > 10_000
    assert not siege.faults
    assert grown < 0.01, siege.told
    record_property("soak", siege.told)
