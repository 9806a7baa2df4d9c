"""Questions about people: pairs of what is true of a person and what is asserted of them.

Assertions are sound or absent: a value that is known is the true one, an incomplete set is part of the true one.
What the model is, what is done with it and when are known, and so are who asks and as what; any other attribute of
the person may be unknown, unless it is said to be known. A posture says what is done with what cannot be decided,
as in `simulation.posture`; evidence asked for by step-up is taken to arrive, so that only the wrongly refused
remain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from abac.backends.smt import Lit, Lowered, ScalarBits, View, World, lower
from abac.compiler.program import Program, select
from abac.condition.expr import Condition
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Category
from abac.condition.truth import FALSE, TRUE
from abac.policy.decision import Effect, Extended, Outcome
from abac.policy.rule import Rule
from abac.proof.answer import Answer, Case, ProofError
from abac.proof.asking import ConditionText, known_attributes, typed_condition
from abac.proof.prove import SECONDS, is_late, prove
from abac.proof.question import Decide, all_rules, by_reference, conditions_of, obligations_of

IDENTITY = ("subject.id", "subject.kind")
"""Who asks, and as what: known of every request."""

PERSON = "person"
"""The kind of subject that a witness preferably is, where the schema has kinds."""


class Posture(Enum):
    """What is done with what cannot be decided; without one, only a DENY refuses."""

    STRICT = "strict"
    SHUTDOWN = "shutdown"
    STEP_UP = "step-up"
    LENIENT = "lenient"
    NONE = "none"


@dataclass(frozen=True)
class Refusal:
    """Nobody of whom a condition is true is refused under a posture, whatever of the truth is known.

    With `before`, a refusal counts only where that program permits the same request: what the change takes away.
    `discharges` are the obligations that are carried out; None is all of them.
    """

    program: Program
    condition: Condition
    text: str
    posture: Posture
    known: tuple[str, ...] = ()
    before: Program | None = None
    discharges: frozenset[str] | None = None
    _true: list[View] = field(default_factory=list, compare=False, repr=False)
    pairs = True

    @property
    def words(self) -> str:
        """The property as a sentence."""
        refused = "denied" if self.posture is Posture.NONE else f"refused under {self.posture.value}"
        known = f", with {', '.join(self.known)} known" if self.known else ""
        lost = "" if self.before is None else ", who had access before,"
        return f"nobody{lost} of whom this is true is {refused}{known}: {self.text}"

    @property
    def programs(self) -> Mapping[str, Program]:
        """The program asked about, and the one before."""
        return {"": self.program} if self.before is None else {"before": self.before, "after": self.program}

    @property
    def true_view(self) -> View | None:
        """The view of what is true; there once the goal was made."""
        return self._true[-1] if self._true else None

    def conditions(self) -> Iterable[Condition]:
        """The programs', and the one asked about."""
        return (*conditions_of(*self.programs.values()), self.condition)

    # --- as a formula ----------------------------------------------------------------------------------

    def goal(self, world: World) -> Lit:
        """That the condition is true of a person who is refused."""
        truth = world.truth()
        self._true.append(truth)
        world.known([p for p in world.asserted if p in self._known(world.asserted)])
        now = lower(self.program.root, world.lowering, world.asserted)
        whom = [world.lowering.pair(self.condition, truth).true, self._refused(now, truth, world)]
        if self.before is not None:
            had = lower(self.before.root, world.lowering, world.asserted)
            whom.append(self._permits(had, self.before))
        return world.circuit.all(whom)

    def _known(self, paths: Iterable[str]) -> set[str]:
        subject = f"{Category.SUBJECT.value}."
        return {p for p in paths if not p.startswith(subject) or p in IDENTITY or p in self.known}

    def _permits(self, lowered: Lowered, program: Program) -> Lit:
        owed = [o for o in obligations_of(program) if not o.advice]
        unpaid = [o for o in owed if self.discharges is not None and o.id not in self.discharges]
        return lowered.circuit.all((lowered.answer.permit, *(-lowered.owes(o, Effect.PERMIT) for o in unpaid)))

    def _refused(self, now: Lowered, truth: View, world: World) -> Lit:
        permits = self._permits(now, self.program)
        match self.posture:
            case Posture.NONE:
                return now.answer.deny
            case Posture.STRICT:
                return -permits
            case Posture.LENIENT:
                return -world.circuit.any((permits, now.undecided))
            case Posture.STEP_UP:
                proven = self._permits(lower(self.program.root, world.lowering, truth), self.program)
                return -world.circuit.any((permits, world.circuit.all((now.undecided, proven))))
            case Posture.SHUTDOWN:
                nobody = world.without(Category.SUBJECT)
                scopes = [-world.lowering.pair(rule.condition, nobody).false for rule in self._denials()]
                return world.circuit.any((-permits, *scopes))

    def _denials(self) -> list[Rule]:
        """Return the denials of directives; of a program without directives, all denials."""
        denials = [r for r in all_rules(self.program.root) if isinstance(r, Rule) and r.effect is Effect.DENY]
        return [r for r in denials if r.citation.directive] or denials

    def kept(self, paths: Iterable[str]) -> Collection[str]:
        """What is known of every request."""
        return self._known(paths)

    def preferences(self, world: World) -> Iterable[Sequence[Lit]]:
        """Prefer a natural person of whom one thing is not known, sensitive attributes before others."""
        person = self._person(world)
        schema = self.program.schema
        free = [p for p in world.asserted if p not in self._known(world.asserted)]
        order = [d.path for d in schema if d.path in free]
        for path in sorted(order, key=lambda p: not is_late(schema, p)):
            rest = [lit for p in free if p != path for lit in world.in_full(p)]
            yield [*person, -world.there(path), *rest]
        yield person

    def _person(self, world: World) -> list[Lit]:
        bits = world.asserted.get("subject.kind")
        if not isinstance(bits, ScalarBits) or PERSON not in bits.cells.firsts:
            return []
        place = bits.cells.place[PERSON]
        return [bits.run(place, place + 1, world.circuit)]

    # --- by the reference ------------------------------------------------------------------------------

    def broken(self, case: Case, decide: Decide = by_reference) -> bool:
        """Whether the condition is true of the person, all that must be known is, and the person is refused."""
        assert case.true is not None  # noqa: S101  # asked in pairs
        if Reference(case.true, self.program.functions).truth(self.condition) is not TRUE:
            return False
        if not sound(case) or any(case.asserted.get(p) != case.true[p] for p in self._known(case.true)):
            return False
        if self.before is not None and not self._permitted(decide(self.before, case.asserted)):
            return False
        return self._is_refused(case, decide)

    def _permitted(self, told: Outcome) -> bool:
        paid = self.discharges is None or {o.id for o in told.obligations} <= self.discharges
        return told.extended is Extended.PERMIT and paid

    def _is_refused(self, case: Case, decide: Decide) -> bool:
        told = decide(self.program, case.asserted)
        permitted = self._permitted(told)
        undecided = told.extended in (Extended.INDETERMINATE_P, Extended.INDETERMINATE_DP)
        match self.posture:
            case Posture.NONE:
                return told.extended is Extended.DENY
            case Posture.STRICT:
                return not permitted
            case Posture.LENIENT:
                return not (permitted or undecided)
            case Posture.STEP_UP:
                proven = undecided and self._permitted(decide(self.program, case.true or {}))
                return not (permitted or proven)
            case Posture.SHUTDOWN:
                ask = {p: a for p, a in case.asserted.items() if not p.startswith(f"{Category.SUBJECT.value}.")}
                nobody = Reference(ask, self.program.functions)
                return not permitted or any(nobody.truth(r.condition) is not FALSE for r in self._denials())


def posture_of(name: Posture | str) -> Posture:
    """Return the posture of a name. Raises `ProofError` where there is none."""
    found = next((p for p in Posture if name in (p, p.value)), None)
    if found is None:
        raise ProofError(f"no posture `{name}`; there are {', '.join(p.value for p in Posture)}")
    return found


def without_directives(program: Program) -> Program | None:
    """Return what is left of a program without its directives; None where it has none, or has nothing else."""
    rest = select(program, [])
    return rest if program.directives and any(all_rules(rest.root)) else None


def sound(case: Case) -> bool:
    """Whether what is asserted is so: the true value, or part of the true set; all of it where it says so."""
    assert case.true is not None  # noqa: S101  # asked in pairs
    return all(_sound(one, case.true.get(path)) for path, one in case.asserted.items())


def _sound(said: Assertion, true: Assertion | None) -> bool:
    if true is None:
        return False
    if isinstance(said.value, frozenset) and not said.complete:
        return said.value <= true.value  # type: ignore[operator]  # one schema: a set
    return said.value == true.value


def people(
    program: Program,
    condition: ConditionText,
    posture: Posture | str = Posture.STRICT,
    *,
    known: Sequence[str] = (),
    before: Program | None = None,
    discharges: frozenset[str] | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """Ask whether nobody of whom the condition is true is refused under a posture, whatever of the truth is known.

    `known` names attributes of the person that are verified and, where they are sets, complete; `before` is the
    program whose permits count, `discharges` the obligations carried out (None: all). Posture `none` asks about
    DENY alone. Raises `CompileError` for a condition that does not compile, `ProofError` for an unknown attribute.
    """
    known_attributes(program, known)
    typed, text = typed_condition(program, condition)
    return prove(
        Refusal(program, typed, text, posture_of(posture), tuple(known), before, discharges), seconds=seconds
    )
