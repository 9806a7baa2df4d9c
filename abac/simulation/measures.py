"""Count people, organisations and requests, exactly or between bounds.

A person counts once, on at least one such request; an organisation when at least one of its people or keys does.
Keys and agents are counted apart from people. Everything is an integer or a ratio of integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.simulation.change import Marks, Weights
from abac.simulation.population import Population, words

NO_ORGANISATION = "none"
"""The organisation of a person who signed up as an individual."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each: natural persons, organisations, requests."""

    people: int
    organisations: int
    requests: int

    def as_json(self) -> dict[str, int]:
        """Return the object that report.json has for a count."""
        return {"people": self.people, "organisations": self.organisations, "requests": self.requests}


@dataclass(frozen=True)
class Groups:
    """Subjects by employer, or by team within it: each row's group, whether it has one, and the groups' names."""

    names: pl.Series
    of: NDArray[np.int64]
    known: Marks

    @classmethod
    def by(cls, names: pl.Series) -> Groups:
        """Group rows by a column of names; `NO_ORGANISATION` is no group."""
        distinct = names.unique().sort()
        places = names.replace_strict(distinct, np.arange(len(distinct)), return_dtype=pl.Int64).to_numpy()
        return cls(distinct, places, (names != NO_ORGANISATION).to_numpy())

    def some(self, marks: Marks) -> Marks:
        """Return, per group, whether somebody of it is marked."""
        return np.bincount(self.of[marks & self.known], minlength=len(self.names)) > 0


def teams(facts: pl.DataFrame, path: str) -> pl.Series:
    """Return a team per row, by an attribute and within the employer; whoever has no value of it has no team."""
    employer, team = words(facts, "subject.organisation").fill_null(NO_ORGANISATION), words(facts, path)
    within = pl.when(employer == NO_ORGANISATION).then(team).otherwise(employer + " / " + team)
    return pl.select(within.fill_null(NO_ORGANISATION)).to_series()


class Units:
    """What a population's rows count as."""

    def __init__(self, population: Population) -> None:
        facts = population.asserted if population.truth is None else population.truth
        kind = words(facts, "subject.kind")
        self.persons: Marks = (kind == "person").fill_null(value=True).to_numpy()
        self.keys: Marks = (kind == "organisation_key").fill_null(value=False).to_numpy()
        self.agents: Marks = (kind == "agent").fill_null(value=False).to_numpy()
        relation = words(facts, "subject.relation").fill_null("customer")
        self.relations = {word: (relation == word).to_numpy() for word in ("customer", "staff", "applicant")}
        self.abroad: Marks = (words(facts, "subject.location") != "US").fill_null(value=False).to_numpy()
        names = words(facts, "subject.organisation").fill_null(NO_ORGANISATION)
        self.employers = Groups.by(names)
        self.names, self.organisation = self.employers.names, self.employers.of
        self.employed: Marks = self.employers.known
        self.place = population.places

    def count(self, marks: Sequence[Marks], weights: Sequence[Weights]) -> Counts:
        """Count what is marked: one array per ask, each with its weights."""
        marked = [(m, w) for m, w in zip(marks, weights, strict=True) if m.any()]
        anyone = self.anyone([m for m, _ in marked])
        return Counts(
            int(np.count_nonzero(anyone & self.persons)),
            int(np.count_nonzero(self.organisations(anyone))),
            sum(requests(m, w) for m, w in marked),
        )

    def anyone(self, marks: Sequence[Marks]) -> Marks:
        """Return the subjects marked for at least one ask."""
        anyone = np.zeros(len(self.persons), np.bool_)
        for mark in marks:
            anyone |= mark
        return anyone

    def organisations(self, anyone: Marks) -> Marks:
        """Return, per organisation, whether at least one of its people or keys is marked."""
        return self.employers.some(anyone & ~self.agents)

    def behind(self, anyone: Marks) -> int:
        """Count the organisations behind the marked subjects, agents included."""
        return len(np.unique(self.organisation[anyone & self.employed]))

    def dark(self, blocked: Marks, had: Marks) -> int:
        """Count the organisations of which all who had access have lost it."""
        return int(np.count_nonzero(self.organisations(had) & ~self.organisations(had & ~blocked)))


def requests(marks: Marks, weights: Weights) -> int:
    """Return the number of requests that the marked subjects make."""
    return int(np.sum(weights, where=marks, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Range:
    """A figure between two bounds; they are equal where the truth is known."""

    low: int
    high: int

    def point(self, share: float) -> int:
        """Return the whole number that lies a share of the way up."""
        return round(self.low + share * (self.high - self.low))

    def figure(self, *, known: bool, share: float | None = None) -> Any:
        """Return it as report.json has it: a number, or bounds with a point a share of the way up."""
        if known:
            return self.low
        return {"low": self.low, "high": self.high, "point": None if share is None else self.point(share)}


def between(low: Counts, high: Counts, *, known: bool, share: float | None = None) -> dict[str, Any]:
    """Return a count of people, organisations and requests that lies between two."""
    first, second = low.as_json(), high.as_json()
    return {name: Range(first[name], second[name]).figure(known=known, share=share) for name in first}


def ratio(part: int, whole: int) -> float | None:
    """Return part / whole, or None where there is no case: never 0 or 1 for want of one."""
    return part / whole if whole else None
