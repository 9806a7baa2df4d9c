"""One session that goes on: what became of it, what will, and a stream that ends when it must.

Who tells it is `guarding`'s part. Times are differences of the decision point's own, so that clocks need not
agree. For asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from abac.client.answer import Answer
from abac.client.asynchronous import AsyncClient
from abac.client.changes import Change
from abac.client.sessions import EXPIRES_IN, Session, apart
from abac.client.wire import Evaluation
from abac.errors import AbacError

T = TypeVar("T")

CUT, FINISH_REQUEST, FINISH_SESSION, UNTIL = "cut", "finish_request", "finish_session", "until"
BLIND, EXPIRED = "blind", "expired"


class Guards(Protocol):
    """Who holds sessions: they are changed and ended through it."""

    client: AsyncClient

    async def forget(self, session: OpenSession) -> None:
        """End a session at the decision point."""


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

    def __init__(self, guard: Guards, session: Session) -> None:
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
        self.stand(found)
        return found.answer

    async def close(self) -> None:
        """End the session."""
        self._forget()
        await self._guard.forget(self)

    # --- what the guard tells it -----------------------------------------------------------------------------

    def tell(self, change: Change) -> None:
        """Take in what was told of it."""
        if change.kind == "warn":
            self.warning = None if change.data.get("to") is True else Flip.of(change.data)
        elif change.data.get("to") is True:
            self._clear()
        else:
            self.ends(Flip.of(change.data))

    def stand(self, session: Session) -> None:
        """Take a session's decision for what it is now."""
        if session.answer.permitted:
            self._clear()
        elif self.flip is None or self.flip.reason == BLIND:
            self.ends(Flip(CUT, reason=session.answer.failure or "denied"))

    def ends(self, flip: Flip) -> None:
        """Let it end as a flip says."""
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
            self._expiry = asyncio.get_running_loop().call_later(seconds, self.ends, over)

    def _forget(self) -> None:
        for timer in (self._timer, self._expiry):
            if timer is not None:
                timer.cancel()
