"""The rules on ownership that the world applies: threshold, way of counting, dates, source.

They differ in four things: at which share an entity counts as owned, whether the shares of several listed parties
are added up, whether an indirect stake counts in full or is multiplied through, and what else than shares decides.
What a rule leads to, and whether it binds the provider, is a directive's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from abac.errors import AbacError, did_you_mean
from abac.ownership.graph import HALF


class ReadingError(AbacError):
    """A reading that nobody has told us of."""

    code = "reading"


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule on ownership.

    `least` is the share in millionths from which an entity is owned. `aggregate` adds up all listed parties;
    without it one alone must hold that much. `multiplied` multiplies indirect stakes through; without it a stake
    of an owned entity counts in full. `inherits` says that the owned come under their owners' most restrictive
    list. `periods` are the half-open intervals in which the rule is in force, by its own text; `note` says what
    else must be known.
    """

    name: str
    title: str
    source: str
    least: int = HALF
    aggregate: bool = True
    multiplied: bool = False
    inherits: bool = False
    periods: tuple[tuple[date | None, date | None], ...] = ((None, None),)
    note: str = ""

    def in_force(self, day: date) -> bool:
        """Return whether the rule is in force on a day.

        >>> [BIS.in_force(date(2025, 10, 1)), BIS.in_force(date(2026, 6, 12)), BIS.in_force(date(2026, 11, 10))]
        [True, False, True]
        """
        return any((not a or a <= day) and (not b or day < b) for a, b in self.periods)


OFAC = Reading(
    "ofac",
    "owned 50 percent or more, in the aggregate, by blocked persons; stakes of the owned count in full",
    "OFAC, Revised Guidance on Entities Owned by Persons Whose Property and Interests in Property Are Blocked, "
    "13 August 2014",
    periods=((date(2014, 8, 13), None),),
    note="Control without ownership does not block.",
)
BIS = Reading(
    "bis",
    "owned 50 percent or more, in the aggregate, by parties of the Entity List, the MEU List or some SDN programs",
    "BIS, Expansion of End-User Controls To Cover Affiliates of Certain Listed Entities, RIN 0694-AK11, "
    "30 September 2025 (document 2025-19001); suspended by the rule of 12 November 2025 (90 FR 216)",
    inherits=True,
    periods=((date(2025, 9, 29), date(2025, 11, 10)), (date(2026, 11, 10), None)),
    note=(
        "Suspended from 10 November 2025 through 9 November 2026; it returns on 10 November 2026 by that rule's "
        "own text, unless a later rule says otherwise: look it up. A listed owner whose share cannot be "
        "determined is a red flag to be resolved (Red Flag 29)."
    ),
)
EU = Reading(
    "eu",
    "owned 50 percent or more, in the aggregate, by listed persons",
    "Council of the EU, Update of the EU Best Practices for the effective implementation of restrictive measures, "
    "3 July 2024 (before: more than 50 percent)",
    periods=((date(2024, 7, 3), None),),
    note="Control blocks as well, and shares do not show it: what is not blocked here may still be controlled.",
)
UK = Reading(
    "uk",
    "more than 50 percent held, directly or indirectly, by one designated person alone",
    "The Russia (Sanctions) (EU Exit) Regulations 2019 (SI 2019/855), regulation 7; OFSI general guidance on "
    "aggregation, 23 March 2022 (4.14)",
    least=HALF + 1,
    aggregate=False,
    note="Control and joint arrangements count as well, and shares do not show them.",
)
MULTIPLIED = Reading(
    "multiplied",
    "50 percent or more when indirect stakes are multiplied through; for comparison",
    "no regulator's rule: the economic interest, as integrated ownership is computed",
    multiplied=True,
)

READINGS = {r.name: r for r in (OFAC, BIS, EU, UK, MULTIPLIED)}


def reading(name: str) -> Reading:
    """Return a reading by its name. Raises `ReadingError`."""
    found = READINGS.get(name)
    if found is None:
        hint = did_you_mean(name, READINGS) or f"known are {', '.join(READINGS)}"
        raise ReadingError(f"`{name}` is not a reading of ownership; {hint}")
    return found
