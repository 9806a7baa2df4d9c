"""The sources of attributes as the REST door needs them: entities for searches, and failures for the metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from abac.condition.schema import Category
from abac.pip.resolve import Resolution
from abac.pip.source import Answer, Entity, FailureKind
from abac.rest.authzen.entities import Found
from abac.rest.problems import Problem
from abac.rest.running.logs import log
from abac.rest.running.metering import Meter
from abac.service.sources.asking import Sources
from abac.service.sources.resolving import told

MOST = 1_000
"""Different sentences about failures that are remembered, so as not to be logged at every request."""


class SourceEntities:
    """The entities that sources list, each with all that any source says of it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def types(self, category: Category) -> Iterable[str]:
        """Return the types of which there are entities; none where a source lists entities of any type."""
        types = self._sources.listed(category)
        return () if "" in types else types

    async def find(self, category: Category, kind: str, identity: str) -> Found | None:
        """Return the entity, or None where the source that lists its type does not have it."""
        lister = self._sources.lister(category, kind)
        if lister is None:
            return None
        name, entity = lister[0], Entity(category, identity, kind)
        answer = await self._sources.by_name[name].look_up_soon(entity)
        return await self._found(entity, {name: answer}) if answer.known else None

    async def page(self, category: Category, kind: str, after: str, count: int) -> Sequence[Found]:
        """Return a page; raises a 503 `Problem` where the source fails, for half a list looks like a whole one."""
        lister = self._sources.lister(category, kind)
        if lister is None:
            return ()
        name, source = lister
        page = await source.entities_soon(kind, after=after, limit=count)
        if page.failure is not None:
            self._sources.failed(page.failure)
            raise Problem(503, "source", f"the source `{name}` cannot list {category.value}s now; try again")
        return await asyncio.gather(*(self._found(entity, {name: answer}) for entity, answer in page.entities))

    async def _found(self, entity: Entity, known: dict[str, Answer]) -> Found:
        return Found(entity.id, await self._sources.described(entity, known))


class Counting:
    """Counts in the metrics what came of attributes, and logs what a look at a count does not explain."""

    EVERY = 60.0
    """Seconds after which the same is logged again."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._logged: dict[str, float] = {}

    def failed(self, source: str, kind: FailureKind) -> None:
        """Count one failure of a source."""
        self._meter.source_failed(source, kind.value)

    def noted(self, resolution: Resolution) -> None:
        """Count the attributes on which sources disagree, and log failures: no value is in them."""
        for path in resolution.disputed:
            self._meter.source_disputed(path)
        said, now = told(resolution), time.monotonic()
        if now - self._logged.get(said, -self.EVERY) >= self.EVERY:
            if len(self._logged) >= MOST:
                self._logged.clear()
            self._logged[said] = now
            log().warning("sources", told=said)
