"""Decide one request by a program's index.

Equal to `policy.reference.decide` in every field of the outcome; the agreement tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from abac.compiler.index import MEMO_LIMIT
from abac.compiler.program import Program
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Category
from abac.condition.truth import TRUE, UNKNOWN
from abac.errors import RequestError
from abac.policy.decision import Extended, Obligation, Outcome, Reason
from abac.policy.reference import unknown_leaves
from abac.policy.request import Request, assertions
from abac.policy.rule import Rule

_NONE: frozenset[str] = frozenset()
_PERMIT, _DENY, _NOT_APPLICABLE = 1, 2, 4  # plain integers: an enum member costs a call to hash or compare
_EXTENDED = {int(answer): answer for answer in Extended}


def decide(program: Program, request: Request, *, discharges: frozenset[str] = _NONE) -> Outcome:
    """Return the outcome of `request` under `program`.

    `discharges` names the obligations that the caller will carry out: a PERMIT that owes another is not
    `permitted`. Raises `RequestError`, with the path, for a value that is not of its attribute's type or an
    attribute the schema does not have.
    """
    index = program.index
    source = request.source
    trusted = source.schema_defaults
    action = request.action
    both = index.start
    for (category, reads), given in zip(
        index.reads,
        (
            request.subject,
            request.resource,
            {"name": action} if action.__class__ is str else action,
            request.environment,
        ),
        strict=True,
    ):
        if given.__class__ is not dict and not isinstance(given, Mapping):
            raise RequestError(category.value, f"expected a mapping of attributes, got {type(given).__name__}")
        read = 0
        for name, plain, seen, table in reads:
            value = given.get(name)
            if value is None:
                both &= table.absent
            else:
                read += 1
                masks = seen(value) if value.__class__ is plain and trusted else None
                both &= table.masks(value, source) if masks is None else masks
        if read != len(given):
            _check_unread(program, request, category, given)
    number = len(index.slots)
    certain = both >> number
    possible = both & ((1 << number) - 1)
    found: dict[str, Assertion] | None = None
    waiting = possible & index.several_mask
    if waiting:
        found = assertions(request, program.schema)
        possible, certain = _narrow(index.several, waiting, possible, certain, found)
    answer, relevant = program.combine(possible, certain)
    if answer <= _NOT_APPLICABLE:
        return _definite(program, answer, relevant, certain, discharges)
    undecided = relevant & (index.permits | index.denies)
    return Outcome(
        _EXTENDED[answer],
        permitted=False,
        reasons=_reasons(index.slots, undecided, certain),
        unknown=_unknown(program, request, undecided & ~certain, found),
        revision=program.revision,
    )


def _check_unread(program: Program, request: Request, category: Category, given: Mapping[str, Any]) -> None:
    """Check at the door the attributes that no rule reads, all the same."""
    tables = program.index.tables[category]
    for name, value in given.items():
        table = tables.get(name)
        if table is None:
            assertions(request, program.schema)  # refuses the unknown attribute, with a hint
        elif value is not None and not table.conjuncts:
            table.check(value, request.source)


def _narrow(
    several: Mapping[int, Any], waiting: int, possible: int, certain: int, found: Mapping[str, Assertion]
) -> tuple[int, int]:
    for number in bits(waiting):
        truth = several[number](found)
        if truth < TRUE:
            certain &= ~(1 << number)
            if not truth:
                possible &= ~(1 << number)
    return possible, certain


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _definite(program: Program, answer: int, relevant: int, certain: int, discharges: frozenset[str]) -> Outcome:
    """Return a PERMIT, DENY or NOT_APPLICABLE, remembered by the rules it cites and those it may owe by."""
    index = program.index
    own = index.permits if answer == _PERMIT else index.denies if answer == _DENY else 0
    cited, owing = relevant & own & certain, relevant & index.owing
    key = (answer, cited, owing, owing & certain, discharges)
    found = index.outcomes.get(key)
    if found is None:
        owed = _owed(index.slots, owing, certain, _EXTENDED[answer])
        must = tuple(o for o in owed if not o.advice)
        found = Outcome(
            _EXTENDED[answer],
            answer == _PERMIT and all(o.id in discharges for o in must),
            _reasons(index.slots, cited, certain),
            (),
            must,
            tuple(o for o in owed if o.advice),
            program.revision,
        )
        if len(index.outcomes) >= MEMO_LIMIT:
            index.outcomes.clear()
        index.outcomes[key] = found
    return found


def _reasons(slots: tuple[Any, ...], mask: int, certain: int) -> tuple[Reason, ...]:
    return tuple(
        Reason(slots[n].id, slots[n].effect, TRUE if certain >> n & 1 else UNKNOWN, slots[n].citation)
        for n in bits(mask)
    )


def _owed(slots: tuple[Any, ...], relevant: int, certain: int, answer: Extended) -> tuple[Obligation, ...]:
    owed: dict[Obligation, None] = {}
    for number in bits(relevant):
        slot = slots[number]
        effect = slot.effect if isinstance(slot, Rule) else slot.rides_on
        if effect.value == answer.name:
            sure = certain >> number & 1
            owed |= dict.fromkeys(o for o in slot.obligations if sure or not o.advice)
    return tuple(owed)


def _unknown(
    program: Program, request: Request, undecided: int, found: Mapping[str, Assertion] | None
) -> tuple[str, ...]:
    known = found if found is not None else assertions(request, program.schema)
    reference = Reference(known, program.functions)
    names: dict[str, None] = {}
    for number in bits(undecided):
        names |= dict.fromkeys(unknown_leaves(program.index.slots[number].condition, reference, known))
    return tuple(names)
