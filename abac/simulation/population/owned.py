"""Put on file of a population what is known of its organisations' owners, and loosen it for a stress test.

The synthetic world's stakes are `World.organisations.graph`, with `World.organisations.listed` saying who is
listed; a brought population's are a graph read by `abac.ownership`. What follows from stakes is for that package.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from abac.ownership.completions import loosened
from abac.ownership.graph import Graph, Marks
from abac.ownership.reading import OFAC, Reading
from abac.ownership.standing import Standing, standing
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption, Population
from abac.simulation.population.draws import Streams

HELD, ORGANISATION = "subject.listed_ownership", "subject.organisation"


def uncertain_ownership(
    population: Population,
    graph: Graph,
    listed: Marks,
    *,
    hidden: float = 0.0,
    width: float = 0.0,
    seed: int = 2026,
    by: Reading = OFAC,
) -> Population:
    """Return the population as it is on file where stakes are not all known: a setting of a sweep.

    `graph` and `listed` are `world.organisations.graph` and `world.organisations.listed`. The size of a share
    `hidden` (0 to 1) of the stakes is unknown, and every other is known to within `width` (0 to 1) on either side;
    raising either only makes more organisations undecided (common random numbers by `seed`). On file stays
    `subject.listed_ownership` of organisations that are blocked, or not blocked, in every completion; the rest is
    null, UNKNOWN. What was null before stays null. Truth, use and sessions are the population's own.
    """
    if not (0 <= hidden <= 1 and 0 <= width <= 1):
        raise ValueError(f"hidden {hidden} and width {width} are not both from 0 to 1")
    uniforms = Streams(seed).uniforms("ownership.hidden", len(graph.owner))
    found = standing(loosened(graph, uniforms, hidden=hidden, width=width), listed, by)
    setting = {"hidden": hidden, "width": width, "seed": seed, "reading": by.name}
    return with_standing(population, found, setting)


def with_standing(population: Population, found: Standing, setting: dict[str, Any]) -> Population:
    """Return the population with `subject.listed_ownership` on file as `found` decides it; `setting` names how.

    Subjects of an organisation that the graph does not name keep what is on file.
    """
    share = pl.Series("share", found.nearest).fill_nan(None)
    names = pl.DataFrame({"name": list(found.graph.names), "share": share, "told": True})
    asked = population.asserted.select(pl.col(ORGANISATION).alias("name"))
    joined = asked.join(names, on="name", how="left", maintain_order="left")
    before = population.asserted[HELD]
    column = (
        joined.with_columns(before.alias("before"))
        .select(
            pl.when(pl.col("told").is_null() | pl.col("before").is_null())
            .then("before")
            .otherwise("share")
            .alias(HELD)
        )
        .to_series()
    )
    assumptions = (
        Assumption(f"ownership.{name}", value, "chosen for this run", "assumption")
        for name, value in setting.items()
    )
    return replace(
        population,
        asserted=population.asserted.with_columns(column),
        assumptions=(*population.assumptions, *assumptions),
        digest=digest_of(population.digest, setting),
    )


def answers(population: Population, found: Standing) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Return the code of `Answer` of every subject's organisation; -1 where the graph does not name it."""
    place = found.graph.place
    names = population.asserted[ORGANISATION].to_list()
    codes = [int(found.answer[place[n]]) if n in place else -1 for n in names]
    return np.array(codes, np.int8)
