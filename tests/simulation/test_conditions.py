"""The five conditions: computed where they can be, and a claim is never evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from abac.policy.directive import Directive
from abac.simulation.change import Ask
from abac.simulation.conditions import Market, nationality_read, verdicts
from tests.simulation import june

INPUTS = june.inputs(1_000)
SCHEMA = INPUTS.program.schema
CATALOGUE = INPUTS.population.catalogue
ASKS = tuple(Ask(m, "invoke") for m in CATALOGUE.models)
D1 = next(d for d in INPUTS.program.directives if d.id == "d1-foreign-nationals")

TABLE = {
    "v0-framework": ("not met", "not shown", "met", "met", "not met"),
    "d1-foreign-nationals": ("not met", "not shown", "not met", "not shown", "not met"),
    "d1-passport-reading": ("not met", "not shown", "not met", "not shown", "not met"),
    "d2-annex-a": ("not met", "not shown", "not met", "not shown", "not met"),
    "d3-rescinded": ("not met", "not shown", "met", "met", "met"),
    "p1-customer-gate": ("not met", "not shown", "met", "met", "not met"),
    "t1-country-groups": ("not met", "not shown", "not met", "not shown", "not met"),
    "t2-end-users": ("not met", "not shown", "met", "met", "not met"),
    "t3-capability": ("not met", "not shown", "met", "met", "met"),
}


def places(*models: str) -> list[int]:
    return [i for i, ask in enumerate(ASKS) if ask.model.id in models]


def market(lost: tuple[str, ...] = ("fable-5", "mythos-5"), asks: tuple[Ask, ...] = ASKS) -> Market:
    return Market(asks, places(*lost), [i for i in range(len(asks)) if i not in places(*lost)], "cyber")


def judged(directive: Directive = D1, of: Market | None = None, **told) -> list[str]:
    about = tuple((dict(directive.about) | told).items())
    found = verdicts(replace(directive, about=about), SCHEMA, of or market())
    assert [v.number for v in found] == [1, 2, 3, 4, 5]
    return [v.met for v in found]


@pytest.mark.parametrize("name", TABLE)
def test_the_table_of_the_scenario(name):
    told = {tuple(c["met"] for c in e["conditions"]) for e in june.report(1_000)["directives"] if e["id"] == name}
    assert told == {TABLE[name]}, "the same under every posture and yardstick"


def test_none_is_met_of_the_first_letter():
    row = june.entry(june.report(1_000), "d1-foreign-nationals")
    assert "met" not in {c["met"] for c in row["conditions"]}
    assert "if parity holds" in row["conditions"][2]["evidence"]
    assert "gpt-5.5" in row["conditions"][2]["evidence"]
    assert "claimed, no test is on record" in row["conditions"][3]["evidence"]


def test_the_baseline_is_no_directive_and_is_not_judged():
    assert june.entry(june.report(1_000), "baseline")["conditions"] == []


def evidence(kind="test", access="public", model_specific=True, reproducible=True, **more):
    return {"kind": kind, "by": "x", "access": access, "model_specific": model_specific} | {
        "reproducible": reproducible,
        **more,
    }


def test_a_statute_needs_findings_and_both_must_be_public():
    statute, finding = evidence("statute"), evidence("finding")
    assert judged(evidence=[statute, finding])[0] == "met"
    assert judged(evidence=[statute])[0] == "not met"
    assert judged(evidence=[statute, evidence("finding", access="sealed")])[0] == "not met"
    assert judged(evidence=None)[0] == "not met"


@pytest.mark.parametrize(
    "given",
    [
        evidence("claim"),
        evidence("claim", competitor=True),
        evidence(competitor=True),
        evidence(access="sealed"),
        evidence(access="none"),
        evidence(model_specific=False),
        evidence(reproducible=False),
        evidence("finding"),
    ],
)
def test_only_a_public_model_specific_test_shows_technical_facts(given):
    assert judged(evidence=[given])[1] == "not shown"
    assert judged(evidence=[given, evidence("benchmark")])[1] == "met"


def test_sorting_by_passport_is_wrong_only_where_the_capability_is_reachable_elsewhere():
    alone = tuple(a for a in ASKS if a.model.id in ("fable-5", "mythos-5"))
    assert judged(of=Market(alone, [0, 1], [], "cyber"))[2] == "met"
    assert judged()[2] == "not met"
    assert judged(of=market(()))[2] == "met", "it denies nobody"


def test_a_substitute_that_nobody_may_use_is_none():
    closed = replace(market(), left=[])
    assert judged(of=closed)[2] == "met"
    assert judged(of=closed)[3] == "not shown"


def test_parity_that_is_shown_meets_the_fourth_and_makes_the_third_firmer():
    shown = tuple(
        Ask(
            replace(
                a.model, capabilities={k: replace(c, parity="shown") for k, c in a.model.capabilities.items()}
            ),
            a.action,
        )
        for a in ASKS
    )
    found = verdicts(D1, SCHEMA, market(asks=shown))
    assert [v.met for v in found[2:4]] == ["not met", "met"]
    assert "even with parity not shown" in found[2].evidence


def test_a_safeguard_or_an_obligation_is_depth():
    assert judged()[4] == "not met"
    assert judged(safeguards=["monitoring"])[4] == "met"
    oblige = next(d for d in INPUTS.program.directives if d.id == "t3-capability")
    assert judged(oblige, safeguards=[])[4] == "met"


def test_which_directives_turn_on_nationality():
    read = {d.id: bool(nationality_read(d, SCHEMA)) for d in INPUTS.program.directives}
    assert {name for name, sorts in read.items() if sorts} == {
        "d1-foreign-nationals",
        "d1-passport-reading",
        "d2-annex-a",
        "t1-country-groups",
    }
