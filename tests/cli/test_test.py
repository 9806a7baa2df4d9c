from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.running import abac, answered

ROOT = Path(__file__).parents[2]


@pytest.fixture
def spoilt(folder):
    """The starter's cases with one expectation wrong."""
    cases = folder / "tests" / "first.yaml"
    cases.write_text(
        cases.read_text().replace("{decision: PERMIT, permitted: true,", "{decision: DENY, permitted: false,")
    )
    return folder


def test_the_shipped_policies_answer_as_their_cases_say():
    found = answered("test", ROOT / "policies")
    assert found["failed"] == 0
    never = {rule["rule"] for rule in found["coverage"]["by_rule"] if not rule["true"]}
    # the withdrawal denies nobody, and the framework's one term has no definition
    assert never == {"d3-rescinded/fable-5", "d3-rescinded/mythos-5", "v0-framework/early-access"}


def test_passing_cases_exit_with_0_and_tell_coverage(folder):
    result = abac("test")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3 passed; 2 of 4 rules were TRUE of some request",
        "  never TRUE: rules#2 (always FALSE)",
        "  never TRUE: rules#3 (always FALSE)",
    ]


def test_a_failing_case_exits_with_1_and_says_what_came_instead(spoilt):
    result = abac("test", "tests")
    assert result.exit_code == 1
    assert "FAILED tests/first.yaml:9:11: a citizen keeps access" in result.stderr
    assert "expected DENY, got PERMIT; got PERMIT by rule rules#1 (TRUE)" in result.stderr
    assert "2 passed, 1 failed" in result.stdout


def test_junit(spoilt):
    assert abac("test", "--junit", "out/results.xml").exit_code == 1
    (suite,) = ET.parse("out/results.xml").getroot()  # noqa: S314  # our own file
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    case = suite.find("testcase")
    assert case.get("name") == "a citizen keeps access"
    assert "got PERMIT" in case.find("failure").text


def test_bad_cases_write_no_junit(folder):
    (folder / "tests" / "first.yaml").write_text("cases: abac/1\ntests: []\n")
    assert abac("test", "--junit", "results.xml").exit_code == 2
    assert not (folder / "results.xml").exists()


def test_no_cases(tmp_path):
    result = abac("test", tmp_path)
    assert result.exit_code == 2
    assert "no-cases" in result.stderr
