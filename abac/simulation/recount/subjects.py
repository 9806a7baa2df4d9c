"""A population read row by row: each subject with what is on file, what is true, and what it asks for.

By the layout that `simulation.population` documents; plain Python, and nothing in common with the columnar engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Schema
from abac.simulation.population import ID, Population
from abac.simulation.posture import completes

Facts = Mapping[str, Assertion]
Ask = tuple[str, str]
"""A model's id and an action."""

NOBODY_EMPLOYS = "none"
"""The organisation of a person who signed up as an individual."""


@dataclass(eq=False)
class Subject:
    """One subject: what is on file, what is true, what is asked for, what is open at the cut."""

    id: str
    asserted: Facts
    true: Facts
    use: dict[Ask, int]
    sessions: dict[str, int]
    completes: bool = False

    @cached_property
    def kind(self) -> str:
        """`person`, `organisation_key` or `agent`."""
        return str(self.true["subject.kind"].value) if "subject.kind" in self.true else "person"

    @cached_property
    def relation(self) -> str:
        """What the subject is to the provider."""
        return str(self.true["subject.relation"].value) if "subject.relation" in self.true else "customer"

    @cached_property
    def organisation(self) -> str | None:
        """The employer, or the organisation behind a key; None of a person without one."""
        found = self.true.get("subject.organisation")
        return None if found is None or found.value == NOBODY_EMPLOYS else str(found.value)

    @property
    def is_person(self) -> bool:
        """Whether this is a natural person."""
        return self.kind == "person"

    @property
    def is_abroad(self) -> bool:
        """Whether the subject is known to be outside the US."""
        return "subject.location" in self.true and self.true["subject.location"].value != "US"


def subjects(population: Population, completion: float = 0.0) -> list[Subject]:
    """Return the population's subjects; a brought one has what is on file in the place of the truth."""
    schema = population.schema
    on_file = list(rows(population.asserted, schema, population.assurance, population.complete))
    if population.truth is None:
        true = on_file
    else:
        sure = dict.fromkeys(schema.attributes, Assurance.VERIFIED)
        true = list(rows(population.truth, schema, sure, dict.fromkeys(schema.attributes, True)))
    evidence = completes(population.seed or 0, population.drawn_of, completion)[population.places].tolist()
    use = population.use.to_dicts()
    sessions = population.sessions.to_dicts()
    found = []
    for i, facts in enumerate(on_file):
        asked = {(k.rsplit("|", 1)[0], k.rsplit("|", 1)[1]): n for k, n in use[i].items() if n}
        opened = {model: n for model, n in sessions[i].items() if n} if sessions else {}
        name = str(facts[ID].value)
        found.append(Subject(name, facts, true[i], asked, opened, evidence[i]))
    return found


def rows(
    frame: pl.DataFrame, schema: Schema, assurance: Mapping[str, Assurance], complete: Mapping[str, bool]
) -> Iterator[dict[str, Assertion]]:
    """Yield what each row of a subject frame asserts, by the layout that `population` documents."""
    paths = [c for c in frame.columns if "@" not in c]
    for row in frame.iter_rows(named=True):
        found: dict[str, Assertion] = {}
        for path in paths:
            value = row[path]
            if value is None:
                continue
            level = row.get(f"{path}@assurance")
            held = assurance.get(path, schema[path].assurance) if level is None else Assurance(level)
            if schema[path].is_set:
                whole = row.get(f"{path}@complete")
                whole = complete.get(path, schema[path].complete) if whole is None else whole
                own = row.get(f"{path}@elements") or ()
                marked = tuple((e, Assurance(a)) for e, a in zip(value, own, strict=False) if a is not None)
                found[path] = Assertion(frozenset(value), held, whole, marked)
            else:
                found[path] = Assertion(value, held)
        yield found
