"""Explanations in words against golden texts, and as data against the reference and `decide`."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import abac
from abac.compiler.program import assemble
from abac.condition.truth import TRUE
from abac.pdp.decide import decide
from abac.pdp.explain import explain
from abac.pdp.explanation import Doubt
from abac.policy.decision import Decision
from abac.policy.rule import Algorithm, PolicySet
from tests.agreement import strategies as abac_st
from tests.reading import ROOT

GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = yaml.safe_load((GOLDEN / "cases.yaml").read_text(encoding="utf-8"))
CASES = DOCUMENT["cases"]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)  # so that citations name files from there


@cache
def compiled(program, policies, algorithm, nested):
    """The program of a case, its rows under another algorithm where the case says so."""
    made = DOCUMENT["programs"][program]
    whole = abac.compile(made["schema"], made["model"], policies)
    *above, rows = whole.root.children
    if algorithm:
        rows = replace(rows, algorithm=Algorithm(algorithm), default_deny=False)
    if nested:
        rows = PolicySet("nested", Algorithm(nested), (rows,))
    root = replace(whole.root, children=(*above, rows))
    return assemble(whole.schema, root, whole.functions, directives=whole.directives)


def asked(case):
    """The program, request and discharged obligations of a case."""
    base = DOCUMENT["requests"].get(case["program"], DOCUMENT["requests"]["small"])
    own = case.get("request", {})
    parts = {k: v if isinstance(v, str) else {**v, **own.get(k, {})} for k, v in base.items() if k != "action"}
    request = abac.Request(action=own.get("action", base["action"]), **parts)
    program = compiled(case["program"], tuple(case["policies"]), case.get("algorithm"), case.get("nested"))
    return program, request, frozenset(case.get("discharges", ()))


def explained(name):
    case = CASES[name]
    program, request, discharges = asked(case)
    options = dict(case.get("options", {}))
    return explain(program, request, discharges=discharges, **options)


@pytest.mark.parametrize("name", CASES)
def test_the_words_are_the_golden_text(name):
    assert f"{explained(name)}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_text_has_its_case():
    assert {f.stem for f in GOLDEN.glob("*.txt")} == set(CASES)
    assert len(CASES) >= 20


# --- as data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_data_is_json_and_its_outcome_is_that_of_decide(name):
    told = explained(name)
    program, request, discharges = asked(CASES[name])
    assert told.outcome == decide(program, request, discharges=discharges)
    as_json = json.loads(json.dumps(told.as_json(), allow_nan=False))
    assert as_json["decision"] == told.outcome.extended.decision.value
    assert len(as_json["decided"]) == len(told.outcome.reasons)
    assert [c["attribute"] for c in as_json["counterfactual"]["changes"]] == [
        c.attribute for c in told.counterfactual.changes
    ]


def test_a_decided_rule_has_citation_letter_and_the_values_its_tests_met():
    (rule,) = explained("deny-by-directive").decided
    assert (rule.citation.directive, rule.citation.clause) == ("d1-foreign-nationals", "fable-5")
    assert rule.citation.person_test == "foreign-person-ear@1"
    assert rule.letter == "the letter was not published"
    met = next(m for test in rule.tests for m in test.met if m.attribute == "subject.citizenships_current")
    assert (met.value, str(met.assurance), met.source, met.complete) == ({"FR"}, "documented", "passport", True)


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("unknown-absent", Doubt.ABSENT),
        ("unknown-assurance", Doubt.ASSURANCE),
        ("unknown-incomplete", Doubt.INCOMPLETE),
        ("unknown-pending", Doubt.PENDING),
        ("unknown-arithmetic", Doubt.NO_VALUE),
    ],
)
def test_each_unknown_says_why(name, doubt):
    told = explained(name)
    assert [u.doubt for u in told.unknown] == [doubt]
    named = [u.name for u in told.unknown if u.doubt is not Doubt.NO_VALUE]
    assert tuple(named) == told.outcome.unknown


def test_redaction_leaves_no_sensitive_value_and_no_test_of_one():
    told = explained("redacted")
    text = json.dumps(told.as_json()) + str(told)
    assert "FR" not in text
    assert "US" not in text
    assert '"fable-5"' in str(told)
    (change,) = told.counterfactual.changes
    assert (change.attribute, change.value, change.hidden) == ("subject.citizenships_current", None, True)


def test_redaction_hides_sensitive_elements_only():
    assert "FR" in str(explained("deny-by-directive"))


def test_a_target_can_be_asked_for():
    program, request, _ = asked(CASES["permit"])
    told = explain(program, request, target=Decision.INDETERMINATE)
    assert told.counterfactual.wanted == (Decision.INDETERMINATE,)
    assert told.counterfactual.changes == ()
    denied = explain(program, request, target=Decision.DENY)
    assert denied.counterfactual.decision is Decision.DENY


def test_an_unknown_name_among_the_mutable_is_refused():
    program, request, _ = asked(CASES["permit"])
    with pytest.raises(KeyError):
        explain(program, request, mutable=["subject.shoe_size"])


def test_the_limit_is_said():
    program, request, _ = asked(CASES["deny-by-directive"])
    told = explain(program, request, limit=1)
    assert not told.counterfactual.finished
    assert not told.counterfactual.exact
    assert "the search stopped at its limit" in str(told)


def test_nearest_rules_are_bounded_and_the_rest_counted():
    program, request, _ = asked(CASES["not-applicable"])
    assert [len(explain(program, request, nearest=n).nearest) for n in (0, 1, 9)] == [0, 1, 3]
    assert [explain(program, request, nearest=n).left_out for n in (0, 1, 9)] == [3, 2, 0]


# --- against the reference, on trees of every shape -------------------------------------------------------------

DEFAULT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@DEFAULT
@given(abac_st.trees(), abac_st.assertions(), st.booleans())
def test_what_is_told_agrees_with_the_outcome(root, held, discharge):
    program = assemble(abac_st.SCHEMA, PolicySet("all", Algorithm.DENY_OVERRIDES, (root,)), abac_st.FUNCTIONS)
    discharges = frozenset({"duty-1"} if discharge else ())
    request = abac_st.as_request(held)
    told = explain(program, request, discharges=discharges, limit=60)
    outcome = decide(program, request, discharges=discharges)
    assert told.outcome == outcome
    assert [(r.rule, r.effect, r.truth) for r in told.decided] == [
        (r.rule, r.effect, r.truth) for r in outcome.reasons
    ]
    assert {u.name for u in told.unknown if u.doubt is not Doubt.NO_VALUE} == set(outcome.unknown)
    assert [o.obligation for o in told.owed] == [*outcome.obligations, *outcome.advice]
    assert all(o.rules for o in told.owed)
    assert all(r.failed is not None and r.failed.truth is not TRUE for r in told.nearest)
    if outcome.extended.decision in (Decision.PERMIT, Decision.DENY):
        assert told.decided or told.fallbacks
    json.dumps(told.as_json())
    assert outcome.extended.decision.value in str(told)
    if told.counterfactual.changes:
        assert told.counterfactual.decision in told.counterfactual.wanted
