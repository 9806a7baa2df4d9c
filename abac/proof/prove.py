"""Prove, refute, or say why neither: the one loop that every question goes through.

A model of what would break the property is turned into a request and put to the reference. If the request breaks
it, that is a refutation. If not, an atom outside the encoding was given an answer it does not give there: the
reference says which one it gives, and the search goes on. When nothing is left, the property is proved if nothing
breaks it whatever such atoms answer of values that were not tried; else it is undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from abac.backends.smt import Guard, Halted, Lit, Model, Solver, View, World
from abac.condition.schema import Schema
from abac.condition.text import condition_text
from abac.proof.answer import Answer, Case, Proved, Refuted, Undecided, Witness
from abac.proof.question import Question, checked_schema, functions_of
from abac.proof.witness import Broken, as_request, by_engine, forgotten_least, minimised, replayed

SECONDS = 30.0
"""How long a question may take where nothing else is said."""

MOST_TRIES = 400
"""Requests tried before atoms outside the encoding are taken to stand in the way."""


def prove(question: Question, *, seconds: float = SECONDS) -> Answer:
    """Return the answer to a question, within a time; a hard one comes back undecided.

    Raises `ProofError` where the programs do not have the attributes or functions in common.
    """
    checked_schema(question)
    functions = functions_of(question.programs.values())
    with Guard(seconds) as guard:
        try:
            world = World(question.conditions(), functions, pairs=question.pairs, halted=lambda: guard.expired)
            goal = question.goal(world)
            search = Search(world, guard, question.true_view)
            found = search.settle([goal], question.broken, question.preferences(world))
        except Halted as halt:
            return Undecided(question.words, str(halt))
        if isinstance(found, Case):
            return Refuted(question.words, witness(question, found, guard))
        if isinstance(found, Nothing):
            return Proved(question.words, found.note)
        return Undecided(question.words, found, search.atoms)


def witness(question: Question, case: Case, guard: Guard) -> Witness:
    """Return what is shown of a case: minimised, and decided anew by the engine and the reference."""
    programs = question.programs
    broken = partial(question.broken, decide=by_engine)
    if case.true is None:
        small = minimised(case, broken, lambda: guard.expired)
    else:
        *_, asked = programs.values()
        small = forgotten_least(
            case,
            broken,
            lambda tried: by_engine(asked, tried.asserted).unknown,
            lambda path: is_late(asked.schema, path),
            lambda: guard.expired,
            question.kept(case.true),
        )
    assert question.broken(small)  # noqa: S101  # the engine equals the reference
    request = as_request(small.asserted)
    shown = tuple(replayed(program, request, name) for name, program in programs.items())
    unknown = tuple(p for p, one in (small.true or {}).items() if small.asserted.get(p) != one)
    return Witness(small, request, shown, unknown)


def is_late(schema: Schema, path: str) -> bool:
    """Whether an attribute of a person is the last to be taken for known: the sensitive ones are."""
    definition = schema.get(path)
    return definition is not None and definition.sensitive


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no case. `note` says what that rests on, where atoms are outside the encoding."""

    note: str = ""


class Search:
    """Looks for cases in one world; what is learned of atoms outside the encoding serves all goals."""

    def __init__(self, world: World, guard: Guard, true: View | None = None, tries: int = MOST_TRIES) -> None:
        self._world, self._guard, self._true, self._tries = world, guard, true, tries
        self._believed = world.circuit.variable()
        self._solver = Solver(world.circuit, guard)
        self._solver.add(world.laws)
        self._blamed: dict[str, None] = {}
        self._believing = False

    @property
    def atoms(self) -> tuple[str, ...]:
        """The tests outside the encoding that stood in the way of the last goal, as text."""
        return tuple(self._blamed)

    def settle(
        self, goals: Sequence[Lit], broken: Broken, preferences: Iterable[Sequence[Lit]] = ()
    ) -> Case | Nothing | str:
        """Return a case in which the goals hold and that is broken, that there is none, or why neither is known.

        Of several cases one is taken that meets the first preference that can be met.
        """
        self._blamed = {}
        for _ in range(self._tries):
            model = self._model([*goals, self._believed])
            if isinstance(model, str):
                return model
            if model is None:
                return self._nothing(goals)
            case = self._case(model)
            if broken(case):
                return self._preferred(goals, broken, preferences) or case
            self._learn(model, case)
        return f"{self._tries} requests were tried in vain"

    def _nothing(self, goals: Sequence[Lit]) -> Nothing | str:
        """What was learned of single values is no proof: the goals must be impossible without it."""
        model = self._model(goals) if self._believing else None
        if model is None:
            return Nothing("whatever the tests outside the encoding answer" if self._world.lowering.opens else "")
        return model if isinstance(model, str) else "tests outside the encoding decide it"

    def _preferred(
        self, goals: Sequence[Lit], broken: Broken, preferences: Iterable[Sequence[Lit]]
    ) -> Case | None:
        for preference in preferences:
            model = self._model([*goals, *preference, self._believed])
            if isinstance(model, Model) and broken(case := self._case(model)):
                return case
        return None

    def _model(self, goals: Sequence[Lit]) -> Model | str | None:
        values = self._solver.solve(goals)
        if values is None:
            return self._solver.why
        return None if isinstance(values, bool) else Model(self._world.circuit, values)

    def _case(self, model: Model) -> Case:
        asserted = model.assertions(self._world.asserted)
        if self._true is None:
            return Case(asserted)
        true = model.assertions(self._true)
        for (
            path,
            one,
        ) in asserted.items():  # a cell of many values may be asserted by more of them than stand for it
            if isinstance(one.value, frozenset):
                true[path] = replace(true[path], value=true[path].value | one.value)  # type: ignore[operator]  # a set
        return Case(asserted, true)

    def _learn(self, model: Model, case: Case) -> None:
        """Take in what the atoms outside the encoding really answer, where the model had it otherwise."""
        lessons = [(one, self._world.learn(one, model)) for one in self._world.lowering.opens]
        wrong = [(one, lesson) for one, lesson in lessons if lesson.differs]
        assert wrong, case  # noqa: S101  # the encoding is exact but for these
        for one, lesson in wrong:
            self._blamed.setdefault(condition_text(one.atom))
            laws = lesson.laws
            if not lesson.exact:
                self._believing = True
                laws = tuple(self._world.circuit.implies(self._believed, law) for law in laws)
            self._solver.add(laws)
