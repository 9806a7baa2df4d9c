"""Try each source of a document, and say what it gives or why it fails: what `abac sources check` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abac.condition.schema import Category
from abac.errors import Diagnostic
from abac.language.sources import SourceDeclaration
from abac.pip.source import NOTHING, Answer, Entity
from abac.service.sources.file import FileSource
from abac.service.sources.http import HttpSource
from abac.service.sources.opening import Opened


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying one source.

    `entity` is what it was asked about, or None where nobody of its category was named: then it was only opened,
    and a service not even that (`asked` is false). `faults` are all those of a file, with their places.
    """

    declaration: SourceDeclaration
    entity: Entity | None
    asked: bool
    answer: Answer
    faults: tuple[Diagnostic, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing failed."""
        return not self.answer.failures and not self.faults


def try_each(opened: Sequence[Opened], ids: Mapping[Category, str], entity_type: str = "") -> tuple[Tried, ...]:
    """Ask every source about the entity of its category, and close them all. Failures are part of the answers."""
    try:
        return tuple(_try(one, ids.get(one.declaration.category), entity_type) for one in opened)
    finally:
        for one in opened:
            one.source.close()


def _try(opened: Opened, entity_id: str | None, entity_type: str) -> Tried:
    declaration, source = opened
    faults = source.faults() if isinstance(source, FileSource) else ()
    if entity_id is not None and opened.claim.covers(entity_type):
        entity = Entity(declaration.category, entity_id, entity_type)
        return Tried(declaration, entity, True, source.look_up(entity), faults)
    if isinstance(source, HttpSource):
        return Tried(declaration, None, False, NOTHING)
    failure = source.entities(limit=1).failure
    return Tried(declaration, None, True, Answer({}, (failure,) if failure else ()), faults)
