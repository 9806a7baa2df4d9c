"""The questions as functions, one for each: what callers and the command line use.

Conditions are given as text in the policies' own language, or as linked and typed trees.
"""

from __future__ import annotations

from collections.abc import Sequence

from abac.compiler.program import Program
from abac.condition.expr import Condition
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text
from abac.errors import CompileError, Findings, Span, did_you_mean
from abac.language.condition import Context, read_condition
from abac.language.yaml_source import Text
from abac.policy.decision import Effect
from abac.proof.answer import Answer, ProofError, Proved
from abac.proof.prove import SECONDS, prove
from abac.proof.question import Equivalent, Never, NoWider

ConditionText = Condition | str


def equivalent(a: Program, b: Program, *, obligations: bool = False, seconds: float = SECONDS) -> Answer:
    """Ask whether two programs decide every request alike; with `obligations`, owe and advise the same, too.

    Raises `ProofError` where they do not have the attributes in common.
    """
    question = Equivalent(a, b, obligations)
    if a.revision == b.revision:
        return Proved(question.words, "they are one program, by their revision")
    return prove(question, seconds=seconds)


def no_wider(a: Program, b: Program, *, obligations: bool = False, seconds: float = SECONDS) -> Answer:
    """Ask whether `a` permits nothing that `b` does not; with `obligations`, nor for fewer obligations."""
    question = NoWider(a, b, obligations)
    if a.revision == b.revision:
        return Proved(question.words, "they are one program, by their revision")
    return prove(question, seconds=seconds)


def never_permits(
    program: Program,
    condition: ConditionText,
    *,
    possible: bool = False,
    reading: Sequence[str] = (),
    seconds: float = SECONDS,
) -> Answer:
    """Ask whether no request of which the condition is TRUE is decided PERMIT; with `possible`, nor UNKNOWN.

    With `reading`, only permits count that rest on a rule which reads one of those attributes.
    """
    return _never(Effect.PERMIT, program, condition, possible, reading, seconds)


def never_denies(
    program: Program,
    condition: ConditionText,
    *,
    possible: bool = False,
    reading: Sequence[str] = (),
    seconds: float = SECONDS,
) -> Answer:
    """Ask whether no request of which the condition is TRUE is decided DENY; with `possible`, nor UNKNOWN.

    With `reading`, only denials count that rest on a rule which reads one of those attributes.
    """
    return _never(Effect.DENY, program, condition, possible, reading, seconds)


def _never(
    effect: Effect,
    program: Program,
    condition: ConditionText,
    possible: bool,
    reading: Sequence[str],
    seconds: float,
) -> Answer:
    known_attributes(program, reading)
    typed, text = typed_condition(program, condition)
    return prove(Never(program, effect, typed, text, possible, tuple(reading)), seconds=seconds)


def typed_condition(program: Program, condition: ConditionText) -> tuple[Condition, str]:
    """Return a condition in a program's vocabulary, and its text. Raises `CompileError` with the place."""
    if not isinstance(condition, str):
        return condition, condition_text(condition)
    context = Context(Vocabulary(program.schema, program.functions), program.lists, program.persons)
    findings = Findings()
    read = read_condition(Text(condition, Span("<condition>")), context, findings)
    findings.raise_errors(CompileError)
    assert read is not None  # noqa: S101  # no errors, so there is one
    return read, condition


def known_attributes(program: Program, paths: Sequence[str]) -> None:
    """Raise `ProofError` for a name that is no attribute of the program's schema."""
    for path in paths:
        if path not in program.schema:
            hint = did_you_mean(path, program.schema.attributes)
            raise ProofError(f"no attribute `{path}` in the schema" + (f"; {hint}" if hint else ""))
