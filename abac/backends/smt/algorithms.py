"""The combining algorithms over literals: each line for line what `policy.combining` has over answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from abac.backends.smt.circuit import NO, YES, Circuit, Lit
from abac.policy.rule import Algorithm


class Answer(NamedTuple):
    """A node's answer: PERMIT, DENY, Indeterminate{P}, {D}, {DP}; none of them is NOT_APPLICABLE."""

    permit: Lit
    deny: Lit
    open_p: Lit
    open_d: Lit
    open_dp: Lit


def _seen(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """Return, for each answer, that a child gives it."""
    return (
        Answer(*(circuit.any(column) for column in zip(*each, strict=True)))
        if each
        else Answer(NO, NO, NO, NO, NO)
    )


def _first(choices: Sequence[Lit], circuit: Circuit) -> list[Lit]:
    """Return, for each choice, that it holds and none before it does."""
    return [circuit.all((c, *(-b for b in choices[:i]))) for i, c in enumerate(choices)]


def deny_overrides(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.deny_overrides`, as literals."""
    p, d, ip, id_, idp = _seen(each, circuit)
    both = circuit.any((idp, circuit.all((id_, circuit.any((p, ip))))))
    deny, open_dp, open_d, permit, open_p = _first((d, both, id_, p, ip), circuit)
    return Answer(permit, deny, open_p, open_d, open_dp)


def permit_overrides(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.permit_overrides`, as literals."""
    p, d, ip, id_, idp = _seen(each, circuit)
    both = circuit.any((idp, circuit.all((ip, circuit.any((d, id_))))))
    permit, open_dp, open_p, deny, open_d = _first((p, both, ip, d, id_), circuit)
    return Answer(permit, deny, open_p, open_d, open_dp)


def first_applicable(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.first_applicable`, as literals."""
    going = YES
    permits, denies, may_permit, may_deny = [], [], [], []
    for p, d, ip, id_, idp in each:
        permits.append(circuit.all((going, p)))
        denies.append(circuit.all((going, d)))
        may_permit += [circuit.all((going, ip)), circuit.all((going, idp))]
        may_deny += [circuit.all((going, id_)), circuit.all((going, idp))]
        going = circuit.all((going, -p, -d))
    permit, deny, open_p, open_d = (circuit.any(many) for many in (permits, denies, may_permit, may_deny))
    is_open = circuit.any((open_p, open_d))
    can_permit, can_deny = circuit.any((permit, open_p)), circuit.any((deny, open_d))
    return Answer(
        circuit.all((permit, -is_open)),
        circuit.all((deny, -is_open)),
        circuit.all((is_open, can_permit, -can_deny)),
        circuit.all((is_open, can_deny, -can_permit)),
        circuit.all((is_open, can_permit, can_deny)),
    )


def deny_unless_permit(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.deny_unless_permit`, as literals."""
    permit = _seen(each, circuit).permit
    return Answer(permit, -permit, NO, NO, NO)


def permit_unless_deny(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.permit_unless_deny`, as literals."""
    seen = _seen(each, circuit)
    may = circuit.any((seen.open_d, seen.open_dp))
    return Answer(circuit.all((-seen.deny, -may)), seen.deny, NO, NO, circuit.all((-seen.deny, may)))


def xacml_first_applicable(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.xacml_first_applicable`, as literals."""
    going = YES
    found = []
    for answer in each:
        found.append(Answer(*(circuit.all((going, a)) for a in answer)))
        going = circuit.all((going, -circuit.any(answer)))
    return _seen(found, circuit)


def xacml_permit_unless_deny(each: Sequence[Answer], circuit: Circuit) -> Answer:
    """`combining.xacml_permit_unless_deny`, as literals."""
    deny = _seen(each, circuit).deny
    return Answer(-deny, deny, NO, NO, NO)


def denied_by_default(answer: Answer, circuit: Circuit) -> Answer:
    """`combining.denied_by_default`, as literals."""
    nothing = -circuit.any(answer)
    return Answer(
        answer.permit,
        circuit.any((answer.deny, nothing, answer.open_d)),
        NO,
        NO,
        circuit.any((answer.open_p, answer.open_dp)),
    )


COMBINE: Mapping[Algorithm, Callable[[Sequence[Answer], Circuit], Answer]] = {
    Algorithm.DENY_OVERRIDES: deny_overrides,
    Algorithm.PERMIT_OVERRIDES: permit_overrides,
    Algorithm.FIRST_APPLICABLE: first_applicable,
    Algorithm.DENY_UNLESS_PERMIT: deny_unless_permit,
    Algorithm.PERMIT_UNLESS_DENY: permit_unless_deny,
    Algorithm.XACML_FIRST_APPLICABLE: xacml_first_applicable,
    Algorithm.XACML_PERMIT_UNLESS_DENY: xacml_permit_unless_deny,
}
"""Each algorithm over the answers of children, in order."""
