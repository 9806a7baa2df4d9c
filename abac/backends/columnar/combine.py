"""The combining algorithms on whole columns.

An extended decision is the set of what is still possible, so a column of them is three bit sets: the rows where
PERMIT, DENY and NOT_APPLICABLE are possible. Each algorithm is a few word-wise operations on its children's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from abac.backends.columnar.bits import Bits, Codes, Words, fill, unpack
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm


@dataclass(frozen=True, slots=True)
class Planes:
    """A column of extended decisions. INVARIANT: never only PERMIT and DENY, and never nothing."""

    permit: Words
    deny: Words
    neither: Words

    @property
    def definite(self) -> Words:
        """The rows decided PERMIT or DENY."""
        return ~self.neither

    def codes(self, out: Codes) -> Codes:
        """Write `policy.decision.Extended` values, one for each row."""
        codes = unpack(self.neither, len(out))
        codes += codes
        codes += unpack(self.deny, len(out))
        codes += codes
        return np.add(codes, unpack(self.permit, len(out)), out=out)


def answer(effect: Effect, truths: Bits) -> Planes:
    """What a rule, or all rules of one effect where order does not count, answers (XACML 3.0, section 7.11)."""
    none = np.zeros_like(truths.possible)
    if effect is Effect.PERMIT:
        return Planes(truths.possible, none, ~truths.certain)
    return Planes(none, truths.possible, ~truths.certain)


def denied_by_default(planes: Planes) -> Planes:
    """NOT_APPLICABLE turns into DENY wherever it was possible; with PERMIT possible too it stays open."""
    return Planes(planes.permit, planes.deny | planes.neither, planes.neither & planes.permit)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Which answers occur among the children of a node."""

    may_permit: Words
    may_deny: Words
    permits: Words
    denies: Words


def _seen(children: Sequence[Planes], rows: int) -> _Seen:
    if not children:
        none = fill(flag=False, rows=rows)
        return _Seen(none, none, none, none)
    definite = [c.definite for c in children]
    return _Seen(
        reduce(np.bitwise_or, [c.permit for c in children]),
        reduce(np.bitwise_or, [c.deny for c in children]),
        reduce(np.bitwise_or, [c.permit & d for c, d in zip(children, definite, strict=True)]),
        reduce(np.bitwise_or, [c.deny & d for c, d in zip(children, definite, strict=True)]),
    )


def _deny_overrides(children: Sequence[Planes], rows: int) -> Planes:
    s = _seen(children, rows)
    return Planes(s.may_permit & ~s.denies, s.may_deny, ~s.denies & (s.may_deny | ~s.permits))


def _permit_overrides(children: Sequence[Planes], rows: int) -> Planes:
    s = _seen(children, rows)
    return Planes(s.may_permit, s.may_deny & ~s.permits, ~s.permits & (s.may_permit | ~s.denies))


def _deny_unless_permit(children: Sequence[Planes], rows: int) -> Planes:
    s = _seen(children, rows)
    return Planes(s.permits, ~s.permits, np.zeros_like(s.permits))


def _permit_unless_deny(children: Sequence[Planes], rows: int) -> Planes:
    s = _seen(children, rows)
    return Planes(~s.denies, s.may_deny, s.may_deny & ~s.denies)


def _xacml_permit_unless_deny(children: Sequence[Planes], rows: int) -> Planes:
    s = _seen(children, rows)
    return Planes(~s.denies, s.denies, np.zeros_like(s.denies))


def _first_applicable(children: Sequence[Planes], rows: int) -> Planes:
    """`still` are the rows where no child has decided yet, `unsure` those where an unknown one came before."""
    permit, deny, unsure = (fill(flag=False, rows=rows) for _ in range(3))
    still = fill(flag=True, rows=rows)
    for child in children:
        permit |= still & child.permit
        deny |= still & child.deny
        unsure |= still & child.neither & (child.permit | child.deny)
        still &= child.neither
    return Planes(permit, deny, still | unsure)


def _xacml_first_applicable(children: Sequence[Planes], rows: int) -> Planes:
    permit, deny, unsure = (fill(flag=False, rows=rows) for _ in range(3))
    still = fill(flag=True, rows=rows)
    for child in children:
        stands = still & (child.permit | child.deny)
        permit |= still & child.permit
        deny |= still & child.deny
        unsure |= stands & child.neither
        still &= ~stands
    return Planes(permit, deny, still | unsure)


def combine(algorithm: Algorithm, children: Sequence[Planes], rows: int) -> Planes:
    """Return what children come to, in order. One alone stands as it is where the algorithm only chooses."""
    if len(children) == 1 and algorithm in _CHOOSES:
        return children[0]
    return _COMBINE[algorithm](children, rows)


_CHOOSES = {
    Algorithm.DENY_OVERRIDES,
    Algorithm.PERMIT_OVERRIDES,
    Algorithm.FIRST_APPLICABLE,
    Algorithm.XACML_FIRST_APPLICABLE,
}
_COMBINE: Mapping[Algorithm, Callable[[Sequence[Planes], int], Planes]] = {
    Algorithm.DENY_OVERRIDES: _deny_overrides,
    Algorithm.PERMIT_OVERRIDES: _permit_overrides,
    Algorithm.FIRST_APPLICABLE: _first_applicable,
    Algorithm.DENY_UNLESS_PERMIT: _deny_unless_permit,
    Algorithm.PERMIT_UNLESS_DENY: _permit_unless_deny,
    Algorithm.XACML_FIRST_APPLICABLE: _xacml_first_applicable,
    Algorithm.XACML_PERMIT_UNLESS_DENY: _xacml_permit_unless_deny,
}
