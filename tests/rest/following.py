"""Servers that follow one policy store, as workers do, and readers of their change streams."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from abac.bootstrap import Settings, open_store
from abac.compiler.program import Program
from abac.pdp.point import DecisionPoint
from abac.policy.directive import Event, StatusEvent
from abac.rest.building import Parts, tell_changes
from abac.rest.callers.keys import KeysInMemory
from abac.rest.following.changing import Changing
from abac.service.deciding import Deciding, InMemory
from abac.service.following import Follower
from abac.service.store import Store
from tests.rest.running import Running, running
from tests.service.recording import worlds

PAST = datetime(2026, 6, 1, tzinfo=UTC)
REASON = {"who": "Ada", "approver": "Bob", "why": "a test"}


def publish(store: Store, program: Program, **more: Any) -> None:
    """Put a program in force after whatever was published last."""
    last = store.policies.publications.last()
    store.policies.publish(program, expect="none" if last is None else last.revision, **REASON, **more)


def denying(name: str = "d1", *, at: datetime | None = None, in_flight: str = "cut", extra: str = "") -> Program:
    """A program whose directive denies `fable` from a time on (default: long ago)."""
    from dataclasses import replace

    events = (StatusEvent(Event.EFFECTIVE, at or PAST, PAST),)
    return worlds.program(replace(worlds.directive(name, events=events), in_flight=in_flight), extra=extra)


def soon(seconds: float = 1.0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@dataclass
class Worker:
    """One server on the store, with its own connections to it."""

    running: Running
    store: Store
    follower: Follower
    changing: Changing


@contextlib.contextmanager
def worker(
    settings: Settings, keys: KeysInMemory | None = None, deciding: Any = None, **more: Any
) -> Iterator[Worker]:
    """Run a server that follows a store in which something was published."""
    with open_store(settings) as store:
        follower = Follower(store.policies)
        assert follower.now.program is not None
        point = DecisionPoint(follower.now.program)
        follower.listen(lambda change: change.after.program and point.publish(change.after.program))
        way: Deciding = InMemory(point) if deciding is None else deciding(point, store)
        mounted: list[Changing] = []
        telling = {name: more.pop(name) for name in ("heartbeat", "slow") if name in more}
        with running(
            Parts(deciding=way),
            auth=True,
            keys=keys,
            mount=lambda app: mounted.append(tell_changes(app, store, follower, **telling)),
            **more,
        ) as found:
            follower.start()
            yield Worker(found, store, follower, mounted[0])
        follower.close()


class Sent(NamedTuple):
    """An event as it came."""

    id: str
    kind: str
    data: dict[str, Any]


@dataclass
class Reader:
    """Reads a change stream in a thread."""

    url: str
    key: str
    after: str = ""
    response: httpx.Response | None = None
    events: queue.Queue[Sent | None] = field(default_factory=queue.Queue)

    def next(self) -> Sent:
        found = self.events.get(timeout=30)
        assert found is not None, "the stream ended"
        return found

    def until(self, kind: str, **wanted: Any) -> Sent:
        """Return the next event of a kind that says this; others are passed over."""
        while True:
            found = self.next()
            if found.kind == kind and all(found.data.get(name) == value for name, value in wanted.items()):
                return found

    def ended(self) -> bool:
        while self.events.get(timeout=30) is not None:
            pass
        return True

    def read(self) -> None:
        headers = {"authorization": f"Bearer {self.key}"} | ({"last-event-id": self.after} if self.after else {})
        try:
            with httpx.stream("GET", f"{self.url}/access/v1/changes", headers=headers, timeout=60) as response:
                self.response = response
                found: dict[str, str] = {}
                for line in response.iter_lines():
                    name, _, value = line.partition(": ")
                    if line and name:
                        found[name] = value
                    elif "event" in found:
                        self.events.put(Sent(found.get("id", ""), found["event"], json.loads(found["data"])))
                        found = {}
                    else:
                        found = {}
        except httpx.HTTPError:
            pass
        self.events.put(None)


@contextlib.contextmanager
def reading(found: Worker, key: str, after: str = "") -> Iterator[Reader]:
    """Read a worker's stream; where nothing was read before, the first event says what stands."""
    reader = Reader(found.running.url, key, after)
    thread = threading.Thread(target=reader.read, daemon=True)
    thread.start()
    if not after:
        assert reader.next().kind == "standing"
    yield reader
    if reader.response is not None:
        with contextlib.suppress(Exception):
            reader.response.close()
