"""Outcomes from masks: which rules a decision cites, what it owes, what would settle it.

Definite outcomes are remembered by the rules they cite, so most decisions end in a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from abac.backends.closure.naming import Naming, naming
from abac.compiler.index import Index, bits
from abac.compiler.index.bounded import Bounded
from abac.condition.reference import Assertion
from abac.condition.truth import TRUE, UNKNOWN, Truth
from abac.policy.decision import Extended, Obligation, Outcome, Reason
from abac.policy.rule import Rule

BYTES = 16 << 20
"""How many bytes the outcomes that a program remembers may take."""

_FEW = 32
"""So many reasons take as much room as the rest of an outcome."""

EXTENDED = {int(answer): answer for answer in Extended}
_PERMIT, _DENY = 1, 2


class Remembered(Bounded[Any, Outcome]):
    """Outcomes by what they follow from; a new one is made, and remembered up to a limit."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Any], Outcome], limit: int) -> None:
        super().__init__(limit)
        self._make = make

    def __missing__(self, key: Any) -> Outcome:
        made = self._make(key)
        return self.keep(key, made, 1 + len(made.reasons) // _FEW)


class Reasons(dict[int, Reason]):
    """The rules of an index as reasons, by slot, each made when first cited."""

    __slots__ = ("_index", "_truth")

    def __init__(self, index: Index, truth: Truth) -> None:
        super().__init__()
        self._index, self._truth = index, truth

    def __missing__(self, slot: int) -> Reason:
        rule = self._index.rules[slot]
        assert isinstance(rule, Rule)  # noqa: S101  # obligation rules take no part in combining
        found = self[slot] = Reason(rule.id, rule.effect, self._truth, rule.citation)
        return found


class Namings(dict[int, tuple[Naming, ...]]):
    """What names the unknown of rules that the masks alone do not tell of, by slot, each made when first asked.

    Of a rule that was split it is the whole condition; else the conjuncts that no table answers.
    """

    __slots__ = ("_index",)

    def __init__(self, index: Index) -> None:
        super().__init__()
        self._index = index

    def __missing__(self, slot: int) -> tuple[Naming, ...]:
        index = self._index
        whole = index.split >> slot & 1
        conditions = [index.rules[slot].condition] if whole else [c for c, _ in index.closures[slot]]
        found = self[slot] = tuple([naming(condition, index.functions) for condition in conditions])
        return found


class Outcomes:
    """The outcomes of one program. Share it between threads freely."""

    def __init__(self, index: Index, revision: str) -> None:
        self._index, self._revision = index, revision
        self._permits = self._denies = 0
        for own in index.members:
            self._permits |= own.permits
            self._denies |= own.denies
        self._owing = index.owing
        self._certain, self._unknown = Reasons(index, TRUE), Reasons(index, UNKNOWN)
        self._namings = Namings(index)
        limit = self.limit = max(256, BYTES // (index.capacity // 8 + 600))
        self.permitted = Remembered(lambda cited: self.plain(_PERMIT, cited), limit)
        self.denied = Remembered(lambda cited: self.plain(_DENY, cited), limit)
        self.not_applicable = Outcome(Extended.NOT_APPLICABLE, permitted=False, revision=revision)
        self._owed = Remembered(self._make, limit)
        self._undecided = Remembered(self._open, limit)

    # --- definite ------------------------------------------------------------------------------------------

    def definite(self, answer: int, relevant: int, certain: int, discharges: frozenset[str]) -> Outcome:
        """Return a PERMIT, DENY or NOT_APPLICABLE."""
        if answer == _PERMIT:
            cited, known = relevant & self._permits & certain, self.permitted
        elif answer == _DENY:
            cited, known = relevant & self._denies & certain, self.denied
        else:
            return self.not_applicable
        owing = relevant & self._owing
        return self._owed[answer, cited, owing, owing & certain, discharges] if owing else known[cited]

    def alone(self, known: Remembered) -> Remembered:
        """Return outcomes of `known` by the length of a mask in which a single rule is cited."""
        return Remembered(lambda length: known[1 << length - 1], self._index.capacity)

    def plain(self, answer: int, cited: int) -> Outcome:
        """Return a PERMIT or DENY that cites these rules and owes nothing."""
        return self.citing(answer, bits(cited))

    def citing(self, answer: int, slots: list[int]) -> Outcome:
        """Return the same, from the slots one by one."""
        known = self._certain
        reasons = tuple([known[n] for n in self._index.ordered(slots)])
        return Outcome(EXTENDED[answer], answer == _PERMIT, reasons, (), (), (), self._revision)

    def _make(self, key: tuple[int, int, int, int, frozenset[str]]) -> Outcome:
        answer, cited, owing, certain, discharges = key
        certain = self._index.merged(certain)
        owed = self._owes(owing, certain, EXTENDED[answer].name)
        must = tuple(o for o in owed if not o.advice)
        return Outcome(
            EXTENDED[answer],
            permitted=answer == _PERMIT and all(o.id in discharges for o in must),
            reasons=tuple([self._certain[n] for n in self._index.in_order(cited)]),
            obligations=must,
            advice=tuple(o for o in owed if o.advice),
            revision=self._revision,
        )

    def _owes(self, owing: int, certain: int, answer: str) -> Iterable[Obligation]:
        owed: dict[Obligation, None] = {}
        for number in self._index.in_order(owing):
            slot = self._index.rules[number]
            effect = slot.effect if isinstance(slot, Rule) else slot.rides_on
            if effect.value == answer:
                sure = certain >> number & 1
                owed |= dict.fromkeys(o for o in slot.obligations if sure or not o.advice)
        return tuple(owed)

    # --- indeterminate ---------------------------------------------------------------------------------------

    def undecided(
        self,
        answer: int,
        relevant: int,
        certain: int,
        masks: Iterable[tuple[str, int]],
        held: Callable[[], Mapping[str, Assertion]],
    ) -> Outcome:
        """Return an INDETERMINATE. `masks` are what the attributes said, by path; `held` gives the assertions."""
        index = self._index
        standing = relevant & (self._permits | self._denies)
        certain = index.merged(certain & standing)
        standing = index.merged(standing)
        open_ = standing & ~certain
        lane = (open_ & ~index.split) << index.capacity
        names = {path for path, mask in masks if mask & lane}
        if asked := open_ & (index.split | index.closed):
            request = held()
            for slot in bits(asked):
                for named in self._namings[slot]:
                    found = named(request)
                    if isinstance(found, tuple):
                        names.update(found)
        return self._undecided[answer, standing, certain, tuple(sorted(names))]

    def _open(self, key: tuple[int, int, int, tuple[str, ...]]) -> Outcome:
        answer, standing, certain, names = key
        return Outcome(
            EXTENDED[answer],
            permitted=False,
            reasons=tuple(
                [(self._certain if certain >> n & 1 else self._unknown)[n] for n in self._index.in_order(standing)]
            ),
            unknown=names,
            revision=self._revision,
        )
