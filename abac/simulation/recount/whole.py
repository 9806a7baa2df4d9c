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
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.simulation.population import Population
from abac.simulation.recount.counting import share, weight
from abac.simulation.recount.elsewhere import Elsewhere
from abac.simulation.recount.judge import Judge, conditions, undecided
from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import Subject, rows, subjects
from abac.simulation.run import Inputs
from abac.simulation.timeline import instant


@dataclass
class Recount:
    """The report, counted again: of `given` subjects, or of the population's own."""

    inputs: Inputs
    given: list[Subject] | None = None
    told: Judge | None = None
    _studies: dict[str, StudyRecount] = field(default_factory=dict)

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
        """Count whom each reading of the matrix finds foreign, and on whom each two disagree."""
        readings = self.inputs.scenario.readings
        condition = {t: self.inputs.program.persons[t].condition for t in readings}
        truths = {
            t: {s: self.judge.truth(condition[t], s.true, None, None) for s in self.subjects} for t in readings
        }
        pairs = []
        for a, b in combinations(readings, 2):
            known = [s for s in self.subjects if UNKNOWN not in (truths[a][s], truths[b][s])]
            differ = [s for s in known if truths[a][s] is not truths[b][s]]
            pairs.append({"a": a, "b": b, "disagree": _kinds(differ)})
        found = [[s for s, truth in truths[t].items() if truth is TRUE] for t in readings]
        return {
            "tests": [{"id": t, "foreign": _kinds(own)} for t, own in zip(readings, found, strict=True)],
            "pairs": pairs,
        }

    def blackout(
        self, coverage: float, start: Population, covered: Population, on_file: Sequence[bool]
    ) -> dict[str, Any]:
        """Return a sweep's row: each subject as it is in `covered` where it is `on_file`, else as in `start`."""
        study = self.study(self.inputs.scenario.in_force)
        about = [(s, ask) for s, ask in study.had if study.about(ask)]
        read = {p for c in conditions(study.study.after) for p in attributes(c)}
        sides = rows_of(start, read), rows_of(covered, read)
        drawn = {s: sides[on_file[i]][i] for i, s in enumerate(self.subjects)}
        after = {(s, ask): self.judge.decide(study.study.after, drawn[s], ask, study.study.at) for s, ask in about}
        decided = weight(r for r in about if not undecided(after[r]))
        citizens = {s for s, _ in about if s.is_person and "US" in _citizenships(s)}
        denied = {s for s, ask in about if not after[s, ask].permitted}
        return {
            "coverage": coverage,
            "decidable_share": share(decided, weight(about)) or 0.0,
            "citizens_denied_share": share(len(citizens & denied), len(citizens)) or 0.0,
        }

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
        """Return, per tier and provider, the employers whose only permitted use at the tier is that provider's."""
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
                if s.organisation is not None and s.kind != "agent":
                    providers[s.organisation].add(found_model.provider)
                    users[s.organisation].add(s)
            for provider in sorted(seen):
                dark = sorted(o for o, used in providers.items() if used == {provider})
                found.append(
                    {
                        "provider": provider,
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


def _kinds(subjects: Sequence[Subject]) -> dict[str, int]:
    counted = Counter(s.kind for s in subjects)
    return {"people": counted["person"], "agents": counted["agent"], "keys": counted["organisation_key"]}


def _citizenships(subject: Subject) -> frozenset[Any]:
    held = subject.true.get("subject.citizenships_current")
    return frozenset() if held is None else held.value  # type: ignore[return-value]
