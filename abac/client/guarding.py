"""Hold work in flight to what the decision point says while it goes on: cut it, or let it finish.

A guard registers sessions, follows the change stream, and tells each session what becomes of it. It fails closed:
what cannot be followed for longer than its patience is cut, as is what was not registered. For asyncio. Guarding a
whole application is `streaming`'s part.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from types import TracebackType
from typing import Self

from abac.client.answer import Answer
from abac.client.asynchronous import AsyncClient
from abac.client.changes import LOST, STANDING, TROUBLE, Change
from abac.client.holding import BLIND, CUT, Flip, OpenSession
from abac.client.sessions import EXPIRES_IN, Session
from abac.client.wire import Evaluation
from abac.errors import AbacError

PATIENCE = 30.0
"""Seconds for which work goes on while nothing is heard of changes."""

EARLY = 10_000
"""Flips kept that came before the session they are about was known here."""


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
                session.tell(change)
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
            session.tell(change)
            return
        self._early.setdefault(name, []).append(change)
        while len(self._early) > EARLY:
            self._early.popitem(last=False)

    async def _look(self) -> None:
        """Ask how sessions stand that nothing was heard of for a while."""
        for session in list(self._held.values()):
            session.stand(await self.client.find_session(session.id))

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
                session.ends(Flip(CUT, reason=BLIND))
