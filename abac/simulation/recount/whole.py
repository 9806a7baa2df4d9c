"""A report counted again, from the rows up: every integer and every ratio of it, by the reference.

Subject by subject and request by request, in plain Python, written from the definitions of the report's words and
not from the engine that counted first. Which subjects are looked at is `sample`'s part, comparing is `verify`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

from abac.compiler.program import select
from abac.condition.expr import attributes
from abac.condition.reference import Assertion
from abac.condition.truth import FALSE, TRUE
from abac.simulation.population import Population
from abac.simulation.recount.counting import share, weight
from abac.simulation.recount.elsewhere import Elsewhere
from abac.simulation.recount.frontier import Sides, frontier
from abac.simulation.recount.judge import Judge, conditions, undecided
from abac.simulation.recount.matrix import MatrixRecount
from abac.simulation.recount.sources import GroupOf, groupings, second_sources
from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import Ask, Subject, rows, subjects
from abac.simulation.run import CITIZENSHIPS, SELECTIVE, Inputs
from abac.simulation.timeline import instant


@dataclass
class Recount:
    """The report, counted again: of `given` subjects, or of the population's own."""

    inputs: Inputs
    given: list[Subject] | None = None
    told: Judge | None = None
    _studies: dict[str, StudyRecount] = field(default_factory=dict)
    _sides: dict[int, tuple[Population, list[dict[str, Assertion]]]] = field(default_factory=dict)

    @cached_property
    def judge(self) -> Judge:
        """Who decides; `told` where one is given, so that several recounts share what was decided."""
        return self.told or Judge(self.inputs)

    @cached_property
    def subjects(self) -> list[Subject]:
        """The subjects counted."""
        if self.given is not None:
            return self.given
        return subjects(self.inputs.population, self.inputs.scenario.postures["step-up"].completion)

    @cached_property
    def us_persons(self) -> set[Subject]:
        """Who is certainly not foreign under the scenario's test."""
        test = self.inputs.program.persons[self.inputs.scenario.us_person_is_not].condition
        return {s for s in self.subjects if self.judge.truth(test, s.true, None, None) is FALSE}

    def study(self, name: str) -> StudyRecount:
        """Return one study, counted again."""
        if name not in self._studies:
            self._studies[name] = StudyRecount(
                self.judge,
                next(s for s in self.inputs.studies if s.id == name),
                self.subjects,
                self.us_persons,
            )
        return self._studies[name]

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries of all directives, in the report's order."""
        for study in (self.study(s.id) for s in self.inputs.studies):
            for posture in self.inputs.postures:
                common = study.common(posture) | Elsewhere(study, posture).figures()
                for yardstick in ("scope", "purpose"):
                    yield common | study.yardstick(posture, yardstick)

    # --- the rest of the report ------------------------------------------------------------------------

    def options(self) -> list[dict[str, Any]]:
        """Count the table of options."""
        study = self.study(self.inputs.scenario.in_force)
        return [Elsewhere(study, posture).option() for posture in self.inputs.postures]

    def person_tests(self) -> dict[str, Any]:
        """Count the people on whom each pair of person tests disagrees."""
        tests = self.inputs.scenario.person_tests
        condition = {t: self.inputs.program.persons[t].condition for t in tests}
        people = [s for s in self.subjects if s.is_person]
        foreign = {
            t: {s for s in people if self.judge.truth(condition[t], s.true, None, None) is TRUE} for t in tests
        }
        return {f"{a}|{b}": {"disagree": len(foreign[a] ^ foreign[b])} for a, b in combinations(tests, 2)}

    def matrix(self) -> dict[str, Any]:
        """Count the readings of who is foreign, side by side."""
        return MatrixRecount(
            self.judge, self.inputs.scenario.readings, {s: s.true for s in self.subjects}
        ).section()

    def frontier(self) -> list[dict[str, Any]]:
        """Count the frontier, at every coverage where the truth is known."""
        inputs, studies = self.inputs, [self.study(s.id) for s in self.inputs.studies]
        end = next((e for e in inputs.sweeps if e.name == SELECTIVE), None)
        sides = None
        if end is not None and inputs.population.truth is not None:
            read = {p for s in studies for c in conditions(s.study.after) for p in attributes(c)}
            without, with_ = (
                dict(zip(self.subjects, rows_of(population, read), strict=True))
                for population in (end.start or inputs.population, end.population)
            )
            threshold = dict(zip(self.subjects, end.threshold.tolist(), strict=True))
            sides = Sides(without, with_, threshold, inputs.scenario.coverage)
        return frontier(studies, inputs.postures, sides)

    def selective(self) -> dict[str, Any]:
        """Return the least coverage in hundredths that leaves at most the tolerated share undecided."""
        tolerated, coverage = self.inputs.scenario.tolerated_error, None
        end = next((e for e in self.inputs.sweeps if e.name == SELECTIVE), None)
        if end is not None:
            study = self.study(self.inputs.scenario.in_force)
            about = [
                (i, s, ask) for i, s in enumerate(self.subjects) for ask in s.use if self._may_lose(study, s, ask)
            ]
            whole, decided = weight((s, ask) for _, s, ask in about), []
            for population in (end.start or self.inputs.population, end.population):
                side, sums = self._side(population), [0] * len(self.subjects)
                for i, s, ask in about:
                    outcome = self.judge.decide(study.study.after, side[i], ask, study.study.at)
                    sums[i] += 0 if undecided(outcome) else s.use[ask]
                decided.append(sums)
            for c in (n / 100 for n in range(101)):
                on_file = (end.threshold < c).tolist()
                known = sum(decided[on][i] for i, on in enumerate(on_file))
                if 1 - (share(known, whole) or 0.0) <= tolerated:
                    coverage = c
                    break
        return {"tolerated_error": tolerated, "coverage": coverage, "sweep": SELECTIVE}

    @staticmethod
    def _may_lose(study: StudyRecount, subject: Subject, ask: Ask) -> bool:
        return (subject, ask) in study.had and study.about(ask)

    def blackout(
        self, coverage: float, start: Population, covered: Population, on_file: Sequence[bool]
    ) -> dict[str, Any]:
        """Return a sweep's row: each subject as it is in `covered` where it is `on_file`, else as in `start`."""
        study = self.study(self.inputs.scenario.in_force)
        about = [(s, ask) for s, ask in study.had if study.about(ask)]
        sides = self._side(start), self._side(covered)
        drawn = {s: sides[on_file[i]][i] for i, s in enumerate(self.subjects)}
        after = {(s, ask): self.judge.decide(study.study.after, drawn[s], ask, study.study.at) for s, ask in about}
        decided = weight(r for r in about if not undecided(after[r]))
        citizens = {s for s, _ in about if s.is_person and self._citizen(s)}
        denied = {s for s, ask in about if not after[s, ask].permitted}
        return {
            "coverage": coverage,
            "decidable_share": share(decided, weight(about)) or 0.0,
            "citizens_denied_share": share(len(citizens & denied), len(citizens)) or 0.0,
        }

    def _side(self, population: Population) -> list[dict[str, Assertion]]:
        """Return what a population has on file of what the directive in force reads, once for all coverages."""
        if id(population) not in self._sides:
            study = self.study(self.inputs.scenario.in_force).study
            read = {p for c in conditions(study.after) for p in attributes(c)}
            self._sides[id(population)] = population, rows_of(population, read)
        return self._sides[id(population)][1]

    def _citizen(self, subject: Subject) -> bool:
        """Whether a subject is a US citizen; of a schema without citizenships, a US person."""
        if CITIZENSHIPS not in self.inputs.program.schema:
            return subject in self.us_persons
        held = subject.true.get(CITIZENSHIPS)
        return held is not None and "US" in held.value  # type: ignore[operator]  # a set attribute

    def timeline(self) -> list[dict[str, Any]]:
        """Count the share permitted of each model on each date."""
        scenario, found = self.inputs.scenario, []
        for moment in scenario.timeline:
            then = select(self.inputs.program, scenario.timeline_directives, as_known_at=moment.as_of)
            whole: Counter[str] = Counter()
            permitted: Counter[str] = Counter()
            for s in self.subjects:
                for ask, requests in s.use.items():
                    outcome = self.judge.decide(then, s.asserted, ask, moment.as_of)
                    whole[ask[0]] += requests
                    permitted[ask[0]] += requests * outcome.permitted
            found += [
                {
                    "as_of": instant(moment.as_of),
                    "model": m,
                    "permitted_share": permitted[m] / whole[m],
                    "event": moment.event,
                }
                for m in self.judge.models
                if whole[m]
            ]
        return found

    def dependence(self) -> list[dict[str, Any]]:
        """Return the employers, and the teams, whose only permitted use at a tier is one provider's."""
        groups = groupings(self.inputs.scenario.team)
        return [row for by, group_of in groups.items() for row in self._dark(by, group_of)]

    def second_sources(self) -> list[dict[str, Any]]:
        """Return whom each provider leaves dark, and what the cheapest second source of it costs."""
        before = self.study(self.inputs.scenario.in_force).study.before
        return second_sources(self.judge, before, self.subjects)

    def _dark(self, by: str, group_of: GroupOf) -> list[dict[str, Any]]:
        scenario, found = self.inputs.scenario, []
        had = self.study(scenario.in_force).had
        for tier in scenario.tiers:
            providers: dict[str, set[str]] = defaultdict(set)
            users: dict[str, set[Subject]] = defaultdict(set)
            seen: set[str] = set()
            for s, (model, _) in had:
                found_model = self.judge.models[model]
                if found_model.level(scenario.capability, parity_shown=False) < tier:
                    continue
                seen.add(found_model.provider)
                group = group_of(s)
                if group is not None and s.kind != "agent":
                    providers[group].add(found_model.provider)
                    users[group].add(s)
            for provider in sorted(seen):
                dark = sorted(o for o, used in providers.items() if used == {provider})
                found.append(
                    {
                        "provider": provider,
                        "by": by,
                        "employers_dark": len(dark),
                        "tier": tier,
                        "users": sum(s.is_person for o in dark for s in users[o]),
                        "employers": dark[:5],
                    }
                )
        return found


def rows_of(population: Population, read: Collection[str]) -> list[dict[str, Assertion]]:
    """Return what each row asserts of the attributes read."""
    frame = population.asserted.select([c for c in population.asserted.columns if c.split("@")[0] in read])
    return list(rows(frame, population.schema, population.assurance, population.complete))
