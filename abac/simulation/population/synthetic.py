"""Draw a synthetic population: what is true of everyone, and what of it the provider has on file.

Everything here is made up from `population.yaml`'s numbers; no row is a person, and what is computed from it
is marked SYNTHETIC. `draw` makes the world once; `World.population` says what is on file at a coverage, so that
a sweep of coverage draws nobody anew: raising it only adds subjects (common random numbers).

Left to others: what the policies make of it (`change`), and populations that someone brings (`brought`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from abac.compiler.program import schema_digest
from abac.condition.schema import Assurance, Schema
from abac.simulation.catalogue import Catalogue
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption, Population, subject_frame
from abac.simulation.population.draws import (
    NONE,
    Codes,
    Countries,
    Marks,
    Reals,
    Setting,
    Streams,
    blanked,
    enum_column,
)
from abac.simulation.population.organisations import Organisations, draw_organisations
from abac.simulation.population.parameters import Parameters
from abac.simulation.population.people import Subjects, draw_subjects, location_weights
from abac.simulation.population.truth import (
    LISTED,
    NATIONALITY,
    enum_values,
    listed_column,
    organisation_column,
    ownership_column,
    true_columns,
)
from abac.simulation.population.use import draw_use

GENERATOR = 1
"""The version of the draws. INVARIANT: raised whenever one seed comes to give another population."""


@dataclass(frozen=True)
class World:
    """A drawn world: true columns, use and sessions, and from which coverage each subject is verified."""

    schema: Schema
    parameters: Parameters
    seed: int
    digest: str
    catalogue: Catalogue
    truth: pl.DataFrame
    use: pl.DataFrame
    sessions: pl.DataFrame
    organisations: Organisations
    subjects: Subjects
    verified_from: Reals = field(repr=False)

    @property
    def attested_from(self) -> Reals:
        """From which share of attesting organisations a subject's facts are on file; infinite without one."""
        on_file = np.where(self.subjects.concealed, NONE, self.subjects.organisation)
        found: Reals = np.append(self.organisations.attesting, [np.inf])[on_file]
        return found

    def population(self, coverage: float | None = None, attesting: float | None = None) -> Population:
        """Return the population with a share of persons verified, and a share of organisations attesting.

        `coverage` is the share (0 to 1) of persons, and of agents with their persons, whose nationality is on
        file, verified and complete. `attesting` is the share of organisations that have put their country on
        file and the nationality of their users, both documented. Defaults are the parameters'. Raises
        `ValueError` for a share outside 0 to 1.
        """
        defaults = self.parameters["nationality.on_file"], self.parameters["organisation_country.on_file"]
        coverage = defaults[0] if coverage is None else coverage
        attesting = defaults[1] if attesting is None else attesting
        for name, share in (("coverage", coverage), ("attesting", attesting)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} {share} is not from 0 to 1")
        asserted = _Asserted(self, coverage, attesting)
        return Population(
            self.schema,
            asserted.frame(),
            self.truth,
            self.use,
            self.sessions,
            {path: level for path, level in ASSURANCE.items() if path in self.schema},
            {d.path: True for d in self.schema if d.is_set},
            (*self.parameters.assumptions, *_on_file(coverage, attesting)),
            synthetic=True,
            seed=self.seed,
            digest=digest_of(self.digest, coverage, attesting),
            catalogue=self.catalogue,
        )


ASSURANCE = {
    "subject.id": Assurance.VERIFIED,
    "subject.kind": Assurance.VERIFIED,
    "subject.relation": Assurance.DOCUMENTED,
    **dict.fromkeys(NATIONALITY, Assurance.VERIFIED),
    "subject.location": Assurance.INFERRED,
    "subject.organisation": Assurance.DOCUMENTED,
    "subject.organisation_country": Assurance.DOCUMENTED,
    LISTED: Assurance.DOCUMENTED,
    "subject.listed_ownership": Assurance.DOCUMENTED,
    "subject.identity_verified": Assurance.VERIFIED,
    "subject.military_intelligence_end_user": Assurance.DOCUMENTED,
    "subject.account_age_days": Assurance.VERIFIED,
    "subject.trust_tier": Assurance.VERIFIED,
}
"""How far each asserted column is to be believed, where its rows do not say otherwise."""


def _on_file(coverage: float, attesting: float) -> tuple[Assumption, ...]:
    source = "chosen for this run"
    return (
        Assumption("coverage", coverage, source, "assumption"),
        Assumption("attesting", attesting, source, "assumption"),
    )


def synthetic(  # what a population depends on, by name
    schema: Schema,
    catalogue: Catalogue,
    parameters: Parameters,
    *,
    subjects: int = 1_000_000,
    seed: int = 2026,
    coverage: float | None = None,
    attesting: float | None = None,
) -> Population:
    """Return a synthetic population of `subjects` subjects; equal arguments give equal populations.

    Coverage and attesting default to the parameters' (none on file). A sweep of them is cheaper by `draw` once
    and `World.population` at each. Raises `ValueError` as these do.
    """
    return draw(schema, catalogue, parameters, subjects=subjects, seed=seed).population(coverage, attesting)


def draw(
    schema: Schema, catalogue: Catalogue, parameters: Parameters, *, subjects: int = 1_000_000, seed: int = 2026
) -> World:
    """Draw the world: organisations, subjects, what is true of them and what they use.

    Raises `ValueError` for less than one subject, a negative seed, or a schema without the attributes drawn.
    """
    missing = [path for path in ASSURANCE if path not in schema and path != LISTED]
    if subjects < 1 or seed < 0 or missing:
        raise ValueError(f"cannot draw {subjects} subjects from seed {seed}; the schema lacks {missing}")
    streams, countries = Streams(seed), Countries(enum_values(schema, "subject.location"))
    setting = Setting(parameters, streams, countries)
    organisations = draw_organisations(setting, location_weights(setting), subjects)
    people = draw_subjects(setting, organisations, subjects)
    entitled = {
        model: _marked(organisations.roles[role], people.organisation) | (people.organisation == 0)
        for model, role in parameters.entitled.items()
    }
    use, sessions = draw_use(setting, catalogue, people.kind, entitled, people.end_user)
    verified = streams.uniforms("coverage", subjects)
    is_key = people.person == NONE
    verified_from = np.where(is_key, np.inf, verified[people.person])
    digest = digest_of(parameters.digest, schema_digest(schema), catalogue.digest, seed, subjects, GENERATOR)
    truth = subject_frame(schema, true_columns(schema, setting, organisations, people), subjects)
    return World(
        schema, parameters, seed, digest, catalogue, truth, use, sessions, organisations, people, verified_from
    )


def _marked(marks: Marks, index: Codes) -> Marks:
    found: Marks = np.append(marks, [False])[index]  # NONE, which is -1, falls on the last place
    return found


class _Asserted:
    """What is on file of a world at a coverage."""

    def __init__(self, world: World, coverage: float, attesting: float) -> None:
        self._world = world
        on_file = np.where(world.subjects.concealed, NONE, world.subjects.organisation).astype(np.int32)
        self._organisation = on_file
        self._attested: Marks = np.append(world.organisations.attesting < attesting, [False])[on_file]
        self._verified: Marks = world.verified_from < coverage

    def frame(self) -> pl.DataFrame:
        """Return the subject frame; where two proofs of nationality meet, rows carry their own assurance."""
        given = {column.name: column for column in self._world.truth.get_columns()}
        for column in (*self._organisations(), *self._nationality(), self._location(), self._nothing()):
            given[column.name] = column
        return subject_frame(self._world.schema, given.values(), self._world.truth.height)

    def _organisations(self) -> list[pl.Series]:
        organisations, on_file = self._world.organisations, self._organisation
        country = self._world.truth["subject.organisation_country"]
        unscreened = ~np.append(organisations.screened, [True])[on_file]
        return [
            organisation_column(organisations, on_file),
            blanked(country, ~(self._attested | (on_file == 0))),  # the provider knows its own country
            blanked(ownership_column(organisations, on_file), unscreened),
            *(blanked(c, unscreened) for c in listed_column(self._world.schema, organisations, on_file)),
        ]

    def _nationality(self) -> list[pl.Series]:
        documented = self._attested & (self._world.subjects.person != NONE)
        unknown = ~(self._verified | documented)
        columns = [blanked(self._world.truth[path], unknown) for path in NATIONALITY]
        if documented.any():
            levels = np.where(self._verified, Assurance.VERIFIED, Assurance.DOCUMENTED).astype(np.uint8)
            columns += [pl.Series(f"{path}@assurance", levels) for path in NATIONALITY]
        return columns

    def _location(self) -> pl.Series:
        path = "subject.location"
        return enum_column(path, self._world.subjects.shown, enum_values(self._world.schema, path))

    def _nothing(self) -> pl.Series:
        """Return the column of end users: nobody says so of themselves, and the provider has no such record."""
        column = self._world.truth["subject.military_intelligence_end_user"]
        return blanked(column, np.ones(len(column), np.bool_))
