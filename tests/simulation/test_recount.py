"""The report equals a recount by hand: every integer and every ratio of it, against `simulation.recount`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from abac.pdp.decide import decide
from abac.policy import reference
from abac.policy.decision import Extended
from abac.policy.request import Request
from abac.simulation.population import ID
from abac.simulation.reasons import pseudonyms, reason
from abac.simulation.recount.counting import differences
from abac.simulation.recount.subjects import Subject
from abac.simulation.recount.whole import Recount
from abac.simulation.run import Inputs, Result, run
from tests.simulation import june

POSTURES, YARDSTICKS = ("strict", "step-up", "shutdown", "lenient"), ("scope", "purpose")
TOLD_ELSEWHERE = {"title", "kind", "broad", "counterfactual", "authority", "conditions"}
"""Parts of an entry that are words, not counts; `test_entries` and `test_conditions` hold them."""


def everything(told: dict[str, Any], recount: Recount) -> Iterator[Any]:
    """Yield every difference between a report and its recount, the sweeps apart."""
    counted = list(recount.entries())
    yield from matched("directives", told["directives"], counted)
    for row, own in zip(told["directives"], counted, strict=True):
        if set(row) - set(own) != TOLD_ELSEWHERE:
            yield f"not looked at: {sorted(set(row) ^ set(own) ^ TOLD_ELSEWHERE)}"
    yield from matched("options", told["options"], recount.options())
    yield from differences(told["person_tests"], recount.person_tests(), "person_tests")
    yield from matched("timeline", told["timeline"], recount.timeline())
    yield from matched("dependence", told["dependence"], recount.dependence())


def swept(told: dict[str, Any], recount: Recount) -> Iterator[Any]:
    """Yield every difference between the frontier, the readings and their recount."""
    yield from matched("frontier", told["frontier"], recount.frontier())
    yield from differences(told["person_matrix"], recount.matrix(), "person_matrix")
    yield from differences(told["selective_compliance_at"], recount.selective(), "selective")


def matched(name: str, told: list[Any], counted: list[Any]) -> Iterator[Any]:
    if len(told) != len(counted):
        yield f"{name}: the report has {len(told)} rows, the recount {len(counted)}"
    for row, own in zip(told, counted, strict=False):
        label = "/".join(str(own[k]) for k in ("id", "posture", "yardstick") if k in own)
        yield from differences(row, own, f"{name}[{label}]")


def sweeps(told: dict[str, Any], recount: Recount, subjects: int, seed: int = june.SEED) -> Iterator[Any]:
    """Yield the differences of every row of every sweep from the population really drawn at that coverage."""
    world = june.world(subjects, seed)
    for name, swept in (
        ("persons", ("coverage",)),
        ("organisations", ("attesting",)),
        ("both", ("coverage", "attesting")),
    ):
        for row in told["sweeps"][name]:
            drawn = world.population(**dict.fromkeys(swept, row["coverage"]))
            yield from differences(
                row,
                recount.blackout(row["coverage"], drawn, drawn, [True] * subjects),
                f"{name} at {row['coverage']}",
            )


def witnesses(result: Result, recount: Recount) -> Iterator[str]:
    """Yield what is wrong with a witness: each is a US person really blocked, for the reason given."""
    population = recount.inputs.population
    by_name = dict(zip(pseudonyms(population.salt, population.asserted[ID]), recount.subjects, strict=True))
    for witness in result.report["witnesses"]:
        study, subject = recount.study(witness["directive"]), by_name[witness["subject"]]
        blocked = {s for s, _ in study.blocked(witness["posture"])}
        if subject not in blocked & recount.us_persons or not subject.is_person:
            yield f"{witness}: no US person who is blocked"
        if witness["relation"] != subject.relation:
            yield f"{witness}: is {subject.relation}"
        if witness["why"] != told_reason(recount, witness["directive"], subject):
            yield f"{witness}: the reason is {told_reason(recount, witness['directive'], subject)}"


def told_reason(recount: Recount, directive: str, subject: Subject) -> str:
    """Return why a subject's answers changed, by the reference."""
    study = recount.study(directive)
    asks = [a for a in recount.judge.asks if a in subject.use]
    changed = [a for a in asks if study.before[subject, a].extended != study.after[subject, a].extended]
    return "; ".join(dict.fromkeys(reason(study.after[subject, a]) for a in changed))


@pytest.mark.parametrize("subjects", [1_000, pytest.param(10_000, marks=pytest.mark.law)])
def test_every_figure_equals_the_recount(subjects: int):
    inputs, result = june.inputs(subjects), june.result(subjects)
    recount = Recount(inputs)
    assert result.report["subjects"] == subjects
    assert list(everything(result.report, recount)) == []
    assert list(sweeps(result.report, recount, subjects)) == []
    assert result.report["witnesses"]
    assert list(witnesses(result, recount)) == []


def test_every_figure_equals_the_recount_where_some_of_it_is_on_file():
    inputs = june.covered(1_000, 0.6, 0.3)
    result, recount = run(inputs), Recount(inputs)
    assert list(everything(result.report, recount)) == []
    assert list(witnesses(result, recount)) == []
    shares = {e["decidable_share"] for e in result.report["directives"]}
    assert any(0 < share < 1 for share in shares if share is not None)


@pytest.mark.law
@pytest.mark.parametrize(("seed", "coverage", "attesting"), [(2026, 0.6, 0.3), (7, 0.9, 0.0), (11, 0.0, 1.0)])
def test_every_figure_of_ten_thousand_subjects_equals_the_recount_at_any_coverage(
    seed: int, coverage: float, attesting: float
):
    inputs = june.covered(10_000, coverage, attesting, seed)
    result, recount = run(inputs), Recount(inputs)
    assert list(everything(result.report, recount)) == []
    assert list(swept(result.report, recount)) == []
    assert list(witnesses(result, recount)) == []


@pytest.mark.law
def test_every_row_of_every_sweep_equals_the_recount_under_another_seed():
    recount = Recount(june.inputs(10_000, 5))
    assert list(sweeps(june.result(10_000, 5).report, recount, 10_000, 5)) == []


def test_the_recount_would_notice_one_request():
    """The comparison has teeth: one request more in one figure is one difference."""
    told = june.entry(june.report(1_000), "d1-foreign-nationals")
    changed = told | {"blocked": told["blocked"] | {"requests": told["blocked"]["requests"] + 1}}
    assert len(list(differences(changed, told, ""))) == 1
    moved = told | {"displaced": told["displaced"] | {"parity_shown": {"people": 0, "share": 0.0, "to": {"x": 1}}}}
    assert len(list(differences(moved, told, ""))) >= 3


def test_what_is_decided_once_for_subjects_alike_holds_of_each():
    """The recount decides subjects alike in all that a program reads once; that changes no answer."""
    inputs = june.covered(3_000, 0.6, 0.3)
    recount, chosen = Recount(inputs), random.Random(1)
    study = recount.study("d1-foreign-nationals")
    for _ in range(200):
        subject, ask = chosen.choice(recount.subjects), chosen.choice(recount.judge.asks)
        at, root = study.study.at, study.study.after.root
        for facts in (subject.asserted, subject.true):
            whole = reference.decide(root, {**facts, **recount.judge.fixed(ask, at)}, study.study.after.functions)
            assert recount.judge.decide(study.study.after, facts, ask, at).extended is whole.extended


def test_the_recount_reads_rows_as_a_request_would():
    """Reading a row for the recount and sending it as a request to the point decision come to the same."""
    inputs: Inputs = june.covered(3_000, 0.6, 0.3)
    recount, study = Recount(inputs), june.study("d1-foreign-nationals", 3_000)
    seen: set[Extended] = set()
    for subject in recount.subjects[:600]:
        for ask in subject.use:
            body = {
                path.removeprefix("subject."): {"value": held.value, "assurance": held.assurance}
                | ({"complete": held.complete} if isinstance(held.value, frozenset) else {})
                for path, held in subject.asserted.items()
            }
            request = Request(body, ask[1], recount.judge.models[ask[0]].attributes, {"now": study.at})
            outcome = decide(study.after, request)
            assert outcome.extended is recount.judge.decide(study.after, subject.asserted, ask, study.at).extended
            seen.add(outcome.extended)
    assert {Extended.PERMIT, Extended.DENY, Extended.INDETERMINATE_DP} <= seen


def test_no_subject_is_counted_twice():
    population = june.inputs(1_000).population
    assert population.asserted[ID].n_unique() == len(population) == 1_000
    assert population.use.select(pl.all().max()).row(0)
