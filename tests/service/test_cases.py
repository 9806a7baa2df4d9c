from __future__ import annotations

import pytest

from abac.errors import CompileError, Findings
from abac.service import cases, starter

HEAD = "cases: abac/1\nschema: ../schema.yaml\nmodel: ../models/abac.conf\npolicies: [../rules, ../directives]\n"
CITIZEN = """\
given:
  subject: {kind: person, relation: customer, citizenships_current: [US], residencies_permanent: [],
    protected_individual: false}
  action: invoke
  resource: {cyber_tier: 5}
  environment: {now: 2026-06-13T09:00:00Z}
tests:
"""


@pytest.fixture
def put(tmp_path):
    """Return what running a text of cases beside the starter's policies gives."""
    folder = tmp_path / "start"
    starter.write(folder)

    def run(text, head=HEAD + CITIZEN):
        file = folder / "tests" / "these.yaml"
        file.write_text(head + text)
        findings = Findings()
        suites = cases.load([file], findings)
        findings.raise_errors(CompileError)
        return cases.run(suites)

    return run


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{decision: PERMIT, permitted: true, unknown: [], obligations: [], advice: []}", None),
        ("{reasons: [rules#1]}", None),
        ("{reasons: [{rule: rules#1, truth: 'TRUE'}]}", None),
        ("{decision: DENY}", "expected DENY, got PERMIT"),
        ("{permitted: false}", "expected permitted: false, got true"),
        ("{reasons: [rules#2]}", "expected the reason rule rules#2"),
        ("{reasons: [{directive: first, clause: tier-5}]}", "expected the reason directive first, clause tier-5"),
        ("{reasons: []}", "expected no reason; got PERMIT by rule rules#1"),
        ("{unknown: [subject.id]}", "expected unknown subject.id, got none"),
        ("{obligations: [a, b]}", "expected obligations a, b, got none"),
        ("{refused: subject.id}", "expected to be refused at `subject.id`, got PERMIT"),
    ],
)
def test_expectations(put, expect, said):
    (result,) = put(f"  - {{name: one, expect: {expect}}}\n").results
    assert result.passed is (said is None)
    if said:
        assert result.failures[0].startswith(said)


def test_a_refused_request_is_a_failure_unless_expected(put):
    tests = """\
  - {name: expected, request: {subject: {tear: 1}}, expect: {refused: subject.tear}}
  - {name: not expected, request: {subject: {tear: 1}}, expect: {decision: DENY}}
"""
    good, bad = put(tests).results
    assert good.passed
    assert bad.failures[0].startswith("refused at the door: subject.tear")


def test_null_takes_a_given_attribute_back(put):
    tests = (
        "  - {name: one, request: {subject: {citizenships_current: null}}, expect: {decision: INDETERMINATE}}\n"
    )
    assert not put(tests).failed


def test_untrusted_requests_are_worth_less(put):
    assert not put("  - {name: one, untrusted: true, expect: {decision: INDETERMINATE}}\n").failed


def test_coverage_counts_all_three_truths_and_rules_that_no_case_reaches(put):
    report = put(
        """\
  - {name: one, expect: {permitted: true}}
  - {name: two, request: {subject: {citizenships_current: [FR]}}, expect: {permitted: false}}
  - {name: three, request: {subject: {citizenships_current: null}}, expect: {permitted: false}}
"""
    )
    counted = {rule: (c.true, c.false, c.unknown) for (_, rule), c in report.coverage.rules.items()}
    assert counted["first/tier-5"] == (1, 1, 1)
    assert counted["rules#1"] == (3, 0, 0)
    assert {c.rule for c in report.coverage.never} == {"rules#2", "rules#3"}


def test_a_directive_left_out_counts_as_never_true(put):
    report = put("  - {name: one, expect: {permitted: true}}\n", HEAD + "directives: []\n" + CITIZEN)
    assert not report.failed
    assert "first/tier-5" in {c.rule for c in report.coverage.never}


@pytest.mark.parametrize(
    ("head", "text", "line", "said"),
    [
        (HEAD + CITIZEN, "  - {name: one, expect: {decisoin: DENY}}\n", 12, "unknown key `decisoin`"),
        (HEAD + CITIZEN, "  - {name: one, expect: {decision: DENIED}}\n", 12, "did you mean `DENY`"),
        (HEAD + CITIZEN, "  - {name: a, expect: {permitted: true}}\n" * 2, 13, "`a` stands twice"),
        (
            HEAD + "directives: [frist]\n" + CITIZEN,
            "  - {name: a, expect: {permitted: true}}\n",
            5,
            "did you mean `first`",
        ),
        (
            HEAD.replace("rules", "roles") + CITIZEN,
            "  - {name: a, expect: {permitted: true}}\n",
            1,
            "No such file",
        ),
    ],
)
def test_bad_cases_have_a_place(put, head, text, line, said):
    with pytest.raises(CompileError) as caught:
        put(text, head)
    (finding,) = caught.value.diagnostics
    assert finding.span.line == line
    assert said in str(finding)
