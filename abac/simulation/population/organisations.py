"""Draw the organisations: countries, sizes, owners, and the blocks of ids that the named lists point at.

Organisation 0 is the provider; organisation i is `org-<i as five digits>`. The stakes in the block `owned` follow
a fixed pattern, so that a chain, an aggregate, a minority and a cycle occur in every population.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from abac.ownership.building import build
from abac.ownership.graph import WHOLE, Graph, Repeated
from abac.ownership.reading import OFAC
from abac.ownership.spread import Bound, spread
from abac.simulation.population.draws import Codes, Marks, Reals, Setting, Streams, pick
from abac.simulation.population.parameters import Parameters

LISTED, OWNED, GLASSWING, ANNEX = "listed-end-users", "owned", "glasswing-partners", "annex-a"


@dataclass(frozen=True)
class Organisations:
    """Organisations by index: ids, country codes, weights, and the stakes they hold in one another.

    `end_user` marks those whose key is a military-intelligence end user, `screened` those whose owners are on
    file, and `attesting` is the share of attesting organisations from which each is among them.
    """

    ids: list[str]
    country: Codes
    weight: Reals
    graph: Graph
    end_user: Marks
    screened: Marks
    attesting: Reals
    roles: dict[str, Marks]

    @property
    def listed(self) -> Marks:
        """The organisations that are listed end users."""
        return self.roles[LISTED]

    @cached_property
    def listed_ownership(self) -> Reals:
        """Of every organisation the share (0 to 1) that listed parties hold, by OFAC's rule."""
        return held_by_listed(self.graph, self.listed)

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
    ids = [organisation_id(i, p.provider) for i in range(size)]
    graph = _stakes(p, streams, roles, ids)
    held = held_by_listed(graph, roles[LISTED])
    chance = streams.uniforms("organisation.end_user", size)
    end_user = roles[LISTED] & (chance < p["end_users"]["listed"])
    end_user |= ~roles[LISTED] & (held >= 0.5) & (chance < p["end_users"]["owned"])  # noqa: PLR2004  # 50 % rule
    screened = (streams.uniforms("organisation.screened", size) < p["ownership.screened"]) | partners
    screened[0] = True
    attesting = streams.uniforms("attesting", size)
    weight = np.exp(p["organisations.spread"] * streams("organisation.weight").standard_normal(size))
    return Organisations(ids, country.astype(np.int32), weight, graph, end_user, screened, attesting, roles)


def held_by_listed(graph: Graph, listed: Marks) -> Reals:
    """Return of every organisation the share (0 to 1) that listed parties and those they own hold."""
    return spread(graph, listed, Bound.LEAST, OFAC.least).held / WHOLE


def _block(size: int, first: int, last: int) -> Marks:
    marks = np.zeros(size, np.bool_)
    marks[first : last + 1] = True
    return marks


def _stakes(p: Parameters, streams: Streams, roles: dict[str, Marks], ids: list[str]) -> Graph:
    """Return who holds how much of whom; what is not drawn is held by nobody listed."""
    size = len(ids)
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
    parts = np.rint(shares * WHOLE).astype(np.int64)
    disclosed = np.ones(size, np.bool_)
    return build(ids, owners, targets, parts, parts, disclosed=disclosed, repeated=Repeated.APART)


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
