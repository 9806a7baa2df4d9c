"""A Todo server, and both clients by one way of asking: every test runs with each."""

from __future__ import annotations

import asyncio

import pytest

from abac.client import AsyncClient, Client
from tests.client.todo import Todo


class Blocking:
    """The blocking client, as it is."""

    def __init__(self, url, **options):
        self._client = Client(url, **options)

    def __getattr__(self, name):
        method = getattr(self._client, name)
        if name.startswith("search"):
            return lambda *args, **options: list(method(*args, **options))
        return method


class Awaited:
    """The asynchronous client in an event loop of its own."""

    def __init__(self, url, **options):
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(url, **options)

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def called(*args, **options):
            made = method(*args, **options)
            return self._loop.run_until_complete(_all(made) if name.startswith("search") else made)

        return called

    def close(self):
        self._loop.run_until_complete(self._client.close())
        self._loop.close()


async def _all(found):
    return [one async for one in found]


@pytest.fixture
def todo():
    one = Todo().up()
    yield one
    one.down()


@pytest.fixture(params=[Blocking, Awaited], ids=["blocking", "awaited"])
def opened(request, todo):
    made = []

    def open_(**options):
        made.append(request.param(todo.url, **({"timeout": 20} | options)))
        return made[-1]

    yield open_
    for one in made:
        one.close()


@pytest.fixture
def client(opened):
    return opened()
