"""Possible worlds of a brought population: what is on file taken as true, what is not known filled in.

A bound holds over every completion of the unknown; a few are drawn, and every figure counted in one of them must
lie within what the report tells.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.types import Kind, Scalar, SetType
from abac.simulation.population import ID, Population, subject_attributes
from abac.simulation.recount.counting import Difference
from abac.simulation.recount.subjects import Subject

STRUCTURE = ("subject.kind", "subject.relation", "subject.organisation", "subject.location")
"""What says how a subject is counted: taken as it is on file, whatever its assurance."""


def world(subjects: Sequence[Subject], population: Population, seed: int) -> list[Subject]:
    """Return the subjects in a world drawn by a seed, which what is held true on file leaves possible."""
    drawn = random.Random(seed)  # noqa: S311  # a sample, not a secret
    attributes = [d for d in subject_attributes(population.schema) if d.path not in (ID, *STRUCTURE)]
    return [_completed(s, attributes, population.held_true, drawn) for s in subjects]


def held_true(subjects: Sequence[Subject], population: Population) -> list[Subject]:
    """Return the subjects with what is held true of each: what is on file with at least that assurance."""
    found = []
    for s in subjects:
        kept = {path: _held(said, population.held_true) for path, said in s.asserted.items()}
        true = {path: said for path, said in kept.items() if said is not None}
        found.append(Subject(s.id, s.asserted, true, s.use, s.sessions, s.completes))
    return found


def _held(said: Assertion, least: Assurance) -> Assertion | None:
    if said.assurance < least:
        return None
    weak = {e for e, own in said.elements if own < least}
    if not isinstance(said.value, frozenset) or not weak:
        return Assertion(said.value, Assurance.VERIFIED, said.complete)
    return Assertion(said.value - weak, Assurance.VERIFIED, complete=False)


def _completed(
    subject: Subject, attributes: Sequence[AttributeDefinition], held: Assurance, drawn: random.Random
) -> Subject:
    true = {path: subject.asserted[path] for path in (ID, *STRUCTURE) if path in subject.asserted}
    for definition in attributes:
        said = subject.asserted.get(definition.path)
        if said is not None and said.assurance >= held and said.complete and not said.elements:
            true[definition.path] = Assertion(said.value, Assurance.VERIFIED)
            continue
        kept = frozenset[Any]()
        if said is not None and said.assurance >= held and isinstance(said.value, frozenset):
            own = dict(said.elements)
            kept = frozenset(e for e in said.value if own.get(e, said.assurance) >= held)
        value = _value(definition, kept, drawn)
        if value is not None:
            true[definition.path] = Assertion(value, Assurance.VERIFIED)
    return Subject(subject.id, subject.asserted, true, subject.use, subject.sessions, subject.completes)


def _value(definition: AttributeDefinition, kept: frozenset[Any], drawn: random.Random) -> Any:
    kind = definition.type
    if isinstance(kind, SetType):
        more = [
            one for one in (_scalar(kind.element, drawn) for _ in range(drawn.randrange(3))) if one is not None
        ]
        return kept | frozenset(more)
    return _scalar(kind, drawn)


def _scalar(kind: Any, drawn: random.Random) -> Scalar | None:
    match kind.kind:
        case Kind.BOOL:
            return drawn.random() < 0.5  # noqa: PLR2004  # a coin
        case Kind.ENUM | Kind.ORDERED:
            return "US" if "US" in kind.values and drawn.random() < 0.5 else drawn.choice(kind.values)  # noqa: PLR2004
        case _:
            return None


def outside(told: Any, counted: Any, path: str) -> Iterator[Difference | None]:
    """Yield, per figure, None where what was counted in one world lies within what is told, else both.

    Where a figure is told exactly it must be that one; `to` and shares of what may be blocked are left out.
    """
    if isinstance(told, dict) and "low" in told:
        if counted is not None:
            inside = told["low"] <= counted <= told["high"]
            yield None if inside else Difference(path, f"{told['low']} to {told['high']}", counted)
    elif isinstance(counted, dict) and isinstance(told, dict):
        for key in counted:
            if key != "to":
                yield from outside(told.get(key), counted[key], f"{path}.{key}")
    elif told is not None:
        yield None if told == counted else Difference(path, told, counted)
