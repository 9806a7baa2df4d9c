"""Measure from outside: what each worker answers, since when it answers otherwise, and what its stream tells.

One thread for each worker asks one request again and again, another reads its change stream. Times are this
process's own, so what is measured is what a caller sees, the way there and back included.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from abac.client import Client
from abac.client.changes import LOST, STANDING, Change
from abac.client.wire import Evaluation
from abac.drill.steps import DrillError

EVERY = 0.02
"""Seconds between two questions of a probe: each leaves an entry in the log."""

PATIENCE = 60.0
"""Seconds for which a change is waited for."""

BATCH = 500


def answers(client: Client, asked: Sequence[Evaluation]) -> list[tuple[bool, str]]:
    """Return whether each request is permitted, and its outcome. Raises `DrillError` where one is not answered."""
    found: list[tuple[bool, str]] = []
    for at in range(0, len(asked), BATCH):
        for answer in client.evaluate_all(asked[at : at + BATCH]):
            if answer.failure:
                raise DrillError(f"a request was not answered: {answer.reason or answer.failure}")
            found.append((answer.permitted, answer.outcome))
    return found


def until_answers(client: Client, probe: Evaluation, *, permitted: bool) -> datetime:
    """Ask until the answer is this one; return when it first was. Raises `DrillError` after a while."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = client.ask(probe)
        if not answer.failure and answer.permitted is permitted:
            return datetime.now(UTC)
        time.sleep(EVERY)
    word = "permits" if permitted else "denies"
    raise DrillError(f"no worker {word} what it should after {PATIENCE:g} seconds")


Heard = tuple[datetime, Change]
"""A change, and when it came."""


class Stream:
    """Reads one worker's change stream in a thread, and keeps what it tells with the time it came."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard: list[Heard] = []
        self._turn = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.wait(lambda: bool(self._heard), "the stream of a worker tells nothing")

    def heard(self, kind: str, since: datetime, **said: Any) -> list[Heard]:
        """Return what was told of a kind since a time, and says this."""
        with self._turn:
            return [
                (at, one)
                for at, one in self._heard
                if one.kind == kind and at >= since and all(one.data.get(k) == v for k, v in said.items())
            ]

    def first(self, kind: str, since: datetime, **said: Any) -> datetime:
        """Wait for what is told of a kind, and says this; return when it first was. Raises `DrillError`."""
        self.wait(lambda: bool(self.heard(kind, since, **said)), f"a stream did not tell of the {kind}")
        return self.heard(kind, since, **said)[0][0]

    def wait(self, so: Callable[[], bool], what: str) -> None:
        """Wait until what was heard is so. Raises `DrillError` with `what`."""
        with self._turn:
            if not self._turn.wait_for(so, PATIENCE):
                raise DrillError(what)

    def stop(self) -> None:
        """Take in nothing more."""
        self._stopped = True

    def _read(self) -> None:
        for change in self._client.changes():
            if self._stopped:
                return
            with self._turn:
                if change.kind not in (LOST, STANDING) or not self._heard:
                    self._heard.append((datetime.now(UTC), change))
                self._turn.notify_all()


def flips(streams: Sequence[Stream], sessions: Collection[str], since: datetime, *, to: bool) -> list[list[Heard]]:
    """Wait until every stream has told the flip of every session, and return what each told."""

    def told(stream: Stream) -> list[Heard]:
        return [one for one in stream.heard("session", since, to=to) if one[1].data["session"] in sessions]

    def enough(stream: Stream) -> bool:
        return len(told(stream)) >= len(sessions)

    for stream in streams:
        stream.wait(partial(enough, stream), "a stream did not tell of every session")
    return [told(stream) for stream in streams]


@contextmanager
def asked_at_once(clients: Sequence[Client], ask: Callable[[Client], Any]) -> Iterator[list[Any]]:
    """Do the same with every client, each in a thread; after the block the list holds what came of each.

    Raises, after the block, what any of them raised.
    """
    found: list[Any] = [None] * len(clients)
    failed: list[Exception] = []

    def run(at: int) -> None:
        try:
            found[at] = ask(clients[at])
        except Exception as error:  # noqa: BLE001  # raised again below, in the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(clients))]
    for thread in threads:
        thread.start()
    yield found
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
