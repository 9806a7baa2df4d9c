"""Search the smallest change of attributes after which a request is decided otherwise.

Smallest: the fewest attributes; then those declared earliest in the schema; then, one attribute after the other,
the value nearest to the present one. A change gives an attribute another value, or the same one, founded well
enough for every rule that reads it, sets complete: forgetting something is no change. What is found was decided by
`decide`. Sets of attributes are tried by size, and given up as soon as no values of theirs can lead to a wanted
decision; values are `cells`' part. Where a condition reads several changeable attributes in one test, or computes,
the values tried are not all there are, and `exact` says whether that matters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abac.compiler.program import Program
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.types import Value
from abac.pdp.decide import decide
from abac.pdp.opened import Opened
from abac.pdp.standing import Facts
from abac.policy.decision import Decision, Extended, Outcome
from abac.policy.request import Request

LIMIT = 4_000
"""How many times the search asks what may still be reached, before it gives up and says so."""

IDENTITY = ("subject.id", "subject.kind", "resource.id")
"""What says who asks for what: another value would be another request, not another decision of this one."""


@dataclass(frozen=True, slots=True)
class Found:
    """The assertions that change, by full name, and what `decide` then answers; none where nothing was found."""

    changes: Mapping[str, Assertion]
    outcome: Outcome | None
    exact: bool
    finished: bool
    mutable: tuple[str, ...]


class _LimitReachedError(Exception):
    """Control flow inside this module: the search has used up its steps."""


def changeable(program: Program) -> tuple[str, ...]:
    """Return what may change where nothing is said: attributes of subject and resource that name neither."""
    of = (Category.SUBJECT, Category.RESOURCE)
    return tuple(d.path for d in program.schema if d.category in of and d.path not in IDENTITY)


def search(
    program: Program,
    facts: Facts,
    wanted: Collection[Decision],
    *,
    mutable: Collection[str] | None = None,
    discharges: frozenset[str] = frozenset(),
    limit: int = LIMIT,
) -> Found:
    """Return the smallest change of what a request asserts that gets it one of the `wanted` decisions.

    `mutable` names the attributes that may change (default: `changeable`). Raises `KeyError` for one that the
    schema does not have.
    """
    names = changeable(program) if mutable is None else tuple(mutable)
    for name in names:
        program.schema[name]
    opened = Opened(program, facts.assertions, frozenset(names))
    return _Search(program, facts, wanted, opened, discharges, limit).run()


@dataclass(slots=True)
class _Search:
    program: Program
    facts: Facts
    wanted: Collection[Decision]
    opened: Opened
    discharges: frozenset[str]
    limit: int
    steps: int = 0
    exact: bool = True
    may: dict[int, bool] = field(default_factory=dict)

    def run(self) -> Found:
        paths = tuple(d.path for d in self.opened.free)
        try:
            for size in range(1, len(self.opened.free) + 1):
                exact = self.exact
                for chosen in self._chosen(0, 0, size):
                    for changes in self._changes(chosen):
                        outcome = decide(
                            self.program,
                            request_of({**self.facts.assertions, **changes}),
                            discharges=self.discharges,
                        )
                        if outcome.extended.decision in self.wanted:
                            return Found(changes, outcome, exact, True, paths)
        except _LimitReachedError:
            return Found({}, None, False, False, paths)
        return Found({}, None, self.exact, True, paths)

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.limit:
            raise _LimitReachedError

    def _leads(self, answers: Collection[Extended]) -> bool:
        return any(a.decision in self.wanted for a in answers)

    # --- which attributes ----------------------------------------------------------------------------------

    def _chosen(self, chosen: int, start: int, left: int) -> Iterator[int]:
        """Yield sets of `left` more attributes, as bits, that may lead to a wanted decision, in schema order."""
        if left == 0:
            if self._may(chosen):
                yield chosen
            return
        for at in range(start, len(self.opened.free) - left + 1):
            rest = (1 << len(self.opened.free)) - (1 << at)
            if not self._may(chosen | rest):
                return  # nor with any fewer attributes to choose from
            yield from self._chosen(chosen | 1 << at, at + 1, left - 1)

    def _may(self, chosen: int) -> bool:
        if chosen not in self.may:
            self._step()
            self.may[chosen] = self._leads(self.opened.reach([d.path for d in self._definitions(chosen)]))
        return self.may[chosen]

    def _definitions(self, chosen: int) -> list[AttributeDefinition]:
        return [d for n, d in enumerate(self.opened.free) if chosen >> n & 1]

    # --- which values --------------------------------------------------------------------------------------

    def _changes(self, chosen: int) -> Iterator[dict[str, Assertion]]:
        """Yield changes of exactly the chosen attributes that lead to a wanted decision, the nearest first."""
        free = self._definitions(chosen)
        paths = [d.path for d in free]
        held: list[list[Assertion]] = []
        for definition in free:
            now = self.facts.assertions.get(definition.path)
            values, exact = self.opened.values(definition, None if now is None else now.value, paths)
            held.append(list(self._founded(definition, values)))
            self.exact &= exact
        yield from self._assign(free, held, {})

    def _assign(
        self,
        free: Sequence[AttributeDefinition],
        held: Sequence[Sequence[Assertion]],
        given: dict[str, Assertion],
    ) -> Iterator[dict[str, Assertion]]:
        if not free:
            yield given
            return
        rest = [d.path for d in free[1:]]
        for one in held[0]:
            self._step()
            trial = {**given, free[0].path: one}
            if self._leads(self.opened.reach(rest, trial)):
                yield from self._assign(free[1:], held[1:], trial)

    def _founded(self, definition: AttributeDefinition, values: Sequence[Value]) -> Iterator[Assertion]:
        """Yield each value as an assertion good enough for every rule; the present one only if it was not."""
        now = self.facts.assertions.get(definition.path)
        demanded = self.program.demands[definition.path]
        level = max(demanded, Assurance.INFERRED if now is None else now.assurance)
        if now is not None and (now.assurance < level or not now.complete or now.elements):
            yield Assertion(now.value, level)
        yield from (Assertion(v, level) for v in values if now is None or v != now.value)


def request_of(found: Mapping[str, Assertion]) -> Request:
    """Return a request that asserts exactly what was found, each value saying how well it is founded."""
    parts: dict[str, dict[str, Any]] = {c.value: {} for c in Category}
    for path, one in found.items():
        category, name = path.split(".", 1)
        own = dict(one.elements)
        value = one.value
        if isinstance(value, frozenset):
            value = [{"value": v, "assurance": own[v]} if v in own else v for v in value]  # type: ignore[assignment]  # for the door
        parts[category][name] = {
            "value": value,
            "assurance": one.assurance,
            "complete": one.complete,
            "source": one.source,
        }
    return Request(**parts)  # type: ignore[arg-type]  # a mapping for each category
