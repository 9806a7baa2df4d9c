"""Draw the organisations: countries, sizes, owners, and the blocks of ids that the named lists point at.

Organisation 0 is the provider; organisation i is `org-<i as five digits>`. The stakes in the block `owned` follow
a fixed pattern, so that a chain, an aggregate, a minority and a cycle occur in every population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from abac.simulation.population.draws import Codes, Marks, Reals, Setting, Streams, pick
from abac.simulation.population.ownership import listed_ownership
from abac.simulation.population.parameters import Parameters

LISTED, OWNED, GLASSWING, ANNEX = "listed-end-users", "owned", "glasswing-partners", "annex-a"


@dataclass(frozen=True)
class Organisations:
    """Organisations by index: ids, country codes, weights, and the share that listed parties hold.

    `end_user` marks those whose key is a military-intelligence end user, `screened` those whose owners are on
    file, and `attesting` is the share of attesting organisations from which each is among them.
    """

    ids: list[str]
    country: Codes
    weight: Reals
    listed_ownership: Reals
    end_user: Marks
    screened: Marks
    attesting: Reals
    roles: dict[str, Marks]

    @property
    def ordinary(self) -> Marks:
        """The organisations that stand in no block and are not the provider."""
        special = np.zeros(len(self.ids), np.bool_)
        special[0] = True
        for marks in self.roles.values():
            special |= marks
        return ~special

    def among(self, uniforms: Reals, marks: Marks) -> Codes:
        """Return for each uniform one of the marked organisations, by size."""
        return pick(uniforms, np.where(marks, self.weight, 0.0))


def organisation_id(number: int, provider: str) -> str:
    """Return the id of an organisation by its number.

    >>> organisation_id(31, "anthropic"), organisation_id(0, "anthropic")
    ('org-00031', 'anthropic')
    """
    return f"org-{number:05d}" if number else provider


def draw_organisations(setting: Setting, location: Reals, subjects: int) -> Organisations:
    """Return the organisations of a population of `subjects`; `location` weighs the countries of ordinary ones."""
    p, streams, countries = setting.p, setting.streams, setting.countries
    last = max(last for _, last in p.roles.values())
    size = max(int(p["organisations.least"]), round(subjects * p["organisations.per_subject"]), last) + 1
    roles = {name: _block(size, *block) for name, block in p.roles.items()}
    country = streams.pick("organisation.country", location, size)
    partners = roles[GLASSWING] | roles[ANNEX]
    for marks, name in ((partners, "partners"), (roles[LISTED], "listed"), (roles[OWNED], "owned")):
        weights = countries.weights(p[f"countries.{name}"])
        country = np.where(marks, streams.pick(f"organisation.country.{name}", weights, size), country)
    country[0] = countries.code("US")
    held = _held(p, streams, roles, size)
    chance = streams.uniforms("organisation.end_user", size)
    end_user = roles[LISTED] & (chance < p["end_users"]["listed"])
    end_user |= ~roles[LISTED] & (held >= 0.5) & (chance < p["end_users"]["owned"])  # noqa: PLR2004  # 50 % rule
    screened = (streams.uniforms("organisation.screened", size) < p["ownership.screened"]) | partners
    screened[0] = True
    attesting = streams.uniforms("attesting", size)
    weight = np.exp(p["organisations.spread"] * streams("organisation.weight").standard_normal(size))
    ids = [organisation_id(i, p.provider) for i in range(size)]
    return Organisations(ids, country.astype(np.int32), weight, held, end_user, screened, attesting, roles)


def _block(size: int, first: int, last: int) -> Marks:
    marks = np.zeros(size, np.bool_)
    marks[first : last + 1] = True
    return marks


def _held(p: Parameters, streams: Streams, roles: dict[str, Marks], size: int) -> Reals:
    """Return the share of each organisation that listed parties hold, by the 50 percent rule."""
    listed, owned = np.flatnonzero(roles[LISTED]), np.flatnonzero(roles[OWNED])
    stakes = [s for j in range(len(owned)) for s in _pattern(j, owned.tolist(), listed.tolist())]
    owner, target = ([int(s[i]) for s in stakes] for i in (0, 1))
    share = [s[2] for s in stakes]
    free = ~roles[LISTED] & ~roles[OWNED]
    free[0] = False
    places = np.flatnonzero(free)
    chance = streams.uniforms("ownership.kind", size)
    amount = streams.uniforms("ownership.share", size)
    parent = places[(streams.uniforms("ownership.parent", size) * len(places)).astype(np.int64)]
    minority = listed[(streams.uniforms("ownership.minority", size) * len(listed)).astype(np.int64)]
    some = free & (chance < p["ownership.minority"])
    held = free & ~some & (chance < p["ownership.minority"] + p["ownership.parents"]) & (parent != np.arange(size))
    owners = np.concatenate([owner, minority[some], parent[held]]).astype(np.int64)
    targets = np.concatenate([target, np.flatnonzero(some), np.flatnonzero(held)]).astype(np.int64)
    shares = np.concatenate([share, 0.01 + 0.48 * amount[some], 0.2 + 0.8 * amount[held]])
    return listed_ownership(owners, targets, shares, roles[LISTED])


def _pattern(j: int, owned: list[int], listed: list[int]) -> list[tuple[int, int, float]]:
    """Return the stakes in the j-th owned entity: direct, aggregate, chain, minority, under a minority, cycle."""
    one, other, me = listed[j % len(listed)], listed[(j + 1) % len(listed)], owned[j]
    match j % 6:
        case 0:
            return [(one, me, 0.51 + 0.01 * (j % 40))]
        case 1:
            return [(one, me, 0.3), (other, me, 0.25)]  # neither half; together they are
        case 2:
            return [(owned[j - 2], me, 0.55)]  # through a holding that is itself owned
        case 3:
            return [(one, me, 0.4)]
        case 4:
            return [(owned[j - 1], me, 1.0)]  # wholly owned by one that is not blocked: nothing counts
        case _:
            return [(owned[j - 3], me, 0.5), (me, owned[j - 3], 0.2)]
