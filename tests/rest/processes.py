"""`abac serve` as it is run: a process of its own in a folder of its own, asked over HTTP, stopped by a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"


@dataclass
class Served:
    """A server's process, its URL, the curl that it printed, and where its log goes."""

    url: str
    curl: str
    process: subprocess.Popen[str]
    log: Path

    def told(self) -> str:
        return self.log.read_text()

    def ask(self, body: Any, path: str = EVALUATION) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.url}/readyz", timeout=30)

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}


@contextmanager
def serving(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run the command in a folder until the block ends, then SIGTERM it; its log is on the folder's `log`."""
    command = [sys.executable, "-m", "abac", "serve", "--port", "0", *options]
    held = os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {})
    log = folder / "log"
    with (
        log.open("w") as to,
        subprocess.Popen(command, cwd=folder, env=held, stdout=subprocess.PIPE, stderr=to, text=True) as process,
    ):
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first, log.read_text()
        try:
            yield Served(first.split()[-1], second, process, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something holds, and return it; fail loudly where it never does."""
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


@dataclass
class Load:
    """Many clients that ask one thing after the other; what came back, and how often nothing did."""

    answers: list[Any] = field(default_factory=list)
    failed: int = 0
    refused: list[int] = field(default_factory=list)
    stop: bool = False

    def keep(self, held: dict[str, Any]) -> None:
        """Keep what came back: a decision, or those of a batch."""
        self.answers += held.get("evaluations", [held])

    @property
    def permitted(self) -> list[str]:
        return [a["context"]["id"] for a in self.answers if a["decision"]]


@contextmanager
def under_load(
    url: str, asked: Callable[[int], Any], clients: int = 8, path: str = EVALUATION, load: Load | None = None
) -> Iterator[Load]:
    """Ask without end from a thread, until the block ends."""
    import threading

    load = load or Load()

    async def one(client: httpx.AsyncClient, number: int) -> None:
        while not load.stop:
            try:
                answer = await client.post(path, json=asked(number))
            except httpx.TransportError:
                load.failed += 1
                await asyncio.sleep(0.02)
                continue
            if answer.status_code != 200:
                load.refused.append(answer.status_code)
                await asyncio.sleep(0.02)
                continue
            load.keep(answer.json())

    async def every() -> None:
        limits = httpx.Limits(max_connections=clients)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            await asyncio.gather(*(one(client, number) for number in range(clients)))

    thread = threading.Thread(target=lambda: asyncio.run(every()))
    thread.start()
    try:
        yield load
    finally:
        load.stop = True
        thread.join(90)
        assert not thread.is_alive()
