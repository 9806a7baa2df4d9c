"""Draw the subjects: persons where they live and work, keys of organisations, and agents acting for persons.

What comes out is the truth, as integer codes per subject. `synthetic` turns it into columns and into what is on
file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from abac.simulation.population.draws import NONE, Codes, Marks, Reals, Setting, pick
from abac.simulation.population.nationality import Nationality, draw_nationality
from abac.simulation.population.organisations import ANNEX, GLASSWING, LISTED, OWNED, Organisations
from abac.simulation.population.parameters import KINDS

RELATIONS = ("customer", "staff", "applicant")
STAFF, APPLICANT, LISTED_WORK, OWNED_WORK, PARTNER_WORK, ORDINARY_WORK = range(6)
WORK = ("staff", "applicant", "listed", "owned", "partner", "ordinary", "none")
KEY_ROLES = ("provider", "listed", "owned", "partner", "ordinary")


@dataclass(frozen=True)
class Subjects:
    """The subjects' true facts by code, in row order: persons, then keys, then agents.

    `organisation` is an index, `NONE` for those without; `shown` is the country that the IP address shows;
    `person` says which person a row is about (its own number, or the one an agent acts for; `NONE` for a key).
    """

    kind: Codes
    relation: Codes
    organisation: Codes
    location: Codes
    shown: Codes
    nationality: Nationality
    end_user: Marks
    concealed: Marks
    person: Codes


def location_weights(setting: Setting) -> Reals:
    """Return the share of each country: those reported as they are, the others by weight over what is left."""
    p, countries = setting.p, setting.countries
    reported, others = countries.weights(p["location.reported"]), countries.weights(p["location.others"])
    others[reported > 0] = 0
    shares: Reals = reported + others * (1 - reported.sum()) / others.sum()
    return shares


def draw_subjects(setting: Setting, organisations: Organisations, subjects: int) -> Subjects:
    """Return `subjects` subjects; at least one is a person."""
    p, streams = setting.p, setting.streams
    shares = np.array([p["kinds"][name] for name in KINDS], np.float64)
    _, keys, agents = (int(n) for n in np.floor(subjects * shares / shares.sum()))
    persons = subjects - keys - agents
    work = streams.pick("work", [p["employment"][w] for w in WORK], persons)
    organisation, location = _placed(setting, organisations, work)
    nationality = draw_nationality(setting, location, work == STAFF)
    end_user = _end_users(setting, organisations, organisation, location, nationality)
    concealable = (work == LISTED_WORK) | (work == OWNED_WORK)
    concealed = concealable & (streams.uniforms("concealed", persons) < p["employer.concealed"])
    relation = np.where(work == STAFF, 1, np.where(work == APPLICANT, 2, 0)).astype(np.int32)
    wrong = streams.uniforms("location.wrong", persons) < p["location.wrong"]
    elsewhere = streams.pick("location.shown", location_weights(setting), persons)
    shown = np.where(wrong, elsewhere, location).astype(np.int32)

    owner, region = _keys(setting, organisations, keys)
    principal = streams("agent.person").integers(0, persons, agents, dtype=np.int64)
    rows = np.concatenate([np.arange(persons), np.zeros(keys, np.int64), principal])  # a key's are blanked
    is_key = np.zeros(subjects, np.bool_)
    is_key[persons : persons + keys] = True

    def spread(of_person: npt.NDArray[np.int32], of_key: npt.NDArray[np.int32]) -> Codes:
        return np.concatenate([of_person, of_key, of_person[principal]]).astype(np.int32)

    return Subjects(
        np.repeat(np.arange(3, dtype=np.int32), [persons, keys, agents]),
        spread(relation, np.where(owner == 0, 1, 0).astype(np.int32)),
        spread(organisation, owner),
        spread(location, region),
        spread(shown, region),
        nationality.take(rows),
        np.where(is_key, False, end_user[rows]) | _behind(organisations.end_user, owner, persons, subjects),
        ~is_key & concealed[rows],
        np.where(is_key, NONE, rows).astype(np.int32),
    )


def _behind(end_user: Marks, owner: Codes, first: int, subjects: int) -> Marks:
    """Return which keys stand for an organisation that is an end user."""
    marks = np.zeros(subjects, np.bool_)
    marks[first : first + len(owner)] = end_user[owner]
    return marks


def _placed(setting: Setting, organisations: Organisations, work: Codes) -> tuple[Codes, Codes]:
    """Return each person's organisation and location; over all persons the locations keep their shares."""
    p, streams = setting.p, setting.streams
    size, roles = len(work), organisations.roles
    chance = streams.uniforms("work.organisation", size)
    organisation = np.full(size, NONE, np.int32)
    organisation[work == STAFF] = 0
    pools = (
        (LISTED_WORK, roles[LISTED]),
        (OWNED_WORK, roles[OWNED]),
        (PARTNER_WORK, roles[GLASSWING] | roles[ANNEX]),
    )
    for kind, pool in pools:
        organisation[work == kind] = organisations.among(chance[work == kind], pool)
    shares = location_weights(setting)
    local = streams.uniforms("work.local", size) < np.where(work == STAFF, p["staff.in_us"], p["employment.local"])
    bound = (organisation != NONE) & local
    where = streams.uniforms("location", size)
    location = np.where(bound, organisations.country[organisation], NONE).astype(np.int32)
    # The rest are drawn so that the whole has the reported shares, however the bound ones fell.
    taken = np.bincount(location[bound], minlength=len(shares))
    left = np.maximum(shares * size - taken, 0.0)
    location[~bound] = pick(where[~bound], left if left.sum() > 0 else shares)
    ordinary = work == ORDINARY_WORK
    organisation[ordinary] = _employer(organisations, location[ordinary], local[ordinary], chance[ordinary])
    return organisation, location


def _employer(organisations: Organisations, location: Codes, local: Marks, chance: Reals) -> Codes:
    """Return an ordinary organisation by size, in the person's country where `local` and there is one."""
    pool = np.flatnonzero(organisations.ordinary)
    pool = pool[np.argsort(organisations.country[pool], kind="stable")]
    country = organisations.country[pool]
    edges = np.concatenate([[0.0], np.cumsum(organisations.weight[pool])])
    low, high = np.searchsorted(country, location, side="left"), np.searchsorted(country, location, side="right")
    anywhere = ~local | (low == high)
    low, high = np.where(anywhere, 0, low), np.where(anywhere, len(pool), high)
    target = edges[low] + chance * (edges[high] - edges[low])
    place = np.clip(np.searchsorted(edges, target, side="right") - 1, low, high - 1)
    employer: Codes = pool[place].astype(np.int32)
    return employer


def _end_users(
    setting: Setting,
    organisations: Organisations,
    organisation: Codes,
    location: Codes,
    nationality: Nationality,
) -> Marks:
    """Return the military-intelligence end users (15 CFR 744.22) among the persons."""
    p, streams, countries = setting.p, setting.streams, setting.countries
    shares, marks = p["end_users"], countries.marks(p["embargoed"])
    embargoed = nationality.any_of(marks) | marks[location]
    chance = np.where(embargoed, shares["embargoed"], shares["other"])
    padded_listed = np.append(organisations.roles[LISTED], [False])  # NONE, which is -1, falls on the last place
    owned = np.append(organisations.listed_ownership >= 0.5, [False])  # noqa: PLR2004  # the 50 percent rule
    chance = np.where(owned[organisation], shares["owned"], chance)
    chance = np.where(padded_listed[organisation], shares["listed"], chance)
    found: Marks = streams.uniforms("end_user", len(location)) < chance
    return found


def _keys(setting: Setting, organisations: Organisations, size: int) -> tuple[Codes, Codes]:
    """Return the organisation behind each key, and where its requests come from."""
    p, streams = setting.p, setting.streams
    roles = organisations.roles
    provider = np.zeros(len(organisations.ids), np.bool_)
    provider[0] = True
    pools = (provider, roles[LISTED], roles[OWNED], roles[GLASSWING] | roles[ANNEX], organisations.ordinary)
    role = streams.pick("key.role", [p["keys.by_role"][r] for r in KEY_ROLES], size)
    chance = streams.uniforms("key.organisation", size)
    owner = np.zeros(size, np.int32)
    for i, pool in enumerate(pools):
        owner[role == i] = organisations.among(chance[role == i], pool)
    local = streams.uniforms("key.local", size) < p["employment.local"]
    elsewhere = streams.pick("key.location", location_weights(setting), size)
    return owner, np.where(local, organisations.country[owner], elsewhere).astype(np.int32)
