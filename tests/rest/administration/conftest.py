"""A server with a store: the starter's policies published by two, and keys of several persons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from abac.bootstrap import Settings, open_store
from abac.pdp.point import DecisionPoint
from abac.rest.building import Parts
from abac.rest.callers.keys import Role
from abac.service.deciding import InMemory
from abac.service.store import Store
from tests.policy_stores import KEY, TurnedClock, migrated_file, program
from tests.rest.running import Running, running


@dataclass
class Office:
    """A running server, its store, the clock both have, and who may ask."""

    server: Running
    store: Store
    clock: TurnedClock

    def key(self, name: str, *roles: Role, **of: Any) -> str:
        return self.server.key(*roles, name=name, **of)

    def ask(self, method: str, path: str, body: Any = None, key: str = "", **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return self.server.client.request(
            method, path, json=body, headers=headers | more.pop("headers", {}), **more
        )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = TurnedClock()
    (tmp_path / "abac.db").write_bytes(migrated_file())
    with open_store(Settings(f"sqlite:///{tmp_path}/abac.db", key=KEY), clock=clock) as store:
        store.policies.publish(program(), who="Ada", approver="Bob", why="first", expect="none", commit="a" * 40)
        parts = Parts(InMemory(DecisionPoint(program())), store=store)
        with running(parts, clock, auth=True) as server:
            yield Office(server, store, clock)


@pytest.fixture
def ada(office: Office) -> str:
    return office.key("Ada", Role.READ, Role.PUBLISH)


@pytest.fixture
def bob(office: Office) -> str:
    return office.key("Bob", Role.READ, Role.PUBLISH)
