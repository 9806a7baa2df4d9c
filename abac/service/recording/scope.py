"""Where an entry must be in the log before the answer leaves: the scopes of binding directives, compiled.

Beside it stands what the posture `shutdown` switches off, since that too is asked of directives' scopes.

Every clause of every binding directive becomes a denying rule: its scope, while the directive is in force,
exemptions not counted. Under deny-overrides a request is in no scope if and only if nothing denies and nothing
might: so UNKNOWN is in scope. Nobody reads the outcome, so none is put together where something is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abac.compiler.combiner import combiner
from abac.compiler.index import build
from abac.compiler.outcomes import Outcomes
from abac.compiler.program import Program
from abac.compiler.quick import Run, generate
from abac.compiler.runner import runner
from abac.condition.expr import And, Condition, Or
from abac.condition.rewrite import simplify
from abac.condition.terms import Vocabulary
from abac.errors import CompileError, Findings, Span
from abac.language.condition import Context, read_condition
from abac.language.yaml_source import Text
from abac.policy.decision import Effect, Extended, Outcome
from abac.policy.directive import Clause, ClauseKind, Directive
from abac.policy.request import Request
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

RequiredFor = Condition | str | Callable[[Any], bool]
"""What else must be in the log first: a condition, its text, or a function of the request's resource."""


class Scope:
    """Says of a request whether a binding directive's scope, or the caller's own, is TRUE or UNKNOWN for it."""

    def __init__(
        self, program: Program, required_for: RequiredFor | None = None, *, directives: bool = True
    ) -> None:
        """Compile the question, without the `directives` or with them.

        Raises `CompileError` for a text that is no condition over the program's schema.
        """
        rules = _rules(program) if directives else []
        self._own: Callable[[Any], bool] | None = None
        if isinstance(required_for, str):
            rules.append(Rule("required-for", Effect.DENY, _read(required_for, program)))
        elif callable(required_for):
            self._own = required_for
        elif required_for is not None:
            rules.append(Rule("required-for", Effect.DENY, required_for))
        self._run = _compiled(rules, program) if rules else None

    def holds(self, request: Request) -> bool:
        """Whether the request is in a scope, or might be."""
        if self._run is not None and self._run(request, _NONE).extended.may_deny:
            return True
        return self._own is not None and self._asks(request.resource)

    def _asks(self, resource: Any) -> bool:
        try:
            return self._own is not None and self._own(resource) is not False
        except Exception:  # noqa: BLE001  # what cannot be answered is unknown, so in scope
            return True


class SwitchedOff:
    """Says of a request whether the posture `shutdown` refuses it, to everybody.

    It does wherever a denying clause of a directive in force has the model and the action in its scope, or might
    have; whoever asks, and who is exempted, does not count.
    """

    def __init__(self, program: Program) -> None:
        self._run = _compiled(rules, program) if (rules := _switches(program)) else None

    def holds(self, request: Request) -> bool:
        """Whether nobody may make this request."""
        return self._run is not None and self._run(request, _NONE).extended.may_deny


class _Outcomes(Outcomes):
    """Outcomes of which only the extended decision counts."""

    def undecided(self, answer: int, *_: Any) -> Outcome:
        """Return that something is unknown, without what it is."""
        return _UNDECIDED[answer]


_UNDECIDED = {int(e): Outcome(e, permitted=False) for e in Extended}
_NONE: frozenset[str] = frozenset()


def _compiled(rules: list[Rule], program: Program) -> Run:
    policy = Policy("scopes", Algorithm.DENY_OVERRIDES, tuple(rules))
    root = PolicySet("scopes", Algorithm.DENY_OVERRIDES, (policy,))
    index = build(root, program.schema, program.functions)
    return generate(root, runner(index, combiner(root, index), _Outcomes(index, program.revision)))


def _rules(program: Program) -> list[Rule]:
    return [
        _while_in_force(directive, clause, clause.scope)
        for directive in program.directives
        if directive.binding
        for clause in directive.clauses
    ]


def _switches(program: Program) -> list[Rule]:
    return [
        _while_in_force(directive, clause, And((clause.resource, clause.action)))
        for directive in program.directives
        for clause in directive.clauses
        if clause.kind is ClauseKind.DENY
    ]


def _while_in_force(directive: Directive, clause: Clause, scope: Condition) -> Rule:
    in_force = Or(tuple(interval.condition() for interval in directive.in_force()))
    return Rule(f"{directive.id}/{clause.id}", Effect.DENY, simplify(And((in_force, scope))))


def _read(text: str, program: Program) -> Condition:
    findings = Findings()
    context = Context(Vocabulary(program.schema, program.functions), program.lists, program.persons)
    condition = read_condition(Text(text, Span("required_for", 1, 1)), context, findings)
    findings.raise_errors(CompileError)
    assert condition is not None  # noqa: S101  # no errors, so there is one
    return condition
