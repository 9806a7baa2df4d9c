"""The matrix of person tests counted again by the reference: whom each finds, on whom two differ, by which part.

That a part separates two tests of somebody is seen by putting in its place what it is not: then they agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from abac.condition.expr import And, Condition, Literal, Not, Or
from abac.condition.text import condition_text
from abac.condition.truth import TRUE, UNKNOWN, Truth
from abac.simulation.recount.judge import Judge
from abac.simulation.recount.subjects import Facts, Subject

KINDS = {"people": "person", "agents": "agent", "keys": "organisation_key"}


class MatrixRecount:
    """The matrix over subjects of whom `facts` says what is so."""

    def __init__(self, judge: Judge, tests: Sequence[str], facts: Mapping[Subject, Facts]) -> None:
        self._judge, self._tests, self._facts = judge, tests, facts
        self._condition = {t: judge.inputs.program.persons[t].condition for t in tests}
        self._stands = {t: {s: self._truth(c, f) for s, f in facts.items()} for t, c in self._condition.items()}
        self._found: dict[Any, tuple[Condition, ...]] = {}

    def section(self) -> dict[str, Any]:
        """Return the section of the report, its titles, sources and examples apart."""
        return {
            "tests": [self._test(t) for t in self._tests],
            "pairs": [self._pair(a, b) for a, b in combinations(self._tests, 2)],
        }

    def _truth(self, condition: Condition, facts: Facts) -> Truth:
        return self._judge.truth(condition, facts, None, None)

    def _test(self, test: str) -> dict[str, Any]:
        stands, condition = self._stands[test], self._condition[test]
        return {
            "id": test,
            "foreign": _kinds([s for s, truth in stands.items() if truth is TRUE]),
            "unknown": _kinds([s for s, truth in stands.items() if truth is UNKNOWN]),
            "unknown_on_file": _kinds([s for s in stands if self._truth(condition, s.asserted) is UNKNOWN]),
        }

    def _pair(self, a: str, b: str) -> dict[str, Any]:
        first, second = self._stands[a], self._stands[b]
        unknown = [s for s in self._facts if UNKNOWN in (first[s], second[s])]
        differ = [s for s in self._facts if first[s] is not second[s] and UNKNOWN not in (first[s], second[s])]
        return {
            "a": a,
            "b": b,
            "disagree": _kinds(differ),
            "only_a": _kinds([s for s in differ if first[s] is TRUE]),
            "only_b": _kinds([s for s in differ if second[s] is TRUE]),
            "unknown": _kinds(unknown),
            "clauses": self._clauses(a, b, differ),
        }

    def _clauses(self, a: str, b: str, differ: Sequence[Subject]) -> list[dict[str, Any]]:
        counted: Counter[tuple[Condition, ...]] = Counter()
        first: dict[tuple[Condition, ...], int] = {}
        for place, s in enumerate(differ):
            parts = self._separating(a, b, self._facts[s])
            counted[parts] += 1
            first.setdefault(parts, place)
        order = sorted(counted, key=lambda parts: (-counted[parts], first[parts]))
        return [
            {
                "clause": " and ".join(map(condition_text, parts)),
                "in": [t for t in (a, b) if set(parts) & set(leaves(self._condition[t]))],
                "holds": all(self._truth(p, self._facts[differ[first[parts]]]) is TRUE for p in parts),
                "subjects": counted[parts],
            }
            for parts in order
        ]

    def _separating(self, a: str, b: str, facts: Facts) -> tuple[Condition, ...]:
        one, other = self._condition[a], self._condition[b]
        mine, theirs = leaves(one), leaves(other)
        parts = list(dict.fromkeys((*mine, *theirs)))
        alike = (a, b, *(self._truth(p, facts) for p in parts))
        if alike not in self._found:
            own = [p for p in parts if (p in mine) != (p in theirs)]
            rest = [p for p in parts if p not in own]
            self._found[alike] = next(
                ((p,) for p in (*own, *rest) if self._agree_without(one, other, p, facts)), tuple(own)
            )
        return self._found[alike]

    def _agree_without(self, one: Condition, other: Condition, part: Condition, facts: Facts) -> bool:
        turned = Literal(~self._truth(part, facts))
        first, second = (self._truth(_with(c, part, turned), facts) for c in (one, other))
        return first is second


def leaves(condition: Condition) -> list[Condition]:
    """Return the parts of a condition that are joined by and, or and not."""
    match condition:
        case And(operands=operands) | Or(operands=operands):
            return [leaf for operand in operands for leaf in leaves(operand)]
        case Not(operand=operand):
            return leaves(operand)
        case Literal():
            return []
        case _:
            return [condition]


def _with(condition: Condition, part: Condition, instead: Condition) -> Condition:
    """Return a condition with something else in the place of a part."""
    if condition == part:
        return instead
    match condition:
        case And(operands=operands) | Or(operands=operands):
            return replace(condition, operands=tuple(_with(o, part, instead) for o in operands))
        case Not(operand=operand):
            return Not(_with(operand, part, instead))
        case _:
            return condition


def _kinds(subjects: Sequence[Subject]) -> dict[str, int]:
    counted = Counter(s.kind for s in subjects)
    return {name: counted[kind] for name, kind in KINDS.items()}
