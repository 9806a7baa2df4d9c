"""Hold work in flight to what the decision point says while it goes on: cut it, or let it finish.

A guard registers sessions, follows the change stream, and tells each session what becomes of it. It fails closed:
what cannot be followed for longer than its patience is cut, as is what was not registered. For asyncio. Guarding a
whole application is `streaming`'s part.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from abac.client.answer import Answer
from abac.client.asynchronous import AsyncClient
from abac.client.changes import LOST, STANDING, TROUBLE, Change
from abac.client.sessions import EXPIRES_IN, Session, apart
from abac.client.wire import Evaluation
from abac.errors import AbacError

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for which work goes on while nothing is heard of changes."""

EARLY = 10_000
"""Flips kept that came before the session they are about was known here."""

CUT, FINISH_REQUEST, FINISH_SESSION, UNTIL = "cut", "finish_request", "finish_session", "until"
BLIND, EXPIRED = "blind", "expired"


class SessionEndedError(AbacError):
    """A request of a session that may start none any more; `flip` says why, None where it never might."""

    code = "session"

    def __init__(self, message: str, flip: Flip | None = None) -> None:
        self.flip = flip
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Flip:
    """That a session is not permitted from now on, or will not be: what to do, in how many seconds, and why.

    `do` is `cut`, `finish_request`, `finish_session` or `until`; `seconds` are those until it is over (None: not
    by a time), `ahead` those until it begins, 0 where it has.
    """

    do: str
    seconds: float | None = 0.0
    reason: str = ""
    directives: tuple[str, ...] = ()
    ahead: float = 0.0
    said: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Flip:
        """Return what an event says; what is not understood is a cut."""
        try:
            do, deadline = str(said["in_flight"]), said["deadline"]
            at = str(said["at"])
            seconds = None if deadline is None else max(0.0, apart(at, str(deadline)))
            ahead = max(0.0, apart(at, str(said["flips_at"]))) if "flips_at" in said else 0.0
            directives = tuple(map(str, said.get("directives", ())))
        except (KeyError, TypeError, ValueError):
            return cls(CUT, 0.0, str(said.get("reason", "")), said=said)
        return cls(do, seconds, str(said.get("reason", "")), directives, ahead, said)


class OpenSession:
    """One session that goes on. `flip` says what became of it, `warning` what will, None where nothing did."""

    def __init__(self, guard: SessionGuard, session: Session) -> None:
        self._guard = guard
        self.id, self.answer = session.id, session.answer
        self.flip: Flip | None = None
        self.warning: Flip | None = None if session.warn is None else Flip.of(session.warn)
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._expires(session.seconds)

    @property
    def permitted(self) -> bool:
        """Whether a request of the session may start now."""
        if not self.answer.permitted or self._over.is_set():
            return False
        return self.flip is None or self.flip.do in (FINISH_SESSION, UNTIL)

    @property
    def over(self) -> bool:
        """Whether what runs must end now."""
        return self._over.is_set()

    async def cut(self) -> Flip | None:
        """Wait until what runs must end; return why."""
        await self._over.wait()
        return self.flip

    async def stream(
        self, chunks: AsyncIterator[T], *, farewell: Callable[[Flip], T] | None = None
    ) -> AsyncIterator[T]:
        """Yield chunks until they end, or must: then `farewell` says the last one, and the rest is not asked for.

        Raises `SessionEndedError` where no request may start.
        """
        self.check()
        over = asyncio.ensure_future(self._over.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(chunks))
                try:
                    await asyncio.wait((following, over), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not following.done() or over.done():
                        following.cancel()
                        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                            await following
                if over.done():
                    if farewell is not None and self.flip is not None:
                        yield farewell(self.flip)
                    return
                try:
                    yield following.result()
                except StopAsyncIteration:
                    return
        finally:
            over.cancel()
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    def check(self) -> None:
        """Raise `SessionEndedError` where no request may start."""
        if not self.permitted:
            why = (self.flip and self.flip.reason) or self.answer.reason or self.answer.failure
            raise SessionEndedError(f"this session may start no request: {why or 'it has ended'}", self.flip)

    async def update(self, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> Answer:
        """Say what is now known, and that the session goes on; return the answer now."""
        found = await self._guard.client.update_session(self.id, evaluation, expires_in=expires_in)
        if found.id:
            self._expires(found.seconds)
        self._stands(found)
        return found.answer

    async def close(self) -> None:
        """End the session."""
        self._forget()
        await self._guard.forget(self)

    # --- what the guard tells it -----------------------------------------------------------------------------

    def _told(self, change: Change) -> None:
        if change.kind == "warn":
            self.warning = None if change.data.get("to") is True else Flip.of(change.data)
        elif change.data.get("to") is True:
            self._clear()
        else:
            self._ends(Flip.of(change.data))

    def _stands(self, session: Session) -> None:
        """Take a session's decision for what it is now."""
        if session.answer.permitted:
            self._clear()
        elif self.flip is None or self.flip.reason == BLIND:
            self._ends(Flip(CUT, reason=session.answer.failure or "denied"))

    def _ends(self, flip: Flip) -> None:
        self.flip, self.warning = flip, None
        if self._timer is not None:
            self._timer.cancel()
        if flip.do == CUT or flip.seconds == 0.0:
            self._over.set()
        elif flip.seconds is not None and flip.do != FINISH_REQUEST:
            self._timer = asyncio.get_running_loop().call_later(flip.seconds, self._over.set)

    def _clear(self) -> None:
        self.flip = None
        self._over.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _expires(self, seconds: float) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        if seconds > 0:
            over = Flip(CUT, reason=EXPIRED)
            self._expiry = asyncio.get_running_loop().call_later(seconds, self._ends, over)

    def _forget(self) -> None:
        for timer in (self._timer, self._expiry):
            if timer is not None:
                timer.cancel()


class SessionGuard:
    """Follows the change stream for the sessions opened with it: one for an application, as `async with`."""

    def __init__(self, client: AsyncClient, *, patience: float = PATIENCE) -> None:
        self.client, self._patience = client, patience
        self._held: dict[str, OpenSession] = {}
        self._early: OrderedDict[str, list[Change]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._blind: asyncio.TimerHandle | None = None
        self._sees = asyncio.Event()
        self.trouble: AbacError | None = None
        """Why nothing will be heard of changes any more, None as long as it may."""

    async def __aenter__(self) -> Self:
        """Begin to follow."""
        self._lost()
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._hears()
        for session in list(self._held.values()):
            await session.close()

    async def open(self, evaluation: Evaluation, *, expires_in: int = EXPIRES_IN) -> OpenSession:
        """Register a session; where it is not `permitted`, its answer says why. Close it when it ends."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._sees.wait(), self._patience)
        if not self._sees.is_set():
            return OpenSession(self, Session(Answer.refused(BLIND, "nothing is heard of changes")))
        session = OpenSession(self, await self.client.open_session(evaluation, expires_in=expires_in))
        if session.id:
            self._held[session.id] = session
            for change in self._early.pop(session.id, ()):
                session._told(change)  # noqa: SLF001  # the two are one part
        return session

    async def forget(self, session: OpenSession) -> None:
        """End a session at the decision point."""
        if self._held.pop(session.id, None) is not None:
            await self.client.close_session(session.id)

    # --- following -------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        try:
            async for change in self.client.heard():
                if change.kind in (LOST, TROUBLE):
                    self._lost()
                    continue
                was_blind = self._hears()
                if was_blind or change.kind == STANDING:
                    await self._look()
                if name := change.data.get("session"):
                    self._about(str(name), change)
        except AbacError as error:
            self.trouble = error
            self._lost()

    def _about(self, name: str, change: Change) -> None:
        session = self._held.get(name)
        if session is not None:
            session._told(change)  # noqa: SLF001  # as above
            return
        self._early.setdefault(name, []).append(change)
        while len(self._early) > EARLY:
            self._early.popitem(last=False)

    async def _look(self) -> None:
        """Ask how sessions stand that nothing was heard of for a while."""
        for session in list(self._held.values()):
            session._stands(await self.client.find_session(session.id))  # noqa: SLF001  # as above

    def _lost(self) -> None:
        self._sees.clear()
        if self._blind is None:
            self._blind = asyncio.get_running_loop().call_later(self._patience, self._cut_all)

    def _hears(self) -> bool:
        """Note that changes are heard of; return whether sessions were cut for want of that."""
        blind, self._blind = self._blind, None
        self._sees.set()
        if blind is None:
            return False
        cut = blind.when() <= asyncio.get_running_loop().time()
        blind.cancel()
        return cut

    def _cut_all(self) -> None:
        for session in self._held.values():
            if session.flip is None:
                session._ends(Flip(CUT, reason=BLIND))  # noqa: SLF001  # as above
