"""The searches (AuthZEN 1.0, section 8): which subjects, resources or actions a decision would permit.

Every entity of the source is put to the compiled program in turn, in the order of ids, until the page is full.
A table answers for all its rows at once, by `listing`. What is found was not asked for by anybody, so nothing
of it is recorded as a decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.errors import RequestError
from abac.pip.source import FailureKind
from abac.policy.request import Request
from abac.rest.authzen.asking import Asker, refused
from abac.rest.authzen.entities import NOBODY, SOURCE, Entities, Only, actions, vouched
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.paging import Pages, Place
from abac.rest.authzen.reading import Search, read_search
from abac.rest.authzen.wire import Action, ActionSearch, Entity, Kind, Page, ResourceSearch, SubjectSearch
from abac.rest.callers import about
from abac.rest.callers.keys import Caller, Role
from abac.rest.receiving import Incoming, body, check_json
from abac.service.ceiling import CALLER
from abac.service.deciding import Question

SCANNED = 10_000
"""Entities looked at for one page; a page may end before it is full, with a token for the rest."""

STEP = 200
"""So many entities are fetched, and looked at, before others get their turn."""


@runtime_checkable
class Listed(Protocol):
    """An entity source that says itself which resources are permitted, because it can ask for all at once."""

    async def permitted(
        self, program: Program, request: Request, kind: str, discharges: frozenset[str], after: str, count: int
    ) -> Sequence[str] | None:
        """Return at most `count` ids in order, those up to `after` left out; None where it cannot say."""


class _Hits(NamedTuple):
    ids: list[str]
    last: str
    more: bool


class Searching:
    """Answers searches, with the parts that evaluations use."""

    def __init__(self, evaluating: Evaluating, entities: Entities = NOBODY, pages: Pages | None = None) -> None:
        self._evaluating, self._entities, self._pages = evaluating, entities, pages or Pages()

    async def subject(self, incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        """Return who may do this (section 8.4). Raises `Problem`."""
        caller, asked = await self._received(incoming, held, SubjectSearch)
        program, asker = self._evaluating.asker(caller.ceiling)
        asker.may_ask(caller.about, asked.resource)
        resource = asker.resource(asked.resource, [])
        base = self._request(asker, {}, asked.action, resource, asked.context)
        kind = asked.subject.type
        if not await self._known(Category.RESOURCE, asked.resource):
            return self._answer([], "", asked.page)
        place = self._place(asked.page, asked)
        question = await self._resolved(self._question(asker, base, caller, held))
        hits = await self._scan(
            question,
            Category.SUBJECT,
            Entity(kind, "", asked.subject.properties),
            asker,
            program,
            place,
            self._entities,
        )
        return self._page(hits, place, asked, [{"type": kind, "id": i} for i in hits.ids])

    async def resource(self, incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        """Return with what this subject may do this (section 8.5). Raises `Problem`."""
        caller, asked = await self._received(incoming, held, ResourceSearch)
        program, asker = self._evaluating.asker(caller.ceiling)
        base = self._request(asker, asker.subject(asked.subject, []), asked.action, {}, asked.context)
        kind = asked.resource.type
        source = self._about(caller, asked.resource, asker)
        if not await self._known(Category.SUBJECT, asked.subject):
            return self._answer([], "", asked.page)
        place = self._place(asked.page, asked)
        question = await self._resolved(self._question(asker, base, caller, held))
        hits = await self._listed(source, question, kind, place) or await self._scan(
            question,
            Category.RESOURCE,
            Entity(kind, "", asked.resource.properties),
            asker,
            program,
            place,
            source,
        )
        return self._page(hits, place, asked, [{"type": kind, "id": i} for i in hits.ids])

    async def action(self, incoming: Incoming, held: Mapping[bytes, bytes]) -> bytes:
        """Return what this subject may do with this (section 8.6). Raises `Problem`."""
        caller, asked = await self._received(incoming, held, ActionSearch)
        program, asker = self._evaluating.asker(caller.ceiling)
        asker.may_ask(caller.about, asked.resource)
        subject, resource = asker.subject(asked.subject, []), asker.resource(asked.resource, [])
        base = self._request(asker, subject, None, resource, asked.context)
        both = await self._known(Category.SUBJECT, asked.subject) and await self._known(
            Category.RESOURCE, asked.resource
        )
        if not both:
            return self._answer([], "", asked.page)
        place = self._place(asked.page, asked)
        question = await self._resolved(self._question(asker, base, caller, held))
        held_by = question.request
        names = [name for name in actions(program) if name > place.after]
        found = [
            name
            for name in names
            if self._permits(
                question, Request(held_by.subject, name, held_by.resource, held_by.environment, CALLER)
            )
        ]
        ids = found[: place.limit]
        hits = _Hits(ids, ids[-1] if ids else place.after, len(found) > place.limit)
        return self._page(hits, place, asked, [{"name": name} for name in ids])

    # --- what is asked -------------------------------------------------------------------------------------

    async def _received(
        self, incoming: Incoming, held: Mapping[bytes, bytes], kind: type[Search]
    ) -> tuple[Caller, Search]:
        caller = self._evaluating.door.caller(held.get(b"authorization"), Role.DECIDE)
        check_json(held.get(b"content-type"))
        data = await body(incoming, held, self._evaluating.limits)
        started = perf_counter()
        found = read_search(data, kind)
        self._evaluating.meter.lasted(perf_counter() - started)
        return caller, found

    @staticmethod
    def _request(
        asker: Asker, subject: Any, action: Action | None, resource: Any, context: dict[str, Any] | None
    ) -> Request:
        environment = asker.environment(context, [], what_if=False)
        return Request(subject, {} if action is None else asker.action(action, []), resource, environment, CALLER)

    @staticmethod
    def _question(asker: Asker, request: Request, caller: Caller, held: Mapping[bytes, bytes]) -> Question:
        name = held.get(b"x-request-id", b"").decode("latin-1")
        return Question(asker.program, request, caller.discharges, caller.name, name)

    async def _known(self, category: Category, entity: Entity) -> bool:
        """Return whether an entity is one of the source's, where the source has any of its category."""
        types = list(self._entities.types(category))
        return not types or await self._entities.find(category, entity.type, entity.id) is not None

    async def _resolved(self, question: Question) -> Question:
        _check(question)
        return await self._evaluating.deciding.resolve(question)

    def _about(self, caller: Caller, searched: Kind, asker: Asker) -> Entities:
        """Return the source that a caller may search for resources of a type. Raises a 403 `Problem`."""
        if caller.about is None:
            return self._entities
        only = about.ids(caller.about, searched.type)
        asker.may_ask(caller.about, Entity(searched.type, only[0] if only else "", searched.properties))
        return self._entities if only is None else Only(self._entities, only)

    # --- what is found -------------------------------------------------------------------------------------

    async def _scan(
        self,
        question: Question,
        category: Category,
        given: Entity,
        asker: Asker,
        program: Program,
        place: Place,
        source: Entities,
    ) -> _Hits:
        """Decide for one entity after another, until the page is full and it is known whether there is more."""
        own = asker.subject(given, []) if category is Category.SUBJECT else asker.resource(given, [])
        own.pop("id", None)
        request, last, looked = question.request, place.after, 0
        hits: list[str] = []
        while looked < SCANNED:
            page = await source.page(category, given.type, last, STEP)
            for one in page:
                said = own | vouched(one, category, program)
                pair = (said, request.resource) if category is Category.SUBJECT else (request.subject, said)
                if self._permits(question, Request(pair[0], request.action, pair[1], request.environment, CALLER)):
                    if len(hits) >= place.limit:
                        return _Hits(hits, hits[-1] if hits else place.after, more=True)
                    hits.append(one.id)
                last = one.id
            looked += len(page)
            if len(page) < STEP:
                return _Hits(hits, last, more=False)
            await asyncio.sleep(0)
        return _Hits(hits, last, more=True)

    def _permits(self, question: Question, request: Request) -> bool:
        try:
            return question.program.run(request, question.discharges).permitted
        except RequestError:  # what the caller sent was checked, so this is what the source says of an entity
            self._evaluating.meter.source_failed(SOURCE, FailureKind.WRONG_VALUE.value)
            return False

    async def _listed(self, source: Entities, question: Question, kind: str, place: Place) -> _Hits | None:
        if not isinstance(source, Listed):
            return None
        ids = await source.permitted(
            question.program, question.request, kind, question.discharges, place.after, place.limit + 1
        )
        if ids is None:
            return None
        found = list(ids[: place.limit])
        return _Hits(found, found[-1] if found else place.after, len(ids) > place.limit)

    def _place(self, page: Page | None, asked: Any) -> Place:
        return self._pages.place(page or Page(), _entities(asked))

    def _page(self, hits: _Hits, place: Place, asked: Any, results: list[dict[str, str]]) -> bytes:
        token = self._pages.token(place._replace(after=hits.last), _entities(asked)) if hits.more else ""
        return self._answer(results, token, asked.page)

    @staticmethod
    def _answer(results: list[dict[str, str]], token: str, page: Page | None) -> bytes:
        """Return the response: with a page where one was asked for or there is more (section 8.2.2)."""
        if page is None and not token:
            return msgspec.json.encode({"results": results})
        return msgspec.json.encode({"page": {"next_token": token, "count": len(results)}, "results": results})


def _entities(asked: Any) -> dict[str, Any]:
    """Return what of a search must stay the same from page to page: all of it but the page."""
    found = {name: getattr(asked, name) for name in asked.__struct_fields__ if name != "page"}
    return found | {"search": type(asked).__name__}


def _check(question: Question) -> None:
    """Raise a 400 `Problem` for what the caller sent, so that a fault found later is the entity source's."""
    try:
        question.program.run(question.request, question.discharges)
    except RequestError as error:
        raise refused(error) from None
