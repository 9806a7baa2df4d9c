"""The combining algorithms, each a few lines over extended decisions.

Deny-overrides and permit-overrides follow XACML 3.0 C.2 and C.4. The other three are the standard's on known
requests and safe on unknown ones: where the standard would guess, they answer Indeterminate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from abac.policy.decision import Extended
from abac.policy.rule import Algorithm

P, D, NA = Extended.PERMIT, Extended.DENY, Extended.NOT_APPLICABLE
IP, ID, IDP = Extended.INDETERMINATE_P, Extended.INDETERMINATE_D, Extended.INDETERMINATE_DP


def deny_overrides(answers: Iterable[Extended]) -> Extended:
    """A DENY denies; if a deny is possible, a permit does not stand (C.2)."""
    seen = set(answers)
    if D in seen:
        return D
    if IDP in seen or (ID in seen and (P in seen or IP in seen)):
        return IDP
    return next((a for a in (ID, P, IP) if a in seen), NA)


def permit_overrides(answers: Iterable[Extended]) -> Extended:
    """A PERMIT permits; if a permit is possible, a denial does not stand (C.4)."""
    seen = set(answers)
    if P in seen:
        return P
    if IDP in seen or (IP in seen and (D in seen or ID in seen)):
        return IDP
    return next((a for a in (IP, D, ID) if a in seen), NA)


def first_applicable(answers: Iterable[Extended]) -> Extended:
    """The first that applies decides; after the first unknown one, all that is still possible up to there."""
    possible = 0
    for answer in answers:
        if answer in (P, D):
            return _indeterminate(possible | answer) if possible else answer
        possible |= answer & 3
    return _indeterminate(possible) if possible else NA


def deny_unless_permit(answers: Iterable[Extended]) -> Extended:
    """PERMIT if one permits, else DENY (C.6). Its DENY may become a PERMIT as more is known."""
    return P if P in set(answers) else D


def permit_unless_deny(answers: Iterable[Extended]) -> Extended:
    """DENY if one denies, PERMIT if none can. The standard (C.7) would permit where a deny is unknown."""
    seen = set(answers)
    if D in seen:
        return D
    return IDP if seen & {ID, IDP} else P


def xacml_first_applicable(answers: Iterable[Extended]) -> Extended:
    """C.8 as written: an Indeterminate stops the walk, and hides a later DENY. Unsafe."""
    return next((a for a in answers if a is not NA), NA)


def xacml_permit_unless_deny(answers: Iterable[Extended]) -> Extended:
    """C.7 as written: an unknown deny becomes a PERMIT. Unsafe."""
    return D if D in set(answers) else P


def _indeterminate(possible: int) -> Extended:
    return Extended(possible | NA)


def denied_by_default(answer: Extended) -> Extended:
    """What a default of DENY makes of an answer: NOT_APPLICABLE turns into DENY wherever it was possible."""
    return {NA: D, ID: D, IP: IDP}.get(answer, answer)


COMBINE: Mapping[Algorithm, Callable[[Iterable[Extended]], Extended]] = {
    Algorithm.DENY_OVERRIDES: deny_overrides,
    Algorithm.PERMIT_OVERRIDES: permit_overrides,
    Algorithm.FIRST_APPLICABLE: first_applicable,
    Algorithm.DENY_UNLESS_PERMIT: deny_unless_permit,
    Algorithm.PERMIT_UNLESS_DENY: permit_unless_deny,
    Algorithm.XACML_FIRST_APPLICABLE: xacml_first_applicable,
    Algorithm.XACML_PERMIT_UNLESS_DENY: xacml_permit_unless_deny,
}
"""Each algorithm over the answers of children, in order."""
