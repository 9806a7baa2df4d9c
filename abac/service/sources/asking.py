"""Ask all sources that give something of a request's entities, and resolve the request from their answers.

Whom to believe is `abac.pip.resolve`'s part; deciding and recording come after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from abac.condition.schema import Assurance, Category, Schema
from abac.errors import RequestError
from abac.pip.ownership import Claim, Ownership
from abac.pip.resolve import Resolution, Resolver, entities
from abac.pip.source import (
    Answer,
    AttributeSource,
    Entity,
    EntitySource,
    Failure,
    FailureCount,
    FailureKind,
    Uncounted,
    failed,
)
from abac.policy.request import Request

Types = Mapping[Category, str]
"""The AuthZEN types of a request's entities."""


class Sources:
    """Every source of attributes of one service. Share it between threads and event loops; close it when done."""

    def __init__(
        self,
        schema: Schema,
        sources: Iterable[tuple[Claim, AttributeSource]] = (),
        *,
        now: Callable[[], datetime],
        failures: FailureCount | None = None,
        lists: Iterable[tuple[Claim, EntitySource]] = (),
    ) -> None:
        """`now` is the service's clock; `failures` counts for the metrics, by source and kind.

        `lists` are the sources that a search goes over. Raises `OwnershipError` where claims cannot stand.
        """
        given = tuple(sources)
        self.by_name = {claim.source: source for claim, source in given}
        self._resolver = Resolver(schema, Ownership(claim for claim, _ in given))
        self._lists = tuple(lists)
        self._now = now
        self._count: FailureCount = Uncounted() if failures is None else failures

    # --- requests ----------------------------------------------------------------------------------------------

    def resolve(
        self,
        request: Request,
        *,
        types: Types | None = None,
        ceiling: Assurance | None = Assurance.DECLARED,
        what_if: bool = False,
    ) -> Resolution:
        """Return what to decide on, asking one source after the other.

        `ceiling` is the most assurance that what the caller sends can have; None says that the request was lowered
        already, and its time stamped. Raises `RequestError` for what is no request; a source that fails makes what
        it gives unknown.
        """
        said = {
            entity: {claim.source: self._look_up(claim.source, entity) for claim in claims}
            for entity, claims in self._asked(request, types)
        }
        return self._resolved(request, said, ceiling, what_if)

    async def resolve_soon(
        self,
        request: Request,
        *,
        types: Types | None = None,
        ceiling: Assurance | None = Assurance.DECLARED,
        what_if: bool = False,
    ) -> Resolution:
        """Return the same, asking all sources at once and holding up no event loop."""
        said = await self._said(self._asked(request, types))
        return self._resolved(request, said, ceiling, what_if)

    async def resolve_all(
        self, requests: Sequence[Request], *, what_ifs: Sequence[bool], types: Types | None = None
    ) -> list[Resolution | RequestError]:
        """Return the resolutions of a batch of requests that were lowered and stamped already, in order.

        Each source is asked about each entity once. A request that is none has its error in its place.
        """
        found: list[Resolution | RequestError] = []
        asked: dict[int, list[tuple[Entity, tuple[Claim, ...]]]] = {}
        faults: dict[int, RequestError] = {}
        for n, request in enumerate(requests):
            try:
                asked[n] = self._asked(request, types)
            except RequestError as error:
                faults[n] = error
        every = {entity: claims for pairs in asked.values() for entity, claims in pairs}
        said = await self._said(list(every.items()))
        for n, (request, what_if) in enumerate(zip(requests, what_ifs, strict=True)):
            try:
                own = {entity: said[entity] for entity, _ in asked.get(n, ())}
                found.append(faults.get(n) or self._resolved(request, own, None, what_if))
            except RequestError as error:
                found.append(error)
        return found

    async def _said(self, asked: Sequence[tuple[Entity, tuple[Claim, ...]]]) -> dict[Entity, dict[str, Answer]]:
        pairs = [(entity, claim.source) for entity, claims in asked for claim in claims]
        answers = await asyncio.gather(*(self._look_up_soon(name, entity) for entity, name in pairs))
        said: dict[Entity, dict[str, Answer]] = {}
        for (entity, name), answer in zip(pairs, answers, strict=True):
            said.setdefault(entity, {})[name] = answer
        return said

    def _asked(self, request: Request, types: Types | None) -> list[tuple[Entity, tuple[Claim, ...]]]:
        if not self.by_name:
            return []
        found = [(entity, self._resolver.asked(entity)) for entity in entities(request, types)]
        return [(entity, claims) for entity, claims in found if claims]

    def _resolved(
        self,
        request: Request,
        said: Mapping[Entity, Mapping[str, Answer]],
        ceiling: Assurance | None,
        what_if: bool,
    ) -> Resolution:
        now = None if ceiling is None else self._now()
        return self._resolver.resolve(request, said, now=now, ceiling=ceiling, what_if=what_if)

    # --- one source --------------------------------------------------------------------------------------------

    def _look_up(self, name: str, entity: Entity) -> Answer:
        try:
            return self._counted(self.by_name[name].look_up(entity))
        except Exception as error:  # noqa: BLE001  # a source is anybody's code: whatever it raises, it did not answer
            return self._counted(_fault(name, error))

    async def _look_up_soon(self, name: str, entity: Entity) -> Answer:
        try:
            return self._counted(await self.by_name[name].look_up_soon(entity))
        except Exception as error:  # noqa: BLE001  # as above
            return self._counted(_fault(name, error))

    def _counted(self, answer: Answer) -> Answer:
        for source, kind in {(f.source, f.kind) for f in answer.failures}:
            self._count.failed(source, kind)
        return answer

    def failed(self, failure: Failure) -> None:
        """Count a failure of a source that was asked by somebody else."""
        self._count.failed(failure.source, failure.kind)

    # --- searches ----------------------------------------------------------------------------------------------

    def lister(self, category: Category, entity_type: str = "") -> tuple[str, EntitySource] | None:
        """Return the source that lists entities of a type, and its name; None where a search finds nothing."""
        covers = ((c.source, s) for c, s in self._lists if c.category is category and c.covers(entity_type))
        return next(covers, None)

    def listed(self, category: Category) -> tuple[str, ...]:
        """Return the types of the entities that are listed; the empty string stands for any."""
        return tuple(claim.type for claim, _ in self._lists if claim.category is category)

    async def described(self, entity: Entity, known: Mapping[str, Answer] | None = None) -> dict[str, Any]:
        """Return all that sources say of an entity, as values of a request by attribute name.

        `known` holds answers that were had already, by source. What sources own and do not say is there as a null,
        so that nobody's word stands in for theirs.
        """
        answers = dict(known or {})
        names = [c.source for c in self._resolver.asked(entity) if c.source not in answers]
        found = await asyncio.gather(*(self._look_up_soon(name, entity) for name in names))
        said = self._resolver.given(entity, answers | dict(zip(names, found, strict=True)), [], [])
        prefix = f"{entity.category.value}."
        owned = {p.removeprefix(prefix) for p in self._resolver.ownership.owned if p.startswith(prefix)}
        return {name: said.get(name, {"value": None}) for name in owned | said.keys()}

    def close(self) -> None:
        """Close every source."""
        for source in self.by_name.values():
            source.close()


def _fault(name: str, error: Exception) -> Answer:
    return failed(name, FailureKind.FAULT, f"the source itself failed: {error!r}")
