"""Reading the change stream, and work in flight that a directive cuts or lets finish: on real servers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from abac.bootstrap import Settings, open_store
from abac.client import (
    AsyncClient,
    Change,
    ChangesError,
    Client,
    Evaluation,
    Flip,
    Resource,
    SessionEndedError,
    SessionGuard,
    StreamGuard,
    Subject,
)
from abac.client.changes import Reading
from abac.client.wire import Action
from abac.rest.callers.keys import Role
from abac.service.store import Store
from tests.policy_stores import KEY
from tests.rest.following import Worker, denying, publish, soon, worker
from tests.service.recording import worlds

ASKED = Evaluation(Subject("person", "ada", {"tier": "gold"}), Action("invoke"), Resource("model", "fable"))
OTHER = Evaluation(Subject("person", "ada", {"tier": "gold"}), Action("invoke"), Resource("model", "other"))
PROVIDER = "https://provider.example"


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with open_store(Settings(f"sqlite:///{tmp_path}/abac.db", key=KEY)) as held:
        publish(held, worlds.program())
        yield held


@pytest.fixture
def settings(store) -> Settings:
    return Settings(str(store.database), key=KEY)


@pytest.fixture
def server(store, settings) -> Iterator[Worker]:
    with worker(settings) as found:
        yield found


# --- the stream --------------------------------------------------------------------------------------------------


def test_lines_make_changes_and_say_where_to_go_on():
    reading = Reading()
    lines = [
        "retry: 1000",
        "",
        ": alive",
        "id: 7",
        "event: revision",
        'data: {"revision": "ab"}',
        "",
        "data: {}",
        "",
    ]
    found = [change for line in lines if (change := reading.line(line)) is not None]
    assert found == [Change("alive"), Change("revision", {"revision": "ab"}, "7")]
    assert reading.headers()["Last-Event-ID"] == "7"


def test_a_reader_whose_place_nobody_knows_begins_anew():
    reading = Reading("99")
    assert reading.refused(400, b"{}").kind == "lost"
    assert "Last-Event-ID" not in reading.headers()


def test_a_blocking_reader_goes_on_after_the_server_was_away(store, settings):
    keys = None
    with worker(settings) as first:
        keys = first.running.keys
        token = first.running.key()
        client = Client(first.running.url, token=token)
        changes = client.changes()
        assert next(changes).kind == "standing"
        publish(store, denying())
        assert [next(changes).kind for _ in range(2)] == ["revision", "directive"]
        last = None
        publish(store, worlds.program(extra="x"))
        while (change := next(changes)).kind != "directive":
            last = change
        assert last is not None
        last = change
    publish(store, denying("d2"))
    assert next(changes).kind == "lost"
    with worker(settings, keys) as second, Client(second.running.url, token=token) as again:
        told = again.changes(after=last.id)
        assert [next(told).kind for _ in range(2)] == ["revision", "directive"]


def test_a_key_that_may_not_read_is_told_so_once(server):
    with (
        Client(server.running.url, token=server.running.key(Role.AUDIT)) as client,
        pytest.raises(ChangesError, match="403"),
    ):
        next(client.changes())


# --- sessions ----------------------------------------------------------------------------------------------------


async def until(so: Callable[[], object]) -> None:
    while not so():  # noqa: ASYNC110  # sessions have no event for this
        await asyncio.sleep(0.01)


async def forever() -> AsyncIterator[int]:
    for n in itertools.count():
        yield n
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def guarding(server: Worker, **more: float) -> AsyncIterator[SessionGuard]:
    token = server.running.key()
    async with AsyncClient(server.running.url, token=token) as client, SessionGuard(client, **more) as guard:
        yield guard


def test_a_stream_is_cut_in_the_middle(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            assert session.permitted
            other = await guard.open(OTHER)
            chunks = session.stream(forever(), farewell=lambda flip: flip.directives)  # type: ignore[arg-type]
            assert await anext(chunks) == 0
            await asyncio.to_thread(publish, store, denying())
            rest = [chunk async for chunk in chunks]
            assert rest[-1] == ("d1",)
            assert not session.permitted
            assert session.over
            assert other.permitted
            with pytest.raises(SessionEndedError, match="denied-by-directive"):
                session.check()

    asyncio.run(run())


def test_a_request_may_finish_and_no_other_begins(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            chunks = session.stream(forever())
            await anext(chunks)
            await asyncio.to_thread(publish, store, denying(in_flight="finish_request"))
            while session.permitted:
                await anext(chunks)
            assert [await anext(chunks) for _ in range(3)]
            with pytest.raises(SessionEndedError):
                await anext(session.stream(forever()))
            await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(run())


def test_a_session_may_finish_its_later_requests_too(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            await asyncio.to_thread(publish, store, denying(in_flight="finish_session"))
            await until(lambda: session.flip is not None)
            assert session.flip.do == "finish_session"
            assert session.permitted
            chunks = session.stream(forever())
            assert [await anext(chunks) for _ in range(3)] == [0, 1, 2]
            assert not (await guard.open(ASKED)).permitted

    asyncio.run(run())


def test_a_session_goes_on_until_the_time_that_the_directive_says(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            then = soon(2.5)
            await asyncio.to_thread(publish, store, denying(in_flight=f"until {then.isoformat()}"))
            await until(lambda: session.flip is not None)
            assert session.permitted
            last = [chunk async for chunk in session.stream(forever())]
            assert last
            assert session.over
            assert soon(0.1) >= then

    asyncio.run(run())


def test_a_flip_to_come_is_a_warning_and_one_called_back_is_none(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            at = soon(2)
            await asyncio.to_thread(publish, store, denying(at=at))
            await until(lambda: session.warning is not None)
            assert session.warning.ahead > 0
            assert session.permitted
            assert (await session.cut()).directives == ("d1",)
            await asyncio.to_thread(publish, store, worlds.program(extra="z"))
            await until(lambda: session.permitted)
            assert session.flip is None

    asyncio.run(run())


def test_a_warning_is_called_off_with_the_publication_that_brought_it(store, server):
    async def run() -> None:
        async with guarding(server) as guard:
            session = await guard.open(ASKED)
            await asyncio.to_thread(publish, store, denying(), effective=soon(600))
            await until(lambda: session.warning is not None)
            await asyncio.to_thread(store.policies.rollback, who="Ada", approver="Bob", why="a test")
            await until(lambda: session.warning is None)
            assert session.permitted

    asyncio.run(run())


def test_what_cannot_be_followed_is_cut_and_asked_about_when_it_can_again(store, settings):
    with worker(settings) as first:
        keys, url = first.running.keys, first.running.url
        token = first.running.key()
        port = int(url.rpartition(":")[2])

        async def run() -> None:
            async with AsyncClient(url, token=token) as client, SessionGuard(client, patience=0.5) as guard:
                session = await guard.open(ASKED)
                assert session.permitted
                first.running.server.should_exit = True
                flip = await session.cut()
                assert flip is not None
                assert flip.reason == "blind"
                assert not (await guard.open(ASKED)).permitted
                with contextlib.ExitStack() as stack:
                    await asyncio.to_thread(stack.enter_context, _again(settings, keys, port))
                    await until(lambda: session.permitted)

        asyncio.run(run())


@contextlib.contextmanager
def _again(settings, keys, port):
    with worker(settings, keys, port=port) as found:
        yield found


def test_a_flip_that_is_not_understood_is_a_cut():
    assert Flip.of({"in_flight": "finish_request"}).do == "cut"


# --- a streaming application behind the middleware ---------------------------------------------------------------


@contextlib.contextmanager
def gateway(server: Worker) -> Iterator[str]:
    """A real server of a token stream, behind the middleware; yields its URL."""
    client = AsyncClient(server.running.url, token=server.running.key())
    guard = SessionGuard(client)

    async def tokens() -> AsyncIterator[bytes]:
        for n in range(60):
            yield f"token {n}\n".encode()
            await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client, guard:
            yield

    inner = Starlette(
        routes=[
            Route("/fable", lambda _: StreamingResponse(tokens())),
            Route("/other", lambda _: StreamingResponse(tokens())),
        ],
        lifespan=lifespan,
    )
    app = StreamGuard(
        inner,
        guard=guard,
        question=lambda scope: ASKED if scope["path"] == "/fable" else OTHER,
        provider=PROVIDER,
        farewell=lambda flip: f"cut by {', '.join(flip.directives)}\n".encode(),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    while not made.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{port}"
    made.should_exit = True
    thread.join(30)


@pytest.mark.parametrize("in_flight", ["cut", "finish_request", "finish_session", "until"])
def test_a_token_stream_ends_as_the_directive_says(store, server, in_flight):
    with gateway(server) as url, httpx.Client(base_url=url, timeout=30) as http:
        said = f"until {soon(1.5).isoformat()}" if in_flight == "until" else in_flight
        with http.stream("GET", "/fable") as response, http.stream("GET", "/other") as untouched:
            assert response.status_code == 200
            lines = response.iter_lines()
            assert next(lines) == "token 0"
            publish(store, denying(in_flight=said))
            last = list(lines)[-1]
            assert last == ("token 59" if in_flight.startswith("finish") else "cut by d1")
            assert list(untouched.iter_lines())[-1] == "token 59"
        refused = http.get("/fable")
        assert refused.status_code == 451
        assert refused.headers["link"] == f'<{PROVIDER}>; rel="blocked-by"'


# --- the document ------------------------------------------------------------------------------------------------


def test_the_example_of_the_document_streams_until_it_is_cut(store, server):
    text = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
    (example,) = (
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "SessionGuard" in block
    )
    code = f"URL, KEY = {server.running.url!r}, {server.running.key()!r}\n{example}"
    with subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == "token 0\n"
        publish(store, denying())
        lines = ran.stdout.read().splitlines()
        assert ran.wait(30) == 0
    assert lines[-1] == "cut: denied-by-directive, d1"
    assert len(lines) < 200
