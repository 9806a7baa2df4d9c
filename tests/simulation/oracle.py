"""A brute-force recount of report.json: subject by subject, request by request, in plain Python.

Written from the definitions of the report's words, not from the engine: decisions are `policy.reference.decide`,
truths are `condition.reference.Reference`, counting is sets and sums. What two subjects share in every attribute
that a program reads is decided once; nothing else is done at once for several subjects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import floor
from typing import Any

import polars as pl

from abac.compiler.program import Program, select
from abac.condition.expr import Condition, attributes
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Schema
from abac.condition.truth import FALSE, TRUE, Truth
from abac.policy import reference
from abac.policy.decision import Extended, Outcome
from abac.policy.directive import ClauseKind
from abac.policy.request import EMBEDDED, Request, assertions
from abac.policy.rule import policies
from abac.simulation.catalogue import Model
from abac.simulation.population import Population
from abac.simulation.posture import completes
from abac.simulation.run import Inputs
from abac.simulation.study import Study

Facts = Mapping[str, Assertion]
Ask = tuple[str, str]
"""A model's id and an action."""

NOBODY_EMPLOYS = "none"


# --- reading a population row by row ----------------------------------------------------------------------


@dataclass(eq=False)
class Subject:
    """One subject: what is on file, what is true, what is asked for, what is open at the cut."""

    id: str
    asserted: Facts
    true: Facts
    use: dict[Ask, int]
    sessions: dict[str, int]
    completes: bool = False

    @cached_property
    def kind(self) -> str:
        return str(self.true["subject.kind"].value) if "subject.kind" in self.true else "person"

    @cached_property
    def relation(self) -> str:
        return str(self.true["subject.relation"].value) if "subject.relation" in self.true else "customer"

    @cached_property
    def organisation(self) -> str | None:
        found = self.true.get("subject.organisation")
        return None if found is None or found.value == NOBODY_EMPLOYS else str(found.value)

    @property
    def is_person(self) -> bool:
        return self.kind == "person"

    @property
    def is_abroad(self) -> bool:
        return "subject.location" in self.true and self.true["subject.location"].value != "US"


def subjects(population: Population, completion: float = 0.0) -> list[Subject]:
    """Return the population's subjects; a brought one has what is on file in the place of the truth."""
    schema = population.schema
    on_file = list(rows(population.asserted, schema, population.assurance, population.complete))
    if population.truth is None:
        true = on_file
    else:
        sure = dict.fromkeys(schema.attributes, Assurance.VERIFIED)
        true = list(rows(population.truth, schema, sure, dict.fromkeys(schema.attributes, True)))
    ids = sorted(str(facts["subject.id"].value) for facts in on_file)
    evidence = dict(zip(ids, completes(population.seed or 0, len(ids), completion).tolist(), strict=True))
    use = population.use.to_dicts()
    sessions = population.sessions.to_dicts()
    found = []
    for i, facts in enumerate(on_file):
        asked = {(k.rsplit("|", 1)[0], k.rsplit("|", 1)[1]): n for k, n in use[i].items() if n}
        opened = {model: n for model, n in sessions[i].items() if n} if sessions else {}
        name = str(facts["subject.id"].value)
        found.append(Subject(name, facts, true[i], asked, opened, evidence[name]))
    return found


def rows(
    frame: pl.DataFrame, schema: Schema, assurance: Mapping[str, Assurance], complete: Mapping[str, bool]
) -> Iterator[dict[str, Assertion]]:
    """Yield what each row of a subject frame asserts, by the layout that `population` documents."""
    paths = [c for c in frame.columns if "@" not in c]
    for row in frame.iter_rows(named=True):
        found: dict[str, Assertion] = {}
        for path in paths:
            value = row[path]
            if value is None:
                continue
            level = row.get(f"{path}@assurance")
            held = assurance.get(path, schema[path].assurance) if level is None else Assurance(level)
            if schema[path].is_set:
                whole = row.get(f"{path}@complete")
                whole = complete.get(path, schema[path].complete) if whole is None else whole
                own = row.get(f"{path}@elements") or ()
                marked = tuple((e, Assurance(a)) for e, a in zip(value, own, strict=False) if a is not None)
                found[path] = Assertion(frozenset(value), held, whole, marked)
            else:
                found[path] = Assertion(value, held)
        yield found


# --- deciding through the reference -----------------------------------------------------------------------


@dataclass
class Judge:
    """Decides requests through the reference, once per distinct assertions of what a program reads."""

    inputs: Inputs
    _decided: dict[Any, Outcome] = field(default_factory=dict)
    _truths: dict[Any, Truth] = field(default_factory=dict)
    _reads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _groups: dict[tuple[int, int], int] = field(default_factory=dict)
    _numbers: dict[Any, int] = field(default_factory=dict)
    _fixed: dict[Any, dict[str, Assertion]] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        return self.inputs.program.schema

    @cached_property
    def models(self) -> dict[str, Model]:
        return {m.id: m for m in self.inputs.population.catalogue.models}

    @cached_property
    def asks(self) -> list[Ask]:
        catalogue = self.inputs.population.catalogue
        return [(m.id, action) for m in catalogue.models for action in catalogue.actions]

    def fixed(self, ask: Ask, at: datetime) -> dict[str, Assertion]:
        if (ask, at) not in self._fixed:
            request = Request({}, ask[1], self.models[ask[0]].attributes, {"now": at}, EMBEDDED)
            self._fixed[ask, at] = assertions(request, self.schema)
        return self._fixed[ask, at]

    def decide(self, program: Program, facts: Facts, ask: Ask, at: datetime) -> Outcome:
        key = (id(program), ask, at, self._group(program, facts))
        if key not in self._decided:
            self._decided[key] = reference.decide(
                program.root,
                {**facts, **self.fixed(ask, at)},
                program.functions,
                discharges=self.inputs.scenario.discharges,
            )
        return self._decided[key]

    def truth(self, condition: Condition, facts: Facts, ask: Ask | None, at: datetime | None) -> Truth:
        key = (id(condition), ask, at, self._group(condition, facts))
        if key not in self._truths:
            fixed = self.fixed(ask, at) if ask and at else {}
            self._truths[key] = Reference({**facts, **fixed}, self.inputs.program.functions).truth(condition)
        return self._truths[key]

    def _group(self, read: Program | Condition, facts: Facts) -> int:
        """Return a number that two subjects share if they are alike in every attribute that is read."""
        found = self._groups.get((id(read), id(facts)))
        if found is not None:
            return found
        if id(read) not in self._reads:
            conditions: Iterable[Condition] = [read] if not isinstance(read, Program) else _conditions(read)
            self._reads[id(read)] = tuple(sorted({p for c in conditions for p in attributes(c)}))
            self._kept.append(read)  # an id is only good while its object lives
        self._kept.append(facts)
        alike = tuple(facts.get(path) for path in self._reads[id(read)])
        number = self._numbers.setdefault((id(read), alike), len(self._numbers))
        return self._groups.setdefault((id(read), id(facts)), number)


def _conditions(program: Program) -> Iterator[Condition]:
    for policy in policies(program.root):
        yield from (r.condition for r in (*policy.rules, *policy.obligation_rules))


def undecided(outcome: Outcome) -> bool:
    """Neither PERMIT nor certainly not PERMIT: INDETERMINATE{D} can no longer become a PERMIT."""
    return outcome.extended in (Extended.INDETERMINATE_P, Extended.INDETERMINATE_DP)


# --- counting ---------------------------------------------------------------------------------------------

Requests = set[tuple[Subject, Ask]]


def counts(requests: Iterable[tuple[Subject, Ask]]) -> dict[str, int]:
    marked = set(requests)
    who = {s for s, _ in marked}
    return {
        "people": sum(s.is_person for s in who),
        "organisations": len(organisations(who)),
        "requests": weight(marked),
    }


def organisations(who: Iterable[Subject]) -> set[str]:
    """Return the organisations of which at least one person or key is among `who`."""
    return {s.organisation for s in who if s.organisation is not None and s.kind != "agent"}


def weight(requests: Iterable[tuple[Subject, Ask]]) -> int:
    return sum(s.use[ask] for s, ask in requests)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass
class Recount:
    """The report, counted again: of `given` subjects, or of the population's own."""

    inputs: Inputs
    given: list[Subject] | None = None
    judge: Judge = None  # type: ignore[assignment]  # set below
    _studies: dict[str, StudyRecount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.judge = self.judge or Judge(self.inputs)

    @cached_property
    def subjects(self) -> list[Subject]:
        if self.given is not None:
            return self.given
        return subjects(self.inputs.population, self.inputs.scenario.postures["step-up"].completion)

    @cached_property
    def us_persons(self) -> set[Subject]:
        test = self.inputs.program.persons[self.inputs.scenario.us_person_is_not].condition
        return {s for s in self.subjects if self.judge.truth(test, s.true, None, None) is FALSE}

    def study(self, name: str) -> StudyRecount:
        if name not in self._studies:
            self._studies[name] = StudyRecount(self, next(s for s in self.inputs.studies if s.id == name))
        return self._studies[name]

    def entries(self) -> Iterator[dict[str, Any]]:
        for study in (self.study(s.id) for s in self.inputs.studies):
            for posture in self.inputs.postures:
                common = study.common(posture)
                for yardstick in ("scope", "purpose"):
                    yield common | study.yardstick(posture, yardstick)

    # --- the rest of the report ------------------------------------------------------------------------

    def options(self) -> list[dict[str, Any]]:
        study = self.study(self.inputs.scenario.in_force)
        return [study.option(posture) for posture in self.inputs.postures]

    def person_tests(self) -> dict[str, Any]:
        tests = self.inputs.scenario.person_tests
        condition = {t: self.inputs.program.persons[t].condition for t in tests}
        people = [s for s in self.subjects if s.is_person]
        foreign = {
            t: {s for s in people if self.judge.truth(condition[t], s.true, None, None) is TRUE} for t in tests
        }
        return {f"{a}|{b}": {"disagree": len(foreign[a] ^ foreign[b])} for a, b in combinations(tests, 2)}

    def blackout(self, coverage: float, population: Population) -> dict[str, Any]:
        """Return the sweep's row at one coverage, of the population really drawn at it."""
        study = self.study(self.inputs.scenario.in_force)
        about = [(s, ask) for s, ask in study.had if study.about(ask)]
        concerned = {s for s, _ in about}
        places = [i for i, s in enumerate(self.subjects) if s in concerned]
        asked = [self.subjects[i] for i in places]
        read = {p for c in _conditions(study.study.after) for p in attributes(c)}
        drawn = dict(zip(asked, rows_of(population, places, read), strict=True))
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
                    "as_of": moment.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
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


def rows_of(population: Population, places: list[int], read: set[str]) -> list[dict[str, Assertion]]:
    """Return what some rows assert of the attributes read."""
    columns = [c for c in population.asserted.columns if c.split("@")[0] in read]
    frame = population.asserted.select(columns)[places]
    return list(rows(frame, population.schema, population.assurance, population.complete))


def _citizenships(subject: Subject) -> frozenset[Any]:
    held = subject.true.get("subject.citizenships_current")
    return frozenset() if held is None else held.value  # type: ignore[return-value]


class StudyRecount:
    """One study, counted again."""

    def __init__(self, whole: Recount, study: Study) -> None:
        self.whole, self.judge, self.study = whole, whole.judge, study
        self.scenario = whole.inputs.scenario
        self.before, self.after = {}, {}
        for s in whole.subjects:
            for ask in s.use:
                self.before[s, ask] = self.judge.decide(study.before, s.asserted, ask, study.at)
                self.after[s, ask] = self.judge.decide(study.after, s.asserted, ask, study.at)
        self.had: Requests = {r for r, outcome in self.before.items() if outcome.permitted}
        self._about: dict[Ask, bool] = {}
        self._blocked: dict[str, Requests] = {}
        self._common: dict[str, dict[str, Any]] = {}

    def about(self, ask: Ask) -> bool:
        """Whether the directive's resource scope does not exclude the model, for the action."""
        directive = self.study.directive
        if directive is None:
            return False
        if ask not in self._about:
            at = self.study.at
            self._about[ask] = any(
                FALSE not in (self.judge.truth(c.resource, {}, ask, at), self.judge.truth(c.action, {}, ask, at))
                for c in directive.clauses
            )
        return self._about[ask]

    def deniable(self, ask: Ask) -> bool:
        """Whether a denying clause may reach anybody: no part of it is FALSE, and not everyone is exempt."""
        directive, at = self.study.directive, self.study.at
        if directive is None:
            return False

        def stands(*conditions) -> list:
            return [self.judge.truth(condition, {}, ask, at) for condition in conditions]

        return any(
            clause.kind is ClauseKind.DENY
            and FALSE not in stands(clause.subject, clause.resource, clause.action)
            and not any(
                set(stands(e.condition, e.interval.condition())) == {TRUE}
                for e in directive.exemptions
                if not e.clauses or clause.id in e.clauses
            )
            for clause in directive.clauses
        )

    def access(self, subject: Subject, ask: Ask, posture: str) -> bool:
        """Whether the subject may use the ask after, the posture applied."""
        outcome = self.judge.decide(self.study.after, subject.asserted, ask, self.study.at)
        match posture:
            case "shutdown" if self.deniable(ask):
                return False
            case "lenient" if undecided(outcome):
                return True
            case "step-up" if undecided(outcome) and subject.completes:
                return self.judge.decide(self.study.after, subject.true, ask, self.study.at).permitted
        return outcome.permitted

    def blocked(self, posture: str) -> Requests:
        if posture not in self._blocked:
            self._blocked[posture] = {(s, ask) for s, ask in self.had if not self.access(s, ask, posture)}
        return self._blocked[posture]

    # --- yardsticks ------------------------------------------------------------------------------------

    @cached_property
    def targets(self) -> dict[str, Requests]:
        return {
            "scope": {r for r in self.had if self._denied_by_the_letter(*r)},
            "purpose": {
                (s, ask)
                for s, ask in self.had
                if self.judge.truth(self.whole.inputs.purpose, s.true, ask, self.study.at) is TRUE
            },
        }

    def _denied_by_the_letter(self, subject: Subject, ask: Ask) -> bool:
        """Whether some denying clause means this request, and no exemption from it lets it off."""
        directive = self.study.directive
        if directive is None:
            return False
        at = self.study.at

        def truth(condition: Condition) -> Truth:
            return self.judge.truth(condition, subject.true, ask, at)

        for clause in directive.clauses:
            if clause.kind.value != "deny":
                continue
            if not all(truth(c) is TRUE for c in (clause.subject, clause.resource, clause.action)):
                continue
            lifted = [e for e in directive.exemptions if not e.clauses or clause.id in e.clauses]
            open_now = [
                e
                for e in lifted
                if (e.interval.start is None or e.interval.start <= at)
                and (e.interval.end is None or at < e.interval.end)
            ]
            if all(truth(e.condition) is FALSE for e in open_now):
                return True
        return False

    def yardstick(self, posture: str, name: str) -> dict[str, Any]:
        blocked, target = self.blocked(posture), self.targets[name]
        return {
            "yardstick": name,
            "over_block": counts(blocked - target),
            "under_block": counts(target - blocked),
            "precision": share(weight(blocked & target), weight(blocked)),
            "recall": share(weight(blocked & target), weight(target)),
        }

    # --- what both yardsticks share --------------------------------------------------------------------

    def common(self, posture: str) -> dict[str, Any]:
        if posture not in self._common:
            self._common[posture] = self._count(posture)
        return self._common[posture]

    def _count(self, posture: str) -> dict[str, Any]:
        blocked = self.blocked(posture)
        undecided_before = {r for r in self.had if undecided(self.after[r])}
        return {
            "id": self.study.id,
            "posture": posture,
            "blocked": counts(blocked),
            "undecided": counts(undecided_before),
            "safeguarded": counts(self._safeguarded(posture)),
            "keys": self._of_kind("organisation_key", blocked),
            "agents": self._of_kind("agent", blocked),
            "decidable_share": self.decidable_share(),
            "displaced": {
                "parity_shown": self.displaced(posture, parity_shown=True),
                "parity_not_shown": self.displaced(posture, parity_shown=False),
            },
            "contained": self.contained(posture, parity_shown=False),
            "contained_parity_shown": self.contained(posture, parity_shown=True),
            "sessions_cut": sum(self.sessions_cut(posture).values()),
            "sessions_cut_whose": self.sessions_cut(posture),
            "us_persons_denied": self.us_persons_denied(posture),
            "caught_regardless": self.caught_regardless(posture),
            "us_persons_behind_foreign_keys": self.behind_foreign_keys(posture),
            "dark_organisations": len(self.dark(posture)),
            "other_models_changed": len(self.other_models_changed()),
        }

    def decidable_share(self) -> float | None:
        about = {(s, ask) for s, ask in self.had if self.about(ask)}
        return share(weight(r for r in about if not undecided(self.after[r])), weight(about))

    def _safeguarded(self, posture: str) -> Requests:
        """Return the requests still permitted that owe what they did not owe before."""
        return {
            r
            for r in self.had - self.blocked(posture)
            if set(self.after[r].obligations) - set(self.before[r].obligations)
        }

    def _of_kind(self, kind: str, blocked: Requests) -> dict[str, int]:
        own = {(s, ask) for s, ask in blocked if s.kind == kind}
        who = {s for s, _ in own}
        return {
            "people": len(who),
            "organisations": len({s.organisation for s in who if s.organisation is not None}),
            "requests": weight(own),
        }

    def sessions_cut(self, posture: str) -> dict[str, int]:
        """Count the sessions at a model of whoever may not use it at the boundary, with what is then on file."""
        found = dict.fromkeys(("us_persons", "other_persons", "keys", "agents"), 0)
        directive = self.study.directive
        if directive is None or (directive.in_flight not in ("cut", "finish_request") and posture != "shutdown"):
            return found
        for s, model in {(s, ask[0]) for s, ask in self.blocked("strict" if posture == "step-up" else posture)}:
            person = "us_persons" if s in self.whole.us_persons else "other_persons"
            holder = {"organisation_key": "keys", "agent": "agents"}.get(s.kind, person)
            found[holder] += s.sessions.get(model, 0)
        return found

    def caught_regardless(self, posture: str) -> dict[str, int]:
        people = {s for s, _ in self.blocked(posture) if s.is_person}
        meant = {s for s, _ in self.targets["scope"] if s.is_person}
        us = self.whole.us_persons
        return {
            "foreign_staff_denied": sum(s.relation == "staff" for s in people - us),
            "us_persons_abroad_denied": sum(s.is_abroad for s in people & us),
            "us_persons_abroad_in_scope": sum(s.is_abroad for s in meant & us),
        }

    def us_persons_denied(self, posture: str) -> dict[str, int]:
        denied = {s for s, _ in self.blocked(posture) if s.is_person} & self.whole.us_persons
        by_relation = Counter(s.relation for s in denied)
        names = {"customers": "customer", "staff": "staff", "applicants": "applicant"}
        return {name: by_relation[relation] for name, relation in names.items()}

    def behind_foreign_keys(self, posture: str) -> int:
        keys = {s for s, _ in self.blocked(posture) if s.kind == "organisation_key"}
        foreign = {s.organisation for s in keys - self.whole.us_persons} - {None}
        return sum(s.is_person and s.organisation in foreign for s in self.whole.us_persons)

    def dark(self, posture: str) -> set[str]:
        """Return the organisations of which all the people and keys who had access are blocked."""
        blocked = {s for s, _ in self.blocked(posture)}
        had = {s for s, _ in self.had}
        return organisations(had) - organisations(had - blocked)

    def other_models_changed(self) -> set[Subject]:
        return {
            s
            for (s, ask), outcome in self.after.items()
            if s.is_person and not self.about(ask) and outcome.extended is not self.before[s, ask].extended
        }

    # --- displacement ----------------------------------------------------------------------------------

    def substitutes(self, ask: Ask, *, parity_shown: bool) -> list[str]:
        """Return the other models with at least the lost model's level, over the whole catalogue."""
        capability = self.scenario.capability

        def level(model: str) -> int:
            return self.judge.models[model].level(capability, parity_shown=parity_shown)

        return [m for m in self.judge.models if m != ask[0] and level(m) >= level(ask[0])]

    def reachable(self, subject: Subject, ask: Ask, posture: str, *, parity_shown: bool) -> frozenset[str]:
        found = self.substitutes(ask, parity_shown=parity_shown)
        return frozenset(m for m in found if self.access(subject, (m, ask[1]), posture))

    def displaced(self, posture: str, *, parity_shown: bool) -> dict[str, Any]:
        blocked = self.blocked(posture)
        stuck: set[Subject] = set()
        pools: Counter[tuple[Ask, frozenset[str]]] = Counter()
        for s, ask in blocked:
            elsewhere = self.reachable(s, ask, posture, parity_shown=parity_shown)
            pools[ask, elsewhere] += s.use[ask]
            if not elsewhere:
                stuck.add(s)
        people = {s for s, _ in blocked if s.is_person}
        to: Counter[str] = Counter()
        for (_, elsewhere), requests in pools.items():
            to.update(self._chosen(requests, elsewhere))
        return {
            "people": len(people - stuck),
            "share": share(len(people - stuck), len(people)),
            "to": {k: n for k, n in sorted(to.items()) if n},
        }

    def _chosen(self, requests: int, models: frozenset[str]) -> dict[str, int]:
        """Divide the requests among models by popularity: whole requests, by the largest remainder."""
        if not models:
            return {"nowhere: capability lost": requests}
        popularity = {m: Fraction(str(self.judge.models[m].popularity)) for m in models}
        whole = sum(popularity.values())
        exact = {m: requests * (p / whole if whole else Fraction(1, len(models))) for m, p in popularity.items()}
        given = {m: floor(q) for m, q in exact.items()}
        rest = requests - sum(given.values())
        for m in sorted(exact, key=lambda m: (given[m] - exact[m], m))[:rest]:
            given[m] += 1
        return given

    def contained(self, posture: str, *, parity_shown: bool) -> int:
        """Count the people of the purpose who lose the capability altogether."""
        wants: dict[Subject, list[Ask]] = defaultdict(list)
        for s, ask in self.targets["purpose"]:
            if s.is_person:
                wants[s].append(ask)
        blocked = self.blocked(posture)
        return sum(
            all(
                (s, ask) in blocked and not self.reachable(s, ask, posture, parity_shown=parity_shown)
                for ask in asked
            )
            for s, asked in wants.items()
        )

    # --- the table of options --------------------------------------------------------------------------

    def option(self, posture: str) -> dict[str, Any]:
        common = self.common(posture)
        about = {(s, ask) for s, ask in self.had if self.about(ask)}
        return {
            "posture": posture,
            "permitted_though_forbidden": weight(self.targets["scope"] - self.blocked(posture)),
            "us_persons_denied": common["us_persons_denied"],
            "sessions_cut": common["sessions_cut"],
            "undecidable_share": share(weight(r for r in about if undecided(self.after[r])), weight(about)) or 0.0,
            "reachable_elsewhere": {
                parity: common["displaced"][parity]["people"] for parity in ("parity_shown", "parity_not_shown")
            },
        }


def differences(told: Any, counted: Any, path: str = "") -> Iterator[str]:
    """Yield where the report does not say what was counted; what was not counted is not looked at."""
    if isinstance(counted, dict) and isinstance(told, dict):
        same_keys = path.endswith(".to")
        for key in sorted(set(counted) | (set(told) if same_keys else set())):
            yield from differences(told.get(key, "nothing"), counted.get(key, "nothing"), f"{path}.{key}")
    elif told != counted or type(told) is not type(counted):
        yield f"{path}: the report says {told}, the recount {counted}"
