"""Turn drawn subjects into the columns of a subject frame: everything that is true of them.

A key has no citizenship and nobody without an organisation has its country: such values are null in the truth too,
for they do not apply. A person without an organisation has `none` and owes no owner anything (share 0).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from abac.condition.schema import Schema
from abac.condition.types import SetType
from abac.simulation.population.draws import (
    NONE,
    Codes,
    Setting,
    enum_column,
    number_column,
    set_column,
    text_column,
)
from abac.simulation.population.organisations import Organisations
from abac.simulation.population.parameters import KINDS
from abac.simulation.population.people import RELATIONS, Subjects

NO_ORGANISATION = "none"
LISTED = "subject.listed"
TRUST = ("new", "established", "trusted")
NATIONALITY = (
    "subject.citizenships_current",
    "subject.citizenships_ever",
    "subject.residencies_permanent",
    "subject.latest_citizenship_or_residency",
    "subject.protected_individual",
)
"""What a verification of nationality puts on file, all at once."""


def enum_values(schema: Schema, path: str) -> tuple[str, ...]:
    """Return the values of an enum attribute, or of the elements of a set of them."""
    kind = schema[path].type
    return (kind.element if isinstance(kind, SetType) else kind).values


def true_columns(
    schema: Schema, setting: Setting, organisations: Organisations, people: Subjects
) -> list[pl.Series]:
    """Return the true value of every attribute that a synthetic population draws."""
    return [
        *_account(schema, setting, people),
        *nationality_columns(schema, people),
        enum_column("subject.location", people.location, enum_values(schema, "subject.location")),
        organisation_column(organisations, people.organisation),
        enum_column(
            "subject.organisation_country",
            np.append(organisations.country, [NONE])[people.organisation].astype(np.int32),
            enum_values(schema, "subject.organisation_country"),
        ),
        *listed_column(schema, organisations, people.organisation),
        ownership_column(organisations, people.organisation),
        number_column("subject.military_intelligence_end_user", people.end_user),
    ]


def organisation_column(organisations: Organisations, index: Codes) -> pl.Series:
    """Return the organisation column: the id, or `none` for who signed up as an individual."""
    places = np.where(index == NONE, len(organisations.ids), index).astype(np.int32)
    return text_column("subject.organisation", places, [*organisations.ids, NO_ORGANISATION])


def listed_column(schema: Schema, organisations: Organisations, index: Codes) -> list[pl.Series]:
    """Return whether each subject's organisation is listed, false without one; nothing where no schema asks."""
    if LISTED not in schema:
        return []
    return [number_column(LISTED, np.append(organisations.listed, [False])[index])]


def ownership_column(organisations: Organisations, index: Codes) -> pl.Series:
    """Return the share that listed parties hold of each subject's organisation, 0 without one."""
    return number_column("subject.listed_ownership", np.append(organisations.listed_ownership, [0.0])[index])


def _account(schema: Schema, setting: Setting, people: Subjects) -> list[pl.Series]:
    p, streams, size = setting.p, setting.streams, len(people.kind)
    age = streams("account.age").exponential(p["account.mean_age_days"], size).astype(np.int64)
    tier = np.where(streams.uniforms("account.trusted", size) < p["trust"]["trusted_share"], 2, 1)
    tier = np.where(age < p["trust"]["new_below_days"], 0, tier).astype(np.int32)
    numbers = pl.Series("n", np.arange(1, size + 1)).cast(pl.String).str.zfill(max(7, len(str(size))))
    return [
        ("s-" + numbers).alias("subject.id"),
        _words(schema, "subject.kind", people.kind, KINDS),
        _words(schema, "subject.relation", people.relation, RELATIONS),
        number_column("subject.identity_verified", streams.uniforms("identity", size) < p["identity.verified"]),
        number_column("subject.account_age_days", age),
        _words(schema, "subject.trust_tier", tier, TRUST),
    ]


def nationality_columns(schema: Schema, people: Subjects) -> list[pl.Series]:
    """Return the true nationality of every subject, in the order of `NATIONALITY`."""
    nation, is_key = people.nationality, people.person == NONE
    sets = zip(NATIONALITY[:3], (nation.current, nation.ever, nation.residencies), strict=True)
    latest = np.where(is_key, NONE, nation.latest).astype(np.int32)
    return [
        *(set_column(path, members, is_key, enum_values(schema, path)) for path, members in sets),
        enum_column(NATIONALITY[3], latest, enum_values(schema, NATIONALITY[3])),
        number_column(NATIONALITY[4], nation.protected, is_key),
    ]


def _words(schema: Schema, path: str, codes: Codes, words: tuple[str, ...]) -> pl.Series:
    """Return an enum column from codes into `words`, whatever the schema's order of them."""
    values = enum_values(schema, path)
    places = np.array([values.index(word) for word in words], np.int32)
    return enum_column(path, places[codes], values)
