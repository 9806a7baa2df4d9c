"""Scenarios and populations by name, from a folder that the operator configured; never by a path from outside.

`FOLDER/NAME/scenario.yaml` and `FOLDER/scenarios/NAME/scenario.yaml` are scenarios, `FOLDER/populations/NAME.csv`
(or .xlsx, .parquet, .arrow) a population, with how its columns map in `NAME.mapping.yaml` beside it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, TypeVar

from abac.errors import AbacError, did_you_mean
from abac.service.shipped import SCENARIO, shipped

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
ENDINGS = (".csv", ".xlsx", ".parquet", ".arrow")


T = TypeVar("T")


class UnknownNameError(AbacError):
    """No scenario or population of that name."""

    code = "simulation-name"


class PopulationFile(NamedTuple):
    """A file of people, and how its columns map to the schema."""

    file: Path
    mapping: Path


class Named:
    """What simulations may name; without a folder, the shipped scenarios."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def scenarios(self) -> dict[str, Path]:
        """Return the scenarios' documents by name."""
        places = [shipped("policies") / "scenarios"]
        if self._folder is not None:
            places = [self._folder, self._folder / "scenarios"]
        found = {p.parent.name: p for place in places for p in sorted(place.glob(f"*/{SCENARIO}"))}
        return {name: path for name, path in sorted(found.items()) if NAME.match(name)}

    def populations(self) -> dict[str, PopulationFile]:
        """Return the populations by name."""
        if self._folder is None:
            return {}
        files = sorted((self._folder / "populations").glob("*"))
        found = {
            f.stem: PopulationFile(f, f.with_name(f"{f.stem}.mapping.yaml")) for f in files if f.suffix in ENDINGS
        }
        return {name: one for name, one in found.items() if NAME.match(name) and one.mapping.is_file()}

    def scenario(self, name: str) -> Path:
        """Return the document of a scenario. Raises `UnknownNameError`."""
        return _of(self.scenarios(), name, "scenario")

    def population(self, name: str) -> PopulationFile:
        """Return a population. Raises `UnknownNameError`."""
        return _of(self.populations(), name, "population")


def _of(known: dict[str, T], name: str, kind: str) -> T:
    if name not in known:
        hint = did_you_mean(name, known) or (f"there are {', '.join(known)}" if known else "there are none")
        raise UnknownNameError(f"no {kind} `{name[:64]}`; {hint}")
    return known[name]
