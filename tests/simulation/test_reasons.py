"""Why answers changed: one row per subject and directive, the point decision's own reason, nobody named."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

import abac
from abac.condition.schema import Assurance
from abac.simulation.population import ID, Population
from abac.simulation.reasons import COLUMNS, Pattern, pseudonyms, reason
from abac.simulation.run import Inputs, Result, run
from tests.simulation import june
from tests.simulation.test_change import body

SIZE = 1_000
NATIONALITY = (
    "subject.citizenships_current",
    "subject.citizenships_ever",
    "subject.residencies_permanent",
    "subject.latest_citizenship_or_residency",
    "subject.protected_individual",
    "subject.military_intelligence_end_user",
)


def inputs() -> Inputs:
    return june.covered(SIZE, 0.6, 0.3)


@cache
def found(identify: bool = False) -> Result:
    return run(replace(inputs(), sweeps=()), identify=identify)


@cache
def expected() -> dict[tuple[str, str], dict[str, str]]:
    """Return the row that each subject and directive should have, by the point decision alone."""
    population, rows = inputs().population, {}
    use = population.use.to_dicts()
    bodies = [body(population, i) for i in range(len(population))]
    asks = [(m, a) for m in population.catalogue.models for a in population.catalogue.actions]
    for study in inputs().studies:
        for i, subject in enumerate(bodies):
            moves = []
            for model, action in asks:
                if not use[i][f"{model.id}|{action}"]:
                    continue
                request = abac.Request(subject, action, model.attributes, {"now": study.at})
                before, after = abac.decide(study.before, request), abac.decide(study.after, request)
                if before.extended is not after.extended:
                    moves.append((model.id, before.decision.value, after.decision.value, reason(after)))
            if moves:
                models, was, now, why = zip(*moves, strict=True)
                rows[population.asserted[ID][i], study.id] = {
                    "before": ", ".join(dict.fromkeys(was)),
                    "after": ", ".join(dict.fromkeys(now)),
                    "models": ", ".join(sorted(set(models))),
                    "reason": "; ".join(dict.fromkeys(why)),
                }
    return rows


def test_every_row_is_the_point_decision_of_its_subject():
    told = {
        (row["subject"], row["directive"]): {k: row[k] for k in ("before", "after", "models", "reason")}
        for row in found(identify=True).people.to_dicts()
    }
    assert told == expected()
    afters = {row["after"] for row in told.values()}
    assert {"DENY", "INDETERMINATE"} <= afters, "the sample has both"


def test_there_is_one_row_per_subject_and_directive_and_none_where_nothing_changed():
    people = found().people
    assert people.select("subject", "directive").is_unique().all()
    assert people.height == len(expected())
    assert set(people["directive"]) == {name for _, name in expected()}
    assert "baseline" not in set(people["directive"])


def test_pseudonyms_stand_in_the_same_place_as_the_ids():
    shown = found().people.select("subject", "directive", "reason")
    names = pseudonyms(inputs().population.salt, inputs().population.asserted[ID])
    by_id = dict(zip(inputs().population.asserted[ID], names, strict=True))
    own = found(identify=True).people.select(
        pl.col("subject").replace_strict(by_id), pl.col("directive"), pl.col("reason")
    )
    assert sorted(shown.rows()) == sorted(own.rows())


def test_without_identify_there_are_only_the_agreed_columns():
    assert tuple(found().people.columns) == COLUMNS


def test_without_identify_no_cell_holds_an_id_or_a_nationality():
    population, text = inputs().population, "\n".join("|".join(row) for row in found().people.rows())
    countries = {
        c for column in NATIONALITY[:3] for c in population.truth[column].explode().drop_nulls().cast(str)
    }
    words = set(re.findall(r"\b[A-Z]{2}\b", text)) - {"BY"}
    assert not words & countries
    assert not re.search(r"s-\d{7}", text)
    assert not re.search(r"org-\d{5}", text)
    assert len(countries) > 20


def test_with_identify_every_attribute_on_file_stands_beside_its_subject():
    people, population = found(identify=True).people, inputs().population
    assert set(NATIONALITY) <= set(people.columns)
    row = people.row(5, named=True)
    asserted = population.asserted.row(by_predicate=pl.col(ID) == row["subject"], named=True)
    assert {k: row[k] for k in NATIONALITY} == {k: asserted[k] for k in NATIONALITY}


def test_identifying_changes_no_figure():
    plain, named = found().report, found(identify=True).report
    assert plain | {"witnesses": []} == named | {"witnesses": []}
    ids = set(inputs().population.asserted[ID])
    assert {w["subject"] for w in named["witnesses"]} <= ids
    assert not {w["subject"] for w in plain["witnesses"]} & ids


def test_pseudonyms_are_stable_unique_and_another_populations_are_others():
    ids = inputs().population.asserted[ID]
    names = pseudonyms("one", ids)
    assert names == pseudonyms("one", ids)
    assert len(set(names)) == len(ids)
    assert not set(names) & set(pseudonyms("two", ids))
    assert not set(names) & set(ids)
    assert all(re.fullmatch(r"[0-9a-f]{20}", name) for name in names)


def brought(asserted: pl.DataFrame | None = None) -> Population:
    base = june.inputs(500).population
    on_file = base.asserted if asserted is None else asserted
    return replace(base, asserted=on_file, truth=None, synthetic=False, seed=None)


def test_knowing_an_id_and_the_printed_report_does_not_give_a_brought_subjects_pseudonym():
    """All that a report prints of a population is its digest; the salt is made from its rows too."""
    population = brought()
    result = run(replace(june.inputs(500), population=population, sweeps=(), postures=("strict",)))
    printed = result.report["generated_from"] | {"seed": str(result.report["seed"])}
    ids = population.asserted[ID]
    guesses = {name for text in (*printed.values(), "") for name in pseudonyms(text, ids)}
    guesses |= {hashlib.sha256(i.encode()).hexdigest()[:20] for i in ids}
    assert not guesses & set(result.people["subject"])
    assert population.salt == brought().salt, "and it is the same every time"


def test_the_salt_of_a_brought_population_hangs_on_every_row():
    base = brought()
    column = "subject.citizenships_current"
    held = base.asserted[column].to_list()
    other = base.asserted.with_columns(
        pl.Series(column, [*held[:7], ["FR"], *held[8:]], dtype=base.asserted[column].dtype)
    )
    assert brought(other).salt != base.salt


def test_a_reason_names_what_is_missing_and_cites_clause_and_person_test():
    study = june.study("d1-foreign-nationals")
    fable = june.inputs(1_000).population.catalogue.get("fable-5")
    assert fable is not None

    def told(**subject) -> str:
        return reason(
            abac.decide(study.after, abac.Request(subject, "invoke", fable.attributes, {"now": study.at}))
        )

    person = {"kind": "person", "relation": "customer", "organisation": "none"}
    open_ = told(**person)
    assert open_.startswith(
        "cannot be decided without citizenships_current, protected_individual, residencies_permanent"
    )
    assert "d1-foreign-nationals clause fable-5, person test foreign-person-ear@1 (UNKNOWN)" in open_
    known = {"assurance": str(Assurance.VERIFIED), "complete": True}
    foreign = person | {
        "citizenships_current": {"value": ["FR"], **known},
        "residencies_permanent": {"value": [], **known},
        "protected_individual": {"value": False, "assurance": str(Assurance.VERIFIED)},
    }
    assert told(**foreign) == (
        "DENY by d1-foreign-nationals clause fable-5, person test foreign-person-ear@1 (TRUE)"
    )


def test_a_reason_names_the_obligation_owed():
    study = june.study("t3-capability")
    fable = june.inputs(1_000).population.catalogue.get("fable-5")
    assert fable is not None
    request = abac.Request({"identity_verified": False}, "invoke", fable.attributes, {"now": study.at})
    assert reason(abac.decide(study.after, request)).endswith("owing cyber-safeguard-on")


def test_a_reason_where_no_rule_applies_says_so():
    study = june.study("baseline")
    request = abac.Request({}, "invoke", {"id": "x", "access": "withheld"}, {"now": study.at})
    assert "no rule applies" in reason(abac.decide(study.before, request))


@pytest.mark.parametrize("sizes", [(2, 3), (7, 2**40, 2**40, 5)])
def test_patterns_tell_rows_apart_by_every_column(sizes):
    rows = 200
    generator = np.random.default_rng(1)
    columns = [generator.integers(0, min(size, 3), rows) for size in sizes]
    pattern = Pattern(rows)
    for column, size in zip(columns, sizes, strict=True):
        pattern.add(column, size)
    firsts, which = pattern.distinct()
    tuples = list(zip(*(c.tolist() for c in columns), strict=True))
    assert len(firsts) == len(set(tuples))
    assert [tuples[f] for f in firsts[which]] == tuples
