"""The synthetic population keeps to its marginals, to one seed, and to what the words of the schema mean."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.schema import Assurance, Category, Schema
from abac.errors import Findings
from abac.language.schema import read_schema
from abac.simulation.catalogue import Catalogue, read_catalogue
from abac.simulation.population import Population, column_type
from abac.simulation.population.parameters import Parameters, read_parameters
from abac.simulation.population.synthetic import NATIONALITY, World, draw, synthetic

POLICIES = Path(__file__).parents[3] / "policies"
N = 20_000
LOCATION, CURRENT, RESIDENT = "subject.location", "subject.citizenships_current", "subject.residencies_permanent"
PERSON = pl.col("subject.kind") == "person"
KEY = pl.col("subject.kind") == "organisation_key"


@cache
def documents() -> tuple[Schema, Catalogue, Parameters]:
    findings = Findings()
    schema = read_schema((POLICIES / "schema.yaml").read_text("utf-8"), "schema.yaml", findings)
    june = POLICIES / "scenarios/june-2026"
    catalogue = read_catalogue((june / "catalogue.yaml").read_text("utf-8"), "catalogue.yaml", schema, findings)
    parameters = read_parameters((june / "population.yaml").read_text("utf-8"), "population.yaml", findings)
    findings.raise_errors()
    assert parameters is not None
    return schema, catalogue, parameters


@cache
def world(subjects: int = N, seed: int = 2026) -> World:
    return draw(*documents(), subjects=subjects, seed=seed)


@cache
def large() -> World:
    return world(200_000, 7)


def truth(of: World) -> pl.DataFrame:
    frame = of.population().truth
    assert frame is not None
    return frame


def near(found: float, wanted: float, size: int) -> bool:
    """Whether a share is within five standard errors of what was asked for."""
    return abs(found - wanted) <= 5 * np.sqrt(max(wanted * (1 - wanted), 1e-9) / size) + 1e-9


def test_the_columns_are_those_of_the_contract():
    population = world().population()
    schema = documents()[0]
    assert population.truth is not None
    for frame in (population.asserted, population.truth):
        assert frame.height == N
        assert frame.columns == [d.path for d in schema if d.category is Category.SUBJECT]
        for path, dtype in frame.schema.items():
            assert dtype == column_type(schema[path].type)
    ids = population.asserted["subject.id"]
    assert ids.null_count() == 0
    assert ids.n_unique() == N
    assert ids.equals(population.truth["subject.id"])
    assert population.use.columns == [f"{m.id}|{a}" for m in documents()[1].models for a in ("invoke", "cyber")]
    assert population.sessions.columns == [m.id for m in documents()[1].models]
    assert set(population.use.dtypes) == set(population.sessions.dtypes) == {pl.UInt32()}
    assert population.use.height == population.sessions.height == N
    assert set(population.assurance) == set(population.asserted.columns)
    assert set(population.complete) == {p for p in population.asserted.columns if schema[p].is_set}


def test_no_set_holds_a_null_or_an_element_twice():
    frame = truth(large())
    for path in NATIONALITY[:3]:
        sets = frame[path]
        assert not sets.list.eval(pl.element().is_null()).list.any().any()
        assert (sets.list.len() == sets.list.n_unique()).all()


def same(a: Population, b: Population) -> bool:
    assert a.truth is not None
    assert b.truth is not None
    pairs = ((a.asserted, b.asserted), (a.truth, b.truth), (a.use, b.use), (a.sessions, b.sessions))
    return all(x.equals(y) for x, y in pairs)


def test_two_runs_with_one_seed_are_equal_and_another_seed_is_not():
    first = synthetic(*documents(), subjects=3_000, coverage=0.3, attesting=0.2)
    again = synthetic(*documents(), subjects=3_000, coverage=0.3, attesting=0.2)
    other = synthetic(*documents(), subjects=3_000, seed=1, coverage=0.3, attesting=0.2)
    assert same(first, again)
    assert first.digest == again.digest
    assert not same(first, other)
    assert first.digest != other.digest


def test_the_digest_follows_numbers_size_and_what_is_on_file():
    schema, catalogue, parameters = documents()
    digests = {
        synthetic(schema, catalogue, parameters, subjects=500).digest,
        synthetic(schema, catalogue, parameters, subjects=501).digest,
        synthetic(schema, catalogue, parameters, subjects=500, coverage=0.1).digest,
        synthetic(schema, catalogue, parameters.varied(stateless=0.1), subjects=500).digest,
    }
    assert len(digests) == 4


def test_the_order_of_rows_in_the_document_does_not_matter():
    schema, catalogue, parameters = documents()
    turned = Parameters(
        dict(reversed(parameters.rows.items())),
        parameters.provider,
        parameters.roles,
        parameters.entitled,
        parameters.digest,
    )
    assert same(
        synthetic(schema, catalogue, parameters, subjects=2_000),
        synthetic(schema, catalogue, turned, subjects=2_000),
    )


def test_kinds_and_locations_keep_their_shares():
    _, _, p = documents()
    frame = truth(large())
    kinds = p["kinds"]
    counts = dict(frame["subject.kind"].value_counts().iter_rows())
    assert all(abs(counts[k] - kinds[k] * frame.height) <= 2 for k in kinds)
    persons = frame.filter(PERSON)
    for country, share in p["location.reported"].items():
        assert near((persons[LOCATION] == country).mean(), share, persons.height)
    others = p["location.others"]
    left = 1 - sum(p["location.reported"].values())
    for country in ("GB", "DE", "CN", "RU"):
        assert near(
            (persons[LOCATION] == country).mean(), left * others[country] / sum(others.values()), persons.height
        )


def test_the_foreign_born_in_the_us_keep_their_share_and_their_three_subsets():
    _, _, p = documents()
    people = truth(large()).filter(PERSON, pl.col(LOCATION) == "US", pl.col("subject.relation") != "staff")
    natives = ~pl.col("subject.citizenships_ever").list.len().eq(2) & pl.col(CURRENT).list.contains("US")
    status = p["us.foreign_born.status"]
    foreigners = people.filter(~pl.col(CURRENT).list.contains("US"), pl.col(CURRENT).list.len() > 0)
    visa = foreigners.filter(pl.col(RESIDENT).list.len() == 0)
    assert near(visa.height / people.height, p["us.foreign_born"] * status["visa"], people.height)
    cards = foreigners.filter(pl.col(RESIDENT).list.contains("US"))
    assert near(cards.height / people.height, p["us.foreign_born"] * status["permanent_resident"], people.height)
    assert people.filter(natives).height > 0.75 * people.height
    protected = visa["subject.protected_individual"].mean()
    assert near(float(protected), p["us.visa.protected"], visa.height)
    assert not people.filter(pl.col(CURRENT).list.contains("US"))["subject.protected_individual"].any()


def test_everyone_the_person_tests_disagree_on_occurs():
    frame = truth(large()).filter(PERSON)
    us, abroad = pl.col(LOCATION) == "US", pl.col(LOCATION) != "US"
    citizen = pl.col(CURRENT).list.contains("US")
    found = {
        "dual": citizen & (pl.col(CURRENT).list.len() == 2),
        "card": ~citizen & pl.col(RESIDENT).list.contains("US") & us,
        "card abroad": ~citizen & pl.col(RESIDENT).list.contains("US") & abroad,
        "citizen abroad": citizen & abroad,
        "stateless": pl.col(CURRENT).list.len() == 0,
        "protected": pl.col("subject.protected_individual"),
        "latest elsewhere": citizen & (pl.col("subject.latest_citizenship_or_residency") != "US"),
        "former": pl.col("subject.citizenships_ever").list.len() > pl.col(CURRENT).list.len(),
        "foreign staff": (pl.col("subject.relation") == "staff") & ~citizen,
        "applicant": pl.col("subject.relation") == "applicant",
        "end user in the US": pl.col("subject.military_intelligence_end_user") & us,
        "end user with a US citizenship": pl.col("subject.military_intelligence_end_user") & citizen,
        "owned by listed": pl.col("subject.listed_ownership") >= 0.5,
    }
    counts = frame.select(**{name: where.sum() for name, where in found.items()}).row(0, named=True)
    assert all(counts.values()), counts


def test_what_is_held_now_was_held_once():
    frame = truth(large()).filter(~KEY)
    ever, current = frame["subject.citizenships_ever"], frame[CURRENT]
    assert current.list.set_difference(ever).list.len().sum() == 0
    latest = frame["subject.latest_citizenship_or_residency"]
    held = frame.select(pl.concat_list(CURRENT, RESIDENT).list.contains(pl.lit(latest))).to_series()
    assert latest.null_count() == 0
    assert held.all()


def test_keys_carry_their_organisations_facts_and_no_nationality():
    keys = truth(world()).filter(KEY)
    assert keys.select(pl.col(NATIONALITY).null_count()).row(0) == (keys.height,) * 5
    assert keys["subject.organisation_country"].null_count() == 0
    assert not (keys["subject.organisation"] == "none").any()


def test_agents_carry_the_facts_of_a_person():
    of = world()
    frame = truth(of)
    rows = np.flatnonzero(of.subjects.kind == 2)
    persons = of.subjects.person[rows]
    for path in (*NATIONALITY, LOCATION, "subject.organisation", "subject.relation"):
        assert frame[path].gather(rows).equals(frame[path].gather(persons))


def test_nothing_of_nationality_is_on_file_on_the_day():
    asserted = world().population().asserted
    assert asserted.select(pl.col(NATIONALITY).null_count()).row(0) == (N,) * 5
    assert asserted["subject.military_intelligence_end_user"].null_count() == N
    country = asserted.filter(pl.col("subject.organisation_country").is_not_null())
    assert set(country["subject.organisation"]) == {"anthropic"}


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_coverage_is_nested_and_as_large_as_asked(low, high, attesting):
    low, high = sorted((low, high))
    before, after = (world().population(c, attesting).asserted for c in (low, high))
    known = {c: f[CURRENT].is_not_null() for c, f in (("low", before), ("high", after))}
    assert not (known["low"] & ~known["high"]).any()
    only = world().population(high, 0.0).asserted.filter(PERSON)
    assert near(only[CURRENT].is_not_null().mean(), high, only.height)


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_attesting_is_nested_and_by_organisation(low, high):
    low, high = sorted((low, high))
    frames = [world().population(0.0, a).asserted for a in (low, high)]
    orgs = [
        set(f.filter(pl.col("subject.organisation_country").is_not_null())["subject.organisation"]) for f in frames
    ]
    assert orgs[0] <= orgs[1]
    for frame, known in zip(frames, orgs, strict=True):
        rest = frame.filter(~pl.col("subject.organisation").is_in([*known]))
        assert rest[CURRENT].null_count() == rest.height


def test_what_is_on_file_is_true_but_for_location_and_concealment():
    population = world().population(0.6, 0.4)
    assert population.truth is not None
    both = population.asserted.rename(lambda c: f"a.{c}").hstack(population.truth)
    for path in NATIONALITY:
        wrong = both.filter(pl.col(f"a.{path}").is_not_null() & (pl.col(f"a.{path}") != pl.col(path)))
        assert wrong.height == 0
    concealed = both.filter(pl.col("a.subject.organisation") != pl.col("subject.organisation"))
    assert set(concealed["a.subject.organisation"]) == {"none"}
    listed = {f"org-{i:05d}" for i in range(31, 76)}
    assert set(concealed["subject.organisation"]) <= listed
    shown = (both.filter(PERSON)[f"a.{LOCATION}"] == both.filter(PERSON)[LOCATION]).mean()
    assert 0.94 < float(shown) < 0.98


def test_two_proofs_of_nationality_keep_their_own_assurance():
    asserted = world().population(0.5, 0.9).asserted
    levels = asserted.filter(pl.col(CURRENT).is_not_null())[f"{CURRENT}@assurance"]
    assert levels.dtype == pl.UInt8
    assert set(levels) == {Assurance.DOCUMENTED, Assurance.VERIFIED}
    assert f"{CURRENT}@assurance" not in world().population(0.5, 0.0).asserted.columns
    assert world().population(0.5).assurance[CURRENT] is Assurance.VERIFIED
    assert world().population().assurance[LOCATION] is Assurance.INFERRED


def test_limited_models_are_used_by_partners_and_staff_only():
    population = large().population()
    assert population.truth is not None
    partners = {"anthropic", *(f"org-{i:05d}" for i in range(101, 141))}
    users = population.truth.filter(population.use["mythos-5|invoke"] > 0)
    assert users.height > 100
    assert set(users["subject.organisation"]) <= partners


def test_sessions_and_cyber_use_stand_on_use():
    population = large().population()
    use, sessions = population.use, population.sessions
    for model in documents()[1].models:
        used = use[f"{model.id}|invoke"] > 0
        assert not ((sessions[model.id] > 0) & ~used).any()
        assert not ((use[f"{model.id}|cyber"] > 0) & ~used).any()
    assert population.truth is not None
    end_users = population.truth["subject.military_intelligence_end_user"]
    cyber = (use["fable-5|cyber"] > 0).filter(end_users)
    assert 0.6 < float(cyber.mean()) < 0.95


def test_requests_are_overdispersed_and_everyone_uses_something():
    use = large().population().use
    total = use.sum_horizontal()
    assert total.min() >= 1
    persons = total.filter(truth(large())["subject.kind"] == "person")
    assert float(persons.var()) > 3 * float(persons.mean())
    assert float(persons.mean()) == pytest.approx(documents()[2]["use.mean_requests"]["person"], rel=0.2)


def test_the_assumptions_go_with_the_population():
    rows = {a.name: a for a in world().population(0.25, 0.5).assumptions}
    assert rows["coverage"].value == 0.25
    assert rows["attesting"].value == 0.5
    assert rows["location.reported"].firmness == "reported"


@pytest.mark.parametrize("subjects", [1, 2, 33, 100])
def test_small_populations_stand(subjects):
    population = synthetic(*documents(), subjects=subjects, coverage=1.0, attesting=1.0)
    assert len(population) == subjects


@pytest.mark.parametrize("wrong", [{"subjects": 0}, {"seed": -1}, {"coverage": 1.5}, {"attesting": float("nan")}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"cannot draw|not from 0 to 1"):
        synthetic(*documents(), **{"subjects": 10} | wrong)
