"""Servers that several tests ask: the certification fixture, the Todo scenario, and the shipped policies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rest.running import HERE, Running, of_policies, running


@pytest.fixture(scope="session")
def fixture() -> Iterator[Running]:
    folder = HERE / "fixture"
    held = of_policies(folder, entities=folder / "entities.yaml", public_url="https://pdp.example.com")
    with running(**held | {"policies": [folder / "rows.csv"]}) as found:
        yield found


@pytest.fixture(scope="session")
def todo() -> Iterator[Running]:
    with running(**of_policies(HERE / "todo")) as found:
        yield found


@pytest.fixture(scope="session")
def shipped() -> Iterator[Running]:
    with running() as found:
        yield found
