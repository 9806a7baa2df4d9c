"""Put a request together: the caller's word as far as it counts, the sources' as far as they agree, and the time.

1. Each attribute has one owner. What a caller sends of an attribute that a source owns is ignored, also when that
   source fails, and whatever type the caller gives its entities: else knocking a source out, or naming a type that
   it does not hold, would turn DENY into PERMIT.
2. What a caller sends of any other attribute is lowered to its ceiling of assurance.
3. A failed source makes all that it gives unknown. So with any sources failing, a request says less than with all
   of them up and nothing else, and by omission safety it is never permitted what it was not.
4. Sources that disagree, being founded equally well, make the attribute unknown.
5. `environment.now` is the service's. In a marked what-if a caller may say another time; what is decided on it
   permits nothing, which is left to whoever decides.

Nothing here does I/O or reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.pip.agreement import agreed
from abac.pip.ceiling import lowered
from abac.pip.ownership import NOW, Claim, Ownership
from abac.pip.source import Answer, Entity, Failure
from abac.policy.request import Request, reader

SERVICE = "service"
"""The source of `environment.now`."""


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """A request to decide on, and what came of its attributes; a struct, since one is made for every decision.

    `failures` are those of the sources; `disputed` the attributes on which sources disagree, `ignored` those that
    the caller sent and may not, both in alphabetical order. What is decided on a `what_if` permits nothing.
    """

    request: Request
    failures: tuple[Failure, ...] = ()
    disputed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    what_if: bool = False


def entities(request: Request, types: Mapping[Category, str] | None = None) -> tuple[Entity, ...]:
    """Return the entities of a request that sources can be asked for: those whose id is a string.

    Without `types` an entity is of the type that its attribute `kind`, or else `type`, says.
    """
    found: list[Entity] = []
    for category, given in request.categories():
        if category is Category.ENVIRONMENT:
            continue
        read = reader(given, category)
        identity = _text(read("name" if category is Category.ACTION else "id"))
        if identity is not None:
            known = _text(read("kind")) or _text(read("type")) or "" if types is None else types.get(category, "")
            found.append(Entity(category, identity, known))
    return tuple(found)


def _text(value: Any) -> str | None:
    plain = value.get("value") if isinstance(value, Mapping) else value
    return plain if isinstance(plain, str) else None


class Resolver:
    """Resolves requests under one schema and one ownership. Share it between threads."""

    def __init__(self, schema: Schema, ownership: Ownership | None = None) -> None:
        self.schema, self.ownership = schema, ownership or Ownership()
        self._stamped = NOW in schema
        free = [d for d in schema if d.path not in self.ownership.owned]
        self._sendable = [{d.name: d for d in free if d.category is c and d.path != NOW} for c in Category]
        self._what_if = [{d.name: d for d in free if d.category is c} for c in Category]

    def asked(self, entity: Entity) -> tuple[Claim, ...]:
        """Return the claims whose sources are to be asked about an entity."""
        return tuple(c for c in self.ownership.claims if c.category is entity.category and c.covers(entity.type))

    def resolve(
        self,
        request: Request,
        said: Mapping[Entity, Mapping[str, Answer]],
        *,
        now: datetime | None,
        ceiling: Assurance | None = Assurance.DECLARED,
        what_if: bool = False,
    ) -> Resolution:
        """Return what to decide on, of a caller's request and of what each source said by entity and name.

        Whoever read the request may have lowered it and stamped the time already, and says so by a `ceiling` or a
        `now` of None: then its values, or its `environment.now`, are taken as they are. A source that was to be
        asked and is not in `said` counts as failed. Raises `RequestError` for what is no request at all; values
        are checked where they are decided on.
        """
        ignored: list[str] = []
        parts: dict[str, Any] = {}
        sendable = self._what_if if what_if or now is None else self._sendable
        bare_is_low = ceiling is None or not request.source.schema_defaults
        for (category, given), word, may in zip(request.categories(), _WORDS, sendable, strict=True):
            as_sent = bare_is_low and _untouched(given, may)
            parts[word] = given if as_sent else self._sent(category, given, may, request, ceiling, ignored)
        failures: list[Failure] = []
        disputed: list[str] = []
        for entity, answers in said.items():
            word = entity.category.value
            parts[word] = {**parts[word], **self.given(entity, answers, failures, disputed)}
        if self._stamped and now is not None and not (what_if and "now" in parts["environment"]):
            stamped = {"value": now, "assurance": Assurance.VERIFIED, "source": SERVICE}
            parts["environment"] = {**parts["environment"], "now": stamped}
        action = parts["action"]
        if len(action) == 1 and action.get("name").__class__ is str:
            parts["action"] = action["name"]  # as most requests have it, and deciding likes it best
        resolved = Request(**parts, source=request.source)
        return Resolution(resolved, tuple(failures), tuple(sorted(disputed)), tuple(sorted(ignored)), what_if)

    def _sent(
        self,
        category: Category,
        given: Any,
        sendable: Mapping[str, AttributeDefinition],
        request: Request,
        ceiling: Assurance | None,
        ignored: list[str],
    ) -> dict[str, Any]:
        """Return the caller's part: less what it may not say, and lowered."""
        read = reader(given, category)
        kept: dict[str, Any] = {}
        for name in given if isinstance(given, Mapping) else self.schema.names(category):
            value, definition = read(name), sendable.get(name)
            if definition is None and (path := f"{category.value}.{name}") in self.schema:
                ignored += [path] if value is not None else []
            elif definition is None:
                kept[name] = value  # the door refuses it, and says what was perhaps meant
            elif value is not None:
                kept[name] = value if ceiling is None else lowered(value, definition, request.source, ceiling)
        return kept

    def given(
        self, entity: Entity, answers: Mapping[str, Answer], failures: list[Failure], disputed: list[str]
    ) -> dict[str, Any]:
        """Return the sources' part by attribute name: what those that give an attribute all stand by.

        Notes what failed, and what is disputed.
        """
        claims = self.asked(entity)
        for claim in claims:
            failures += answers[claim.source].failures if claim.source in answers else ()
        found: dict[str, Any] = {}
        for path in sorted({path for claim in claims for path in claim.gives}):
            asked = [answers.get(claim.source) for claim in claims if path in claim.gives]
            if any(answer is None or answer.failed(path) for answer in asked):
                continue
            said = [answer.held[path] for answer in asked if answer is not None and path in answer.held]
            stands = agreed(said)
            if stands is not None:
                found[path.partition(".")[2]] = annotated(stands)
            elif said:
                disputed.append(path)
        return found


_WORDS = tuple(category.value for category in Category)
_PLAIN = frozenset({str, int, float, bool})
_PLAIN_OR_LIST = _PLAIN | {list}


def _untouched(given: Any, sendable: Mapping[str, AttributeDefinition]) -> bool:
    """Whether all that is given may be sent, and is bare, so that it is inferred whatever the ceiling."""
    if given.__class__ is not dict or not given.keys() <= sendable.keys():
        return False
    values = given.values()
    if _PLAIN.issuperset(map(type, values)):
        return True
    if not _PLAIN_OR_LIST.issuperset(map(type, values)):
        return False
    return all(_PLAIN.issuperset(map(type, v)) for v in values if v.__class__ is list)


def annotated(assertion: Assertion) -> dict[str, Any]:
    """Return an assertion as the value of a request."""
    made: dict[str, Any] = {"value": assertion.value, "assurance": assertion.assurance, "source": assertion.source}
    if isinstance(assertion.value, frozenset):
        own = dict(assertion.elements)
        made["complete"] = assertion.complete
        if own:
            made["value"] = [{"value": e, "assurance": own[e]} if e in own else e for e in assertion.value]
    if assertion.as_of is not None:
        made["as_of"] = assertion.as_of
    return made
