"""Dual nationality under stress: from which share each subject has a second citizenship, and what is true then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from abac.simulation.population.draws import NONE, Countries, Marks, Reals, Setting, Streams
from abac.simulation.population.nationality import draw_nationality
from abac.simulation.population.synthetic import World
from abac.simulation.population.truth import enum_values, nationality_columns

OfPerson = Callable[..., np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Duals:
    """The nationality of every row without a second citizenship, and with one wherever it could have one.

    `from_share` gives per kind (natives, naturalised) the share above which a row is a dual national.
    """

    single: list[pl.Series]
    dual: list[pl.Series]
    from_share: dict[str, Reals]


def duals(world: World, rows: np.ndarray[Any, Any], of_person: OfPerson) -> Duals:
    """Return the dual nationals of a world's rows; `of_person` spreads a value per person over the rows."""
    people, streams = world.subjects, Streams(world.seed)
    countries = Countries(enum_values(world.schema, "subject.location"))
    persons = int(np.count_nonzero(np.asarray(people.kind) == 0))
    location, staff = people.location[:persons], people.relation[:persons] == 1
    person = np.asarray(people.person)
    of = np.where(person == NONE, 0, person)

    def drawn(native: float, retained: float) -> list[pl.Series]:
        varied = world.parameters.varied(dual__native=native, dual__retained=retained)
        nation = draw_nationality(Setting(varied, streams, countries), location, staff).take(of)
        columns = nationality_columns(world.schema, replace(people, nationality=nation))
        return [column[rows] for column in columns]

    single = drawn(0.0, 0.0)
    dual, from_share = single, {}
    for name, stream, shares in (("dual.native", "dual", (1.0, 0.0)), ("dual.retained", "retained", (0.0, 1.0))):
        with_it = drawn(*shares)
        differs = _differ(single, with_it)
        chance = of_person(streams.uniforms(f"nationality.{stream}", persons), missing=1.0)
        from_share[name] = np.where(differs, chance, np.inf)
        dual = [_where(differs, new, old) for new, old in zip(with_it, dual, strict=True)]
    return Duals(single, dual, from_share)


def _differ(one: list[pl.Series], other: list[pl.Series]) -> Marks:
    marks = [a.ne_missing(b).to_numpy() for a, b in zip(one, other, strict=True)]
    found: Marks = np.logical_or.reduce(marks)
    return found


def _where(marks: Marks, new: pl.Series, old: pl.Series) -> pl.Series:
    frame = pl.DataFrame([pl.Series("?", marks), new.alias("new"), old.alias("old")])
    return frame.select(pl.when("?").then("new").otherwise("old").alias(old.name)).to_series()
