"""Seeded draws as whole columns: named random streams, weighted picks, and columns of enums and sets from codes.

Every quantity has its own stream, named by what it is, so that a new quantity changes no other, and a share that
is raised only adds subjects. Streams depend on the seed and the name alone: not on threads, dict order or hashing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.simulation.population.parameters import Parameters

Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]

NONE = -1
"""The code of no value: not an element of the set, no organisation, an absent scalar."""


class Streams:
    """Random generators by name, all from one seed (PCG64; numpy's SeedSequence keeps them apart)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        """Return the stream of that name, at its start."""
        word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, word])))

    def uniforms(self, name: str, size: int) -> Reals:
        """Return `size` numbers from 0 to below 1: the common random numbers of one quantity."""
        return self(name).random(size)

    def pick(self, name: str, weights: npt.ArrayLike, size: int) -> Codes:
        """Return `size` indices, each drawn with probability proportional to its weight."""
        return pick(self.uniforms(name, size), weights)


def pick(uniforms: Reals, weights: npt.ArrayLike) -> Codes:
    """Return for each uniform the index that it falls on, where index i takes its weight's share of 0 to 1.

    >>> pick(np.array([0.1, 0.6, 0.99]), [1, 0, 1]).tolist()
    [0, 2, 2]
    """
    edges = np.cumsum(np.asarray(weights, np.float64))
    found = np.searchsorted(edges, uniforms * edges[-1], side="right")
    codes: Codes = np.minimum(found, int(np.flatnonzero(np.asarray(weights))[-1])).astype(np.int32)
    return codes


class Countries:
    """Country codes as small integers, in the schema's order."""

    def __init__(self, values: tuple[str, ...]) -> None:
        self.values = values
        self._place = {code: i for i, code in enumerate(values)}

    def code(self, country: str) -> int:
        """Return the integer of a country code."""
        return self._place[country]

    def weights(self, given: Mapping[str, float]) -> Reals:
        """Return the weight of every country, 0 for those not given."""
        weights = np.zeros(len(self.values))
        for country, weight in given.items():
            weights[self.code(country)] = weight
        return weights

    def marks(self, given: Iterable[str]) -> Marks:
        """Return for every country whether it is among those given."""
        marks = np.zeros(len(self.values), np.bool_)
        marks[[self.code(country) for country in given]] = True
        return marks


@dataclass(frozen=True)
class Setting:
    """What every draw needs: the numbers, the random streams and the countries."""

    p: Parameters
    streams: Streams
    countries: Countries


def enum_column(name: str, codes: Codes, values: tuple[str, ...]) -> pl.Series:
    """Return a column of the enum `values` by code; `NONE` is null."""
    words = pl.Series(name, [*values, None], dtype=pl.Enum(values))
    return words.gather(np.where(codes == NONE, len(values), codes).astype(np.uint32))


def text_column(name: str, codes: Codes, values: list[str]) -> pl.Series:
    """Return a String column by code; `NONE` is null."""
    words = pl.Series(name, [*values, None], dtype=pl.String)
    return words.gather(np.where(codes == NONE, len(values), codes).astype(np.uint32))


def number_column(name: str, numbers: npt.NDArray[Any], absent: Marks | None = None) -> pl.Series:
    """Return a column of numbers or truth values, null where `absent`."""
    column = pl.Series(name, numbers)
    return column if absent is None else blanked(column, absent)


def blanked(column: pl.Series, absent: Marks) -> pl.Series:
    """Return the column with null wherever `absent`."""
    frame = pl.DataFrame([column, pl.Series("?absent", absent)])
    kept = pl.when(~pl.col("?absent")).then(pl.col(column.name)).alias(column.name)
    return frame.select(kept).to_series()


def set_column(name: str, members: Codes, absent: Marks, values: tuple[str, ...]) -> pl.Series:
    """Return a List(Enum) column from `members` (rows by places, `NONE` for no element), null where `absent`.

    Elements are in the enum's order and stand once. Built from the distinct sets, of which there are few.
    """
    base = len(values) + 1
    places = np.sort(members + 1, axis=1)
    places[:, 1:][places[:, 1:] == places[:, :-1]] = 0
    places = np.sort(places, axis=1)
    keys = np.zeros(len(members), np.int64)
    for place in range(members.shape[1]):
        keys = keys * base + places[:, place]
    seen = np.zeros(base ** members.shape[1], np.bool_)
    seen[keys] = True
    distinct = np.flatnonzero(seen)
    number = np.zeros(len(seen), np.uint32)
    number[distinct] = np.arange(len(distinct), dtype=np.uint32)
    sets = [_unpacked(int(key), base, values) for key in distinct]
    # as text first: Polars takes a list's elements one by one where they are of an enum
    column = pl.Series(name, [*sets, None], dtype=pl.List(pl.String)).cast(pl.List(pl.Enum(values)))
    return column.gather(np.where(absent, np.uint32(len(distinct)), number[keys]))


def _unpacked(key: int, base: int, values: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    while key:
        key, place = divmod(key, base)
        if place:
            found.append(values[place - 1])
    return found[::-1]
