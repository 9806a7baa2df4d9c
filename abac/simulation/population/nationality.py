"""Draw who is a citizen and resident of where: natives, naturalised, permanent residents, visas, the stateless.

What is drawn is the truth, per person, given where the person is. What a person test makes of it is the policies'
part; that most of it is on nobody's file is `synthetic`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from abac.simulation.population.draws import NONE, Codes, Marks, Setting, pick
from abac.simulation.population.parameters import STATUSES

NATURALISED, PERMANENT_RESIDENT, VISA = range(3)


@dataclass(frozen=True)
class Nationality:
    """Country codes per person: `current` and `residencies` (rows by 2), `ever` (rows by 3), `latest` (rows).

    `NONE` fills the places that a person does not use. `latest` is the most recent citizenship or permanent
    residency (15 CFR 734.13(b)).
    """

    current: Codes
    ever: Codes
    residencies: Codes
    latest: Codes
    protected: Marks

    def take(self, rows: Any) -> Nationality:
        """Return the persons at `rows`, such as those that agents act for."""
        return Nationality(
            self.current[rows], self.ever[rows], self.residencies[rows], self.latest[rows], self.protected[rows]
        )

    def any_of(self, marks: Marks) -> Marks:
        """Return who is a citizen or permanent resident of a marked country."""
        padded = np.append(marks, [False])  # NONE, which is -1, falls on the last place
        found: Marks = np.logical_or(padded[self.current].any(axis=1), padded[self.residencies].any(axis=1))
        return found


def draw_nationality(setting: Setting, location: Codes, staff: Marks) -> Nationality:
    """Return the true nationality of persons at `location`; `staff` have a foreign-born share of their own."""
    p, streams, countries = setting.p, setting.streams, setting.countries
    size, us = len(location), countries.code("US")
    born, status = _born_elsewhere(setting, location == us, staff)
    origin = _origins(setting, location)
    forbidden = countries.marks(p["dual.forbidden_by"])
    chance = {name: streams.uniforms(f"nationality.{name}", size) for name in CHANCES}

    expatriate = (location != us) & (chance["expatriate"] < p["abroad.us_citizens"])
    born = born & ~expatriate
    native: Marks = np.logical_not(born | expatriate)
    naturalised, resident, visa = (
        np.logical_and(born, status == s) for s in (NATURALISED, PERMANENT_RESIDENT, VISA)
    )
    settled = resident | (expatriate & (chance["settled"] < 0.5))  # noqa: PLR2004  # a coin
    retained = naturalised & (chance["retained"] < p["dual.retained"]) & ~forbidden[origin]
    dual = native & (chance["dual"] < p["dual.native"]) & ~forbidden[location] & ~forbidden[origin]
    second_latest = dual & (chance["latest"] < p["dual.native.second_is_latest"])
    card = native & (location != us) & (chance["card"] < p["abroad.us_permanent_residents"])
    stateless = chance["stateless"] < p["stateless"]

    first = np.where(expatriate, us, np.where(resident | visa, origin, location))
    second = np.where(retained | dual, origin, NONE)
    former = np.where(naturalised, origin, NONE)
    current = _places(first, second, stateless)
    ever = _places(first, second, stateless, former)
    home = np.where(settled | stateless, location, NONE)
    residencies = np.column_stack([home, np.where(card & ~stateless, us, NONE)]).astype(np.int32)
    latest = np.where(visa | second_latest, origin, np.where((expatriate & ~settled) | card, us, location))
    latest = np.where(stateless, location, latest).astype(np.int32)
    protected = visa & (location == us) & ~stateless & (chance["protected"] < p["us.visa.protected"])
    return Nationality(current, ever, residencies, latest, protected)


CHANCES = ("expatriate", "settled", "retained", "dual", "latest", "card", "stateless", "protected")


def _born_elsewhere(setting: Setting, in_us: Marks, staff: Marks) -> tuple[Marks, Codes]:
    """Return who was born in another country than they live in, and the status each would have there."""
    p, streams = setting.p, setting.streams
    share = np.where(in_us, p["us.foreign_born"], p["abroad.foreign_born"])
    share = np.where(in_us & staff, p["staff.foreign_born"], share)
    chance = streams.uniforms("nationality.status", len(in_us))
    here, there = (
        [p[name][s] for s in STATUSES] for name in ("us.foreign_born.status", "abroad.foreign_born.status")
    )
    status = np.where(in_us, pick(chance, here), pick(chance, there)).astype(np.int32)
    born: Marks = streams.uniforms("nationality.born", len(in_us)) < share
    return born, status


def _origins(setting: Setting, location: Codes) -> Codes:
    """Return a country for each person by the weights of `origins`, never the one the person lives in."""
    weights = setting.countries.weights(setting.p["origins"])
    found = setting.streams.pick("nationality.origin", weights, len(location))
    order = np.argsort(-weights, kind="stable")[: int((weights > 0).sum())].astype(np.int32)
    following = np.arange(len(weights), dtype=np.int32)
    following[order] = np.roll(order, -1)
    return np.where(found == location, following[found], found).astype(np.int32)


def _places(first: Any, second: Any, stateless: Marks, *more: Any) -> Codes:
    columns = [np.where(stateless, NONE, column) for column in (first, second, *more)]
    return np.column_stack(columns).astype(np.int32)
