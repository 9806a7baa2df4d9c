"""Write a plan as the two texts that Casbin loads: a model and its policy rows.

A row that no reader could take, since it is too long or nested too deep, is cut at its alternatives; one that
cannot be cut is left out where it permits, and denies everything where it denies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from abac.condition.expr import And, Condition, Member, Or, SetConstant
from abac.errors import Findings, Span
from abac.language.casbin import EFFECTS, MAX_ROW
from abac.language.casbin_out.plan import Line, Plan
from abac.language.casbin_out.text import StockText, row_id
from abac.language.casbin_out.unsaid import Notes
from abac.language.names import Names
from abac.language.parser import parse
from abac.language.yaml_source import Text
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm

WORDS = {Effect.PERMIT: "allow", Effect.DENY: "deny"}
LONGEST = MAX_ROW - 1000
"""The longest rule text in a row, which has an id and an effect besides."""

MODEL = """\
[request_definition]
r = sub, obj, act, env

[policy_definition]
p = id, rule, eft

[policy_effect]
e = {effect}

[matchers]
m = eval(p.rule)
"""


def model_text(effect: Algorithm) -> str:
    """Return the model: a row is an id, a rule and an effect, and rows combine as `effect` says."""
    words = next(text for text, (algorithm, _) in EFFECTS.items() if algorithm is effect)
    return MODEL.format(effect=words.replace("p_eft", "p.eft"))


def rows_text(plan: Plan, text: StockText, notes: Notes) -> str:
    """Return the rows. There is always one, since stock raises on a policy without any."""
    seen: dict[str, int] = {}
    rows = [
        f"p, {_unique(row_id(line.id), seen)}, {written}, {WORDS[line.effect]}"
        for line in plan.lines
        for written in _texts(line, text, notes)
    ]
    return "".join(f"{row}\n" for row in rows or [f"p, nothing, False, {WORDS[Effect.DENY]}"])


def _unique(name: str, seen: dict[str, int]) -> str:
    """Return the id, numbered from its second row on."""
    number = seen[name] = seen.get(name, 0) + 1
    made = name if number == 1 else f"{name}~{number}"
    return made if number == 1 or made not in seen else _unique(name, seen)


def _texts(line: Line, text: StockText, notes: Notes) -> Iterator[str]:
    """Yield the rule texts that a line comes to: one, where it fits in a row."""
    waiting = [line.condition]
    while waiting:
        condition = waiting.pop()
        written = text.condition(condition)
        if len(written) <= LONGEST and _reads(written):
            yield written
            continue
        parts = _halves(condition)
        if parts is not None:
            waiting += reversed(parts)
        elif line.effect is Effect.DENY:
            notes.add(
                line.place, f"row {line.id}", "too long or nested too deep for a row", "it denies everything"
            )
            yield "True"
        else:
            notes.add(line.place, f"row {line.id}", "too long or nested too deep for a row", "left out")


def _reads(written: str) -> bool:
    findings = Findings()
    return parse(Text(written, Span()), Names(), findings) is not None


def _halves(condition: Condition) -> tuple[Condition, Condition] | None:
    """Return two conditions of which one holds exactly where this one does, or None if it has no alternatives."""
    match condition:
        case Or(operands=operands) if len(operands) > 1:
            middle = len(operands) // 2
            return Or(operands[:middle]), Or(operands[middle:])
        case Or(operands=(only,)) | And(operands=(only,)):
            return _halves(only)
        case Member(collection=SetConstant(values=values) as written) if len(values) > 1:
            listed = sorted(values)
            middle = len(listed) // 2
            first, second = frozenset(listed[:middle]), frozenset(listed[middle:])
            return (
                replace(condition, collection=replace(written, values=first)),
                replace(condition, collection=replace(written, values=second)),
            )
        case And(operands=operands):
            return _within(operands)
        case _:
            return None


def _within(operands: tuple[Condition, ...]) -> tuple[Condition, Condition] | None:
    """Cut a conjunction at the alternatives of the largest of its parts that has any."""
    sizes = sorted(range(len(operands)), key=lambda i: -len(repr(operands[i])))
    for i in sizes:
        parts = _halves(operands[i])
        if parts is not None:
            before, after = operands[:i], operands[i + 1 :]
            return And((*before, parts[0], *after)), And((*before, parts[1], *after))
    return None
