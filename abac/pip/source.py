"""The ports of a policy information point: what is asked of a source, and what it may answer.

A failure is a value here, never an exception and never a default: what a failed source would have said is unknown.
Whom to believe is `resolve`'s part; reading tables, files and services is `abac.service.sources`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from abac.condition.reference import Assertion
from abac.condition.schema import Category


class FailureKind(Enum):
    """Why a source did not answer, or not all of it; the values are labels of the metric of failures."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    MALFORMED = "malformed"
    WRONG_VALUE = "wrong-value"
    CIRCUIT_OPEN = "circuit-open"
    MISCONFIGURED = "misconfigured"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a source. `attribute` is the one it is about; empty, it is about all that the source says.

    `place` is where the fault stands (`people.yaml:3:9`, `people.parquet, row 7`), as far as there is one.
    """

    source: str
    kind: FailureKind
    message: str
    attribute: str = ""
    place: str = ""

    def __str__(self) -> str:
        about = f" of `{self.attribute}`" if self.attribute else ""
        where = f"{self.place}: " if self.place else ""
        return f"source `{self.source}`{about}: {where}{self.message} [{self.kind.value}]"


@dataclass(frozen=True, slots=True)
class Entity:
    """Whom or what an attribute is of. `type` is AuthZEN's, empty where the asker has none.

    The id of an action is its name.
    """

    category: Category
    id: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says of one entity: assertions by full attribute name, and what it failed to say.

    An attribute in neither is one of which the source has nothing: unknown, and no failure. So is every attribute
    of an entity that it does not have, of which `known` is false.
    """

    held: Mapping[str, Assertion] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    known: bool = True

    def failed(self, path: str) -> bool:
        """Whether what the source would have said of an attribute is not to be had."""
        return any(f.attribute in ("", path) for f in self.failures)


NOTHING = Answer(known=False)
"""The source does not have that entity."""


def failed(source: str, kind: FailureKind, message: str, place: str = "") -> Answer:
    """Return the answer of a source that has none."""
    return Answer({}, (Failure(source, kind, message, place=place),))


class AttributeSource(Protocol):
    """Says what it holds of one entity. Share one between threads and event loops."""

    @property
    def name(self) -> str:
        """The source's name, as its assertions, its failures and the log give it."""

    def look_up(self, entity: Entity) -> Answer:
        """Return what is held of the entity; blocks until there is an answer, or a failure."""

    async def look_up_soon(self, entity: Entity) -> Answer:
        """Return the same, without holding up the event loop."""

    def close(self) -> None:
        """Let go of connections and threads."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some entities of one category in a stable order, each with what this source says of it.

    `after` is what to ask the next page with, or None where this is the last. A failure makes the whole page one:
    a search over half a directory would look like a whole answer.
    """

    entities: tuple[tuple[Entity, Answer], ...] = ()
    after: str | None = None
    failure: Failure | None = None


class EntitySource(Protocol):
    """Lists the subjects, resources or actions that a search goes over (AuthZEN 1.0, section 8).

    The order is that of ids, and a page starts after an id, so entities that come and go between two pages make no
    other be missed or come twice.
    """

    def entities(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return up to `limit` entities whose ids come after `after`, of that AuthZEN type; blocks."""

    async def entities_soon(self, entity_type: str = "", *, after: str = "", limit: int = 100) -> Page:
        """Return the same, without holding up the event loop."""


class FailureCount(Protocol):
    """Counts failures for the metrics, by source and kind."""

    def failed(self, source: str, kind: FailureKind) -> None:
        """Count one failure."""


class Uncounted:
    """Counts nothing."""

    def failed(self, source: str, kind: FailureKind) -> None:
        """Count nothing."""
