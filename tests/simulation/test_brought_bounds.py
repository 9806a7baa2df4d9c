"""A brought population has no truth: its bounds hold the exact figures under every completion of the unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, product
from math import ceil
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.simulation.population import Population, Prior, column_type, subject_frame
from abac.simulation.posture import completes
from abac.simulation.recount.judge import Judge
from abac.simulation.recount.subjects import Subject, subjects
from abac.simulation.recount.whole import Recount
from abac.simulation.report.validate import validate
from abac.simulation.run import Inputs, run
from tests.simulation import june

CITIZENSHIPS, RESIDENCIES = "subject.citizenships_current", "subject.residencies_permanent"
PROTECTED, COUNTRY = "subject.protected_individual", "subject.organisation_country"
OWNED, END_USER = "subject.listed_ownership", "subject.military_intelligence_end_user"
VALUES: dict[str, tuple[Any, ...]] = {
    CITIZENSHIPS: (frozenset({"US"}), frozenset({"CN"}), frozenset({"US", "CN"}), frozenset()),
    RESIDENCIES: (frozenset(), frozenset({"US"}), frozenset({"IR"})),
    PROTECTED: (False, True),
    COUNTRY: ("US", "CN"),
    OWNED: (0.0, 0.6),
    END_USER: (False, True),
}
"""What an unknown attribute may turn out to be: enough to tell every rule of the studies apart."""

STUDIES = ("d1-foreign-nationals", "d2-annex-a", "t1-country-groups", "t2-end-users", "t3-capability")
USES = ("fable-5|invoke", "fable-5|cyber", "mythos-5|cyber", "gpt-5.5|invoke")
MOST_COMPLETIONS = 64
EXEMPT = {"title", "kind", "broad", "counterfactual", "authority", "conditions", "id", "posture", "yardstick"}


@dataclass
class Row:
    """One brought subject: what is on file, which of it is missing or partly known, what it uses."""

    kind: str = "person"
    relation: str = "customer"
    organisation: str = "none"
    facts: dict[str, Any] = field(default_factory=dict)
    partly: frozenset[str] = frozenset()
    use: tuple[int, ...] = (1, 0, 0, 0)
    sessions: int = 0

    def completions(self) -> list[dict[str, Any]]:
        """Return everything that may be true of the row, as values of the attributes in question."""
        every = product(*(self._possible(path) for path in VALUES))
        return [dict(zip(VALUES, chosen, strict=True)) for chosen in every]

    def _possible(self, path: str) -> Sequence[Any]:
        if path not in self.facts:
            return VALUES[path]
        held = self.facts[path]
        if path in self.partly:
            return [v for v in VALUES[path] if held <= v] or [held]
        return [held]


def rows() -> st.SearchStrategy[Row]:
    @st.composite
    def one(draw: st.DrawFn) -> Row:
        facts = {path: draw(st.sampled_from(values)) for path, values in VALUES.items()}
        for path in draw(st.sets(st.sampled_from(list(VALUES)), max_size=2)):
            del facts[path]
        sets = [p for p in (CITIZENSHIPS, RESIDENCIES) if p in facts]
        partly = draw(st.sets(st.sampled_from(sets), max_size=1)) if sets else set()
        return Row(
            draw(st.sampled_from(["person", "person", "person", "agent", "organisation_key"])),
            draw(st.sampled_from(["customer", "customer", "staff", "applicant"])),
            draw(st.sampled_from(["none", "org-00101", "org-00111", "org-00031", "org-00500"])),
            facts,
            frozenset(partly),
            tuple(draw(st.sampled_from([0, 1, 7])) for _ in USES),
            draw(st.sampled_from([0, 2])),
        )

    return one()


def population(people: Sequence[Row], *, error: float = 0.0, prior: Prior | None = None) -> Population:
    """Return the population that a file with these rows would be read to."""
    loaded = june.inputs(1_000)
    schema, catalogue = loaded.program.schema, loaded.population.catalogue
    columns: dict[str, list[Any]] = {
        "subject.id": [f"u{i}" for i in range(len(people))],
        "subject.kind": [p.kind for p in people],
        "subject.relation": [p.relation for p in people],
        "subject.organisation": [p.organisation for p in people],
        "subject.identity_verified": [i % 2 == 0 for i in range(len(people))],
        "subject.location": ["FR" if i % 2 else "US" for i in range(len(people))],
    }
    for path in VALUES:
        held = [p.facts.get(path) for p in people]
        columns[path] = [sorted(v) if isinstance(v, frozenset) else v for v in held]
    series = [pl.Series(path, v, dtype=column_type(schema[path].type)) for path, v in columns.items()]
    series += [
        pl.Series(f"{path}@complete", [path not in p.partly for p in people])
        for path in (CITIZENSHIPS, RESIDENCIES)
    ]
    use = {key: [p.use[i] for p in people] for i, key in enumerate(USES)}
    every = [f"{m.id}|{a}" for m in catalogue.models for a in catalogue.actions]
    return Population(
        schema,
        subject_frame(schema, series, len(people)),
        None,
        pl.DataFrame({k: use.get(k, [0] * len(people)) for k in every}, schema=dict.fromkeys(every, pl.UInt32)),
        pl.DataFrame({"fable-5": [p.sessions for p in people]}, schema={"fable-5": pl.UInt32}),
        dict.fromkeys(columns, Assurance.DOCUMENTED),
        {d.path: True for d in schema if d.is_set},
        (),
        synthetic=False,
        seed=None,
        digest="0" * 64,
        catalogue=catalogue,
        prior=prior,
        error=error,
    )


@cache
def studied() -> Inputs:
    loaded = june.inputs(1_000)
    chosen = tuple(s for s in loaded.studies if s.id in STUDIES)
    return replace(loaded, studies=chosen, sweeps=())


def worlds(people: Sequence[Row], brought: Population, wrong: int = 0) -> Iterator[list[Subject]]:
    """Yield every way the world may be, with at most `wrong` subjects of whom what is on file is false."""
    on_file = subjects(brought, studied().scenario.postures["step-up"].completion)
    anything = [dict(zip(VALUES, chosen, strict=True)) for chosen in product(*(v[:2] for v in VALUES.values()))]
    anything = [a for a in anything if not a[RESIDENCIES] and not a[PROTECTED]]
    for mistaken in (m for n in range(wrong + 1) for m in combinations(range(len(people)), n)):
        sides = [anything if i in mistaken else p.completions() for i, p in enumerate(people)]
        for chosen in product(*sides):
            yield [_completed(s, facts) for s, facts in zip(on_file, chosen, strict=True)]


def _completed(subject: Subject, facts: dict[str, Any]) -> Subject:
    true = dict(subject.asserted) | {p: Assertion(v, Assurance.VERIFIED) for p, v in facts.items()}
    return Subject(subject.id, subject.asserted, true, subject.use, subject.sessions, subject.completes)


def outside(told: Any, exact: Any, path: str = "", *, sure: bool = True) -> Iterator[str]:
    """Yield where an exact figure is not what the report tells, or not within the bounds it tells.

    Where it is not `sure` who is blocked, `to` is about all who may be.
    """
    if isinstance(told, dict) and "low" in told:
        if exact is not None and not told["low"] <= exact <= told["high"]:
            yield f"{path}: {exact} is not from {told['low']} to {told['high']}"
    elif isinstance(exact, dict) and isinstance(told, dict):
        for key in exact:
            if key not in EXEMPT and (key != "to" or sure):
                yield from outside(told.get(key, "nothing"), exact[key], f"{path}.{key}", sure=sure)
    elif told != exact:
        yield f"{path}: {told} is not {exact}"


def breaches(people: Sequence[Row], brought: Population, wrong: int = 0) -> list[str]:
    """Return where the report's figures of a brought population do not hold in some possible world."""
    inputs = replace(studied(), population=brought)
    told, judge = run(inputs).report, Judge(inputs)
    for world in worlds(people, brought, wrong):
        recount = Recount(inputs, world, judge)
        exact = list(recount.entries())
        found = [
            f"{e['id']} {e['posture']} {e['yardstick']}{line}"
            for row, e in zip(told["directives"], exact, strict=True)
            for line in outside(row, e, sure=isinstance(row["blocked"]["requests"], int))
        ]
        for row, own in zip(told["options"], recount.options(), strict=True):
            found += [f"options {own['posture']}{line}" for line in outside(row, own)]
        found += outside(told["person_tests"], recount.person_tests(), "person_tests")
        if found:
            return found
    return [
        f"{row['id']} {row['posture']}: what is displaced does not sum to what is blocked"
        for row in told["directives"]
        for displaced in row["displaced"].values()
        if sum(displaced["to"].values()) != june.figure(row["blocked"]["requests"])
    ]


def worlds_of(people: Sequence[Row]) -> int:
    count = 1
    for row in people:
        count *= len(row.completions())
    return count


few = settings(
    max_examples=150 if settings.default and settings.default.max_examples > 1_000 else 8,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@few
@given(st.lists(rows(), min_size=1, max_size=4).filter(lambda p: worlds_of(p) <= MOST_COMPLETIONS))
def test_the_bounds_hold_the_exact_figures_under_every_completion(people):
    assert breaches(people, population(people)) == []


def test_bounds_are_not_vacuous():
    """Two people of whom nothing is known: every figure that rests on it has room, and the rest has none."""
    people = [Row(use=(3, 2, 0, 0), facts={COUNTRY: "US", OWNED: 0.0}) for _ in range(2)]
    told = run(replace(studied(), population=population(people))).report
    row = june.entry(told, "d1-foreign-nationals")
    assert row["blocked"] == {"people": 2, "organisations": 0, "requests": 10}
    assert row["over_block"]["requests"] == {"low": 0, "high": 10, "point": None}
    assert row["precision"] == {"low": 0.0, "high": 1.0, "point": None}
    assert row["us_persons_denied"]["customers"] == {"low": 0, "high": 2, "point": None}
    purpose = june.entry(told, "d1-foreign-nationals", yardstick="purpose")
    assert purpose["recall"] == {"low": 1.0, "high": 1.0, "point": None}
    assert purpose["contained"] == {"low": 0, "high": 2, "point": None}
    assert told["truth"] == "bounded"
    step_up = june.entry(told, "d1-foreign-nationals", "step-up")
    came = int(completes(0, 2, studied().scenario.postures["step-up"].completion).sum())
    assert step_up["blocked"]["people"] == ({"low": 2 - came, "high": 2, "point": None} if came else 2)


def known_rows() -> st.SearchStrategy[Row]:
    def whole(row: Row) -> Row:
        facts = {path: row.facts.get(path, values[0]) for path, values in VALUES.items()}
        return replace(row, facts=facts, partly=frozenset())

    return rows().map(whole)


@few
@given(st.lists(known_rows(), min_size=1, max_size=4))
def test_where_all_is_known_low_is_high_is_the_exact_figure(people):
    brought = population(people)
    told = run(replace(studied(), population=brought)).report
    assert worlds_of(people) == 1
    loose = [b for b in _bounds(told["directives"]) if b["low"] != b["high"]]
    assert loose == []
    assert breaches(people, brought) == []


def _bounds(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "low" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _bounds(inner)


@few
@given(st.lists(known_rows(), min_size=1, max_size=3))
def test_a_stated_error_widens_the_bounds_to_hold_where_that_many_rows_are_wrong(people):
    error = 0.3
    brought = population(people, error=error)
    assert ceil(error * len(people)) == 1
    assert breaches(people, brought, wrong=1) == []


def test_a_stated_error_is_wider_than_none():
    people = [Row(facts={p: v[0] for p, v in VALUES.items()}, use=(n, 0, 0, 0)) for n in (1, 2, 50)]
    exact, wide = (
        june.entry(run(replace(studied(), population=population(people, error=e))).report, "d1-foreign-nationals")
        for e in (0.0, 0.01)
    )
    assert exact["blocked"] == {"people": 0, "organisations": 0, "requests": 0}
    assert exact["under_block"]["requests"] == {"low": 0, "high": 0, "point": None}
    assert wide["blocked"] == exact["blocked"], "what is decided on what is on file does not rest on its truth"
    assert wide["under_block"]["requests"] == {"low": 0, "high": 50, "point": None}, "the heaviest user may be it"


def test_a_point_stands_only_beside_a_named_prior():
    people = [Row(use=(10, 0, 0, 0), facts={COUNTRY: "US", OWNED: 0.0, END_USER: False}) for _ in range(4)]
    bare = run(replace(studied(), population=population(people))).report
    assert {b["point"] for b in _bounds(bare)} == {None}
    prior = Prior("three in four are foreign", 0.75)
    told = run(replace(studied(), population=population(people, prior=prior))).report
    row = june.entry(told, "d1-foreign-nationals")
    assert told["truth"] == "estimated"
    assert any(a["name"] == "prior: three in four are foreign" for a in told["assumptions"])
    assert row["over_block"]["requests"] == {"low": 0, "high": 40, "point": 10}
    assert row["precision"] == {"low": 0.0, "high": 1.0, "point": 0.75}
    assert row["us_persons_denied"]["customers"] == {"low": 0, "high": 4, "point": 1}
    lenient = june.entry(told, "d1-foreign-nationals", "lenient")
    assert lenient["under_block"]["requests"]["point"] == 30, "of the same forty requests, the rest"


def test_without_use_and_sessions_columns_nothing_is_cut_and_the_report_is_whole():
    people = [Row(use=(0, 0, 0, 0)), Row(use=(0, 0, 0, 0))]
    brought = population(people)
    told = run(replace(studied(), population=replace(brought, sessions=pl.DataFrame(height=2)))).report
    validate(told)
    row = june.entry(told, "d1-foreign-nationals")
    assert row["blocked"]["requests"] == 0
    assert row["sessions_cut"] == 0
    assert row["precision"] is None
    assert row["recall"] is None
    assert row["decidable_share"] is None


def test_one_subject_alone_is_reported():
    people = [Row(kind="organisation_key", organisation="org-00500", use=(5, 0, 0, 0))]
    told = run(replace(studied(), population=population(people))).report
    validate(told)
    row = june.entry(told, "d1-foreign-nationals")
    assert row["blocked"] == {"people": 0, "organisations": 1, "requests": 5}
    assert row["keys"] == {"people": 1, "organisations": 1, "requests": 5}


@pytest.mark.parametrize("organisation", ["", " "])
def test_an_empty_organisation_is_a_value_like_any_other(organisation):
    people = [Row(organisation=organisation, use=(5, 0, 0, 0), facts={OWNED: 0.0})]
    told = run(replace(studied(), population=population(people))).report
    validate(told)
    assert june.entry(told, "d1-foreign-nationals")["blocked"]["requests"] == 5
    assert june.entry(told, "t2-end-users")["blocked"]["requests"] == 0


def test_a_substitute_nobody_uses_yet_is_one_all_the_same():
    people = [Row(use=(4, 0, 0, 0))]
    told = run(replace(studied(), population=population(people))).report
    row = june.entry(told, "d1-foreign-nationals")
    assert row["displaced"]["parity_shown"] == {"people": 1, "share": 1.0, "to": {"gpt-5.5": 4}}
    assert row["displaced"]["parity_not_shown"]["to"] == {"nowhere: capability lost": 4}
