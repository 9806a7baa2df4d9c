"""One directive studied: what it is about, its targets, and who owes what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from abac.simulation.change import Ask, Columns
from abac.simulation.measures import Units
from abac.simulation.posture import Access
from abac.simulation.study import Studied, us_persons
from tests.simulation import june

INPUTS = june.inputs(3_000)
COLUMNS = Columns.of(INPUTS.population, INPUTS.read)
CATALOGUE = INPUTS.population.catalogue
ABOUT = {
    "baseline": set(),
    "v0-framework": {m.id for m in CATALOGUE.models},
    "d1-foreign-nationals": {"fable-5", "mythos-5"},
    "d2-annex-a": {"fable-5", "mythos-5"},
    "p1-customer-gate": {"gpt-5.6"},
    "t1-country-groups": {"fable-5", "mythos-5"},
    "t3-capability": {"fable-5", "mythos-5"},
}


def studied(name: str, columns: Columns = COLUMNS) -> Studied:
    test = INPUTS.program.persons[INPUTS.scenario.us_person_is_not].condition
    us = us_persons(test, INPUTS.program, columns)
    return Studied(june.study(name, 3_000), columns, Units(columns.population), INPUTS.scenario, us)


@pytest.mark.parametrize("name", ABOUT)
def test_a_directive_is_about_the_models_its_resource_scope_does_not_exclude(name):
    study = june.study(name)
    for model in CATALOGUE.models:
        for action in CATALOGUE.actions:
            assert study.about(Ask(model, action)) == (model.id in ABOUT[name])


def test_a_pending_term_leaves_open_which_models_it_is_about_and_denies_nobody():
    found = studied("v0-framework")
    assert all(found.about)
    assert found.lost() == []
    assert not any(marks.any() for marks in found.open)


def test_the_target_of_a_scope_is_the_truth_whatever_is_on_file():
    found = studied("d1-foreign-nationals")
    scope = found.target(found.study.scope)
    us = found.us_person.low[0]
    for i, had in enumerate(found.had):
        expected = had & ~us if found.about[i] else np.zeros_like(had)
        assert (scope.low[i] == expected).all()
        assert (scope.high[i] == expected).all()


def test_what_is_exempt_is_no_target():
    found = studied("d3-rescinded")
    assert not any(m.any() for m in found.target(found.study.scope).high)


def test_an_exemption_lifts_a_denial_and_grants_nothing():
    """Annex A lets off its organisations for Mythos 5, which still needs a Glasswing partnership."""
    found = studied("d2-annex-a")
    annex, partners = (INPUTS.program.lists[name] for name in ("annex-a", "glasswing-partners"))
    names = INPUTS.population.asserted["subject.organisation"].to_list()
    relation = INPUTS.population.asserted["subject.relation"].cast(str).to_list()
    mythos = next(i for i, ask in enumerate(found.asks) if ask.key == "mythos-5|invoke")
    permitted = found.change.after.permitted(mythos, found.discharges)
    for row, name in enumerate(names):
        entitled = name in partners or relation[row] == "staff"
        exempt = name in annex or relation[row] == "staff"
        assert permitted[row] == (entitled and exempt), "with nothing on file only the exempt are decided"
    assert annex - partners, "some of Annex A are no partners"
    assert permitted.any()


def test_an_organisation_of_the_annex_does_not_get_fable_back():
    found = studied("d2-annex-a")
    fable = next(i for i, ask in enumerate(found.asks) if ask.key == "fable-5|invoke")
    assert not found.change.after.permitted(fable, found.discharges).any()


def test_without_truth_a_target_is_what_is_known_and_what_may_be():
    brought = Columns.of(replace(INPUTS.population, truth=None), INPUTS.read)
    found = studied("d1-foreign-nationals", brought)
    exact = studied("d1-foreign-nationals")
    bounds, target = found.target(found.study.scope), exact.target(exact.study.scope)
    for i in range(len(found.asks)):
        assert not (bounds.low[i] & ~target.low[i]).any()
        assert not (target.high[i] & ~bounds.high[i]).any()


def test_safeguarded_is_who_owes_what_was_not_owed_before():
    found = studied("t3-capability")
    every = [Access(had, had) for had in found.had]
    marks = found.safeguarded(every)
    verified = INPUTS.population.asserted["subject.identity_verified"].to_numpy()
    for i, own in enumerate(marks):
        expected = found.had[i] & ~verified if found.about[i] else np.zeros_like(own)
        assert (own == expected).all()
    same = replace(found.study, before=found.study.after)
    again = Studied(same, COLUMNS, found.units, INPUTS.scenario, found.us_person)
    assert not any(m.any() for m in again.safeguarded(every)), "owed before already"


def test_who_lost_access_keeps_no_safeguard():
    found = studied("t3-capability")
    nobody = [Access(np.zeros_like(had), np.zeros_like(had)) for had in found.had]
    assert not any(m.any() for m in found.safeguarded(nobody))


def test_decidable_counts_requests_permitted_before_on_what_it_is_about():
    assert studied("baseline").decidable() == (0, 0)
    decided, whole = studied("d1-foreign-nationals").decidable()
    use = INPUTS.population.use
    fable = sum(int(use[f"fable-5|{a}"].sum()) for a in CATALOGUE.actions)
    assert decided == 0
    assert whole >= fable


def test_us_persons_are_exactly_known_where_the_truth_is():
    us = studied("baseline").us_person
    assert (us.low[0] == us.high[0]).all()
    assert 0 < us.low[0].sum() < len(us.low[0])
