"""Dependence: which employers lose all their capability at a tier when one provider goes dark."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from abac.simulation.change import Columns
from abac.simulation.dependence import EXAMPLES, dependence
from abac.simulation.measures import Units
from abac.simulation.population import column_type, subject_frame
from abac.simulation.recount.whole import Recount
from abac.simulation.study import Studied, us_persons
from tests.simulation import june

INPUTS = june.inputs(1_000)


def rows(people: list[tuple[str, str | None, dict[str, int]]]):
    """Return the rows for subjects given as kind, organisation and use."""
    base = INPUTS.population
    kinds = pl.Series(
        "subject.kind", [k for k, _, _ in people], dtype=column_type(base.schema["subject.kind"].type)
    )
    names = pl.Series("subject.organisation", [o for _, o, _ in people], dtype=pl.String)
    ids = pl.Series("subject.id", [f"u{i}" for i in range(len(people))])
    frame = subject_frame(base.schema, [ids, kinds, names], len(people))
    use = pl.DataFrame(
        {c: [u.get(c, 0) for _, _, u in people] for c in base.use.columns},
        schema=dict.fromkeys(base.use.columns, pl.UInt32),
    )
    population = replace(base, asserted=frame, truth=frame, use=use, sessions=pl.DataFrame(height=len(people)))
    columns = Columns.of(population, INPUTS.read)
    us = us_persons(INPUTS.program.persons["foreign-person-ear@1"].condition, INPUTS.program, columns)
    studied = Studied(june.study("d1-foreign-nationals"), columns, Units(population), INPUTS.scenario, us)
    return {(r["tier"], r["provider"]): r for r in dependence(INPUTS.scenario, studied)}


def test_an_employer_is_dark_if_all_it_uses_at_the_tier_is_the_providers():
    found = rows([("person", "org-1", {"fable-5|invoke": 1}), ("person", "org-1", {"opus-4.5|invoke": 1})])
    assert found[5, "anthropic"]["employers_dark"] == found[3, "anthropic"]["employers_dark"] == 1
    assert found[3, "anthropic"]["users"] == 2
    assert found[5, "anthropic"]["users"] == 1, "one of them uses nothing at tier 5"


def test_another_provider_at_the_tier_keeps_it_lit():
    found = rows([("person", "org-1", {"opus-4.5|invoke": 1}), ("person", "org-1", {"gpt-5.5|invoke": 1})])
    assert {r["employers_dark"] for r in found.values() if r["tier"] == 3} == {0}
    assert found[4, "openai"]["employers_dark"] == 1, "at tier 4 it has nothing but the one"


def test_a_level_that_rests_on_a_claim_does_not_count():
    found = rows([("person", "org-1", {"gpt-5.5|invoke": 1, "fable-5|invoke": 1})])
    assert found[5, "anthropic"]["employers_dark"] == 1
    assert (5, "openai") not in found


def test_use_that_is_not_permitted_is_no_capability():
    """GPT-5.6 is not out on the 12th: whoever would use it is not kept lit by it."""
    found = rows([("person", "org-1", {"gpt-5.6|invoke": 5, "fable-5|invoke": 1})])
    assert found[4, "anthropic"]["employers_dark"] == 1
    assert (4, "openai") not in found


def test_keys_keep_an_organisation_lit_and_agents_and_individuals_do_not_count():
    found = rows(
        [
            ("organisation_key", "org-1", {"fable-5|invoke": 1}),
            ("person", "org-1", {"gpt-5.5|invoke": 1}),
            ("agent", "org-2", {"fable-5|invoke": 1}),
            ("person", "none", {"fable-5|invoke": 1}),
        ]
    )
    assert found[5, "anthropic"]["employers_dark"] == 1
    assert found[5, "anthropic"]["users"] == 0, "a key is nobody"
    assert found[4, "openai"]["employers_dark"] == 0


def test_examples_are_few_and_in_order():
    names = [f"org-{i}" for i in range(EXAMPLES + 3)]
    found = rows([("person", name, {"fable-5|invoke": 1}) for name in reversed(names)])
    assert found[5, "anthropic"]["employers"] == names[:EXAMPLES]
    assert found[5, "anthropic"]["employers_dark"] == EXAMPLES + 3


def test_teams_go_dark_within_their_employer():
    """The attribute of teams is the scenario's to name: here, for want of another, where people are."""
    base = INPUTS.population
    kind = column_type(base.schema["subject.location"].type)
    places = pl.Series("subject.location", ["US", "US", "FR", "FR", "US", None], dtype=kind)
    names = pl.Series("subject.organisation", ["org-1", "org-1", "org-1", "org-2", "none", "org-2"])
    ids = pl.Series("subject.id", [f"u{i}" for i in range(6)])
    frame = subject_frame(base.schema, [ids, names, places], 6)
    use = pl.DataFrame(
        {c: [0] * 6 for c in base.use.columns}, schema=dict.fromkeys(base.use.columns, pl.UInt32)
    ).with_columns(
        pl.Series("fable-5|invoke", [1, 0, 0, 1, 1, 1], pl.UInt32),
        pl.Series("opus-4.5|invoke", [0, 1, 0, 0, 0, 0], pl.UInt32),
        pl.Series("gpt-5.5|invoke", [0, 0, 1, 0, 0, 0], pl.UInt32),
    )
    population = replace(base, asserted=frame, truth=frame, use=use, sessions=pl.DataFrame(height=6))
    inputs = replace(INPUTS, population=population, scenario=replace(INPUTS.scenario, team="subject.location"))
    columns = Columns.of(population, inputs.read | {"subject.location"})
    us = us_persons(inputs.program.persons["foreign-person-ear@1"].condition, inputs.program, columns)
    studied = Studied(june.study("d1-foreign-nationals"), columns, Units(population), inputs.scenario, us)
    found = {(r["by"], r["tier"], r["provider"]): r for r in dependence(inputs.scenario, studied)}
    employers = found["subject.organisation", 3, "anthropic"]
    assert (employers["employers_dark"], employers["employers"]) == (1, ["org-2"])
    teams = found["subject.location", 3, "anthropic"]
    assert teams["employers"] == ["US", "org-1 / US", "org-2 / FR"]
    assert teams["users"] == 4
    assert found["subject.location", 3, "openai"]["employers"] == ["org-1 / FR"]
    recount = [r for r in Recount(inputs).dependence() if r["by"] == "subject.location"]
    assert recount == [r for (by, _, _), r in found.items() if by == "subject.location"]
