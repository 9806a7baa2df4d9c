"""What is held true of a brought population: what is on file with at least the assurance that it states.

Of a set whose elements are founded differently the elements below it are not held true, and the set is then not
known to be whole: nothing is held true that might not be, so that bounds stay bounds.
"""

from __future__ import annotations

import polars as pl

from abac.condition.schema import Assurance
from abac.simulation.population import Population


def held_true(population: Population) -> pl.DataFrame:
    """Return what is on file with at least the assurance held true, else null; and which sets are whole."""
    facts, columns = population.asserted, dict[str, pl.Series]()
    for column in facts:
        path, _, mark = column.name.partition("@")
        if mark == "complete":
            columns.setdefault(column.name, column)
        if mark:
            continue
        level = population.assurance.get(path, population.schema[path].assurance)
        levels = facts.get_column(
            f"{path}@assurance", default=pl.Series([int(level)]).new_from_index(0, len(facts))
        )
        known = levels >= population.held_true
        values = facts.select(pl.when(known).then(pl.col(path))).to_series().alias(path)
        columns[path] = values
        elements = facts.get_column(f"{path}@elements", default=None)
        if elements is not None and (elements.list.min() < population.held_true).any():
            columns[path], columns[f"{path}@complete"] = _of_elements(population, path, values, elements)
    return pl.DataFrame(list(columns.values()))


def _of_elements(
    population: Population, path: str, values: pl.Series, elements: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Return a column of sets without the elements that are not held true, and which sets are still whole."""
    least: Assurance = population.held_true
    whole = population.complete.get(path, population.schema[path].complete)
    stated = population.asserted.get_column(
        f"{path}@complete", default=pl.Series([whole]).new_from_index(0, len(values))
    )
    kept, complete = values.to_list(), stated.to_list()
    for row in (elements.list.min() < least).arg_true():
        if kept[row] is not None:
            pairs = zip(kept[row], elements[row], strict=True)
            kept[row], complete[row] = [e for e, own in pairs if own is None or own >= least], False
    return pl.Series(path, kept, values.dtype), pl.Series(f"{path}@complete", complete, pl.Boolean)
