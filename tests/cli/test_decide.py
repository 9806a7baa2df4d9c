from __future__ import annotations

import json

import pytest

from tests.cli.running import abac, answered

CITIZEN = {
    "subject": {
        "id": "u-1",
        "kind": "person",
        "citizenships_current": ["US"],
        "residencies_permanent": [],
        "protected_individual": False,
        "relation": "customer",
    },
    "action": "invoke",
    "resource": {"id": "great-5", "cyber_tier": 5},
    "environment": {"now": "2026-06-13T09:00:00Z"},
}


def changed(**subject):
    return json.dumps(CITIZEN | {"subject": CITIZEN["subject"] | subject})


def test_permitted_exits_with_0(folder):
    result = abac("decide", "-", stdin=changed())
    assert result.exit_code == 0
    assert result.stdout.startswith("PERMIT\n  PERMIT by rule rules#1 (TRUE)")
    assert "revision: " in result.stdout


def test_denied_exits_with_1_and_cites_directive_clause_and_person_test(folder):
    result = abac("decide", "-", stdin=changed(citizenships_current=["FR"]))
    assert result.exit_code == 1
    assert "DENY by first clause tier-5, person test foreign-person@1 (TRUE)" in result.stdout


def test_json_has_reasons_unknown_and_revision(folder):
    outcome = answered("decide", "-", stdin=changed(citizenships_current=None))
    assert (outcome["decision"], outcome["permitted"]) == ("INDETERMINATE", False)
    assert outcome["unknown"] == ["subject.citizenships_current"]
    assert outcome["reasons"][0]["directive"] == "first"
    assert len(outcome["revision"]) == 64


def test_untrusted_values_are_worth_less(folder):
    assert abac("decide", "-", "--untrusted", stdin=changed()).exit_code == 1


def test_a_file_and_explicit_policies(folder):
    (folder / "request.json").write_text(changed())
    more = [
        "--schema",
        "schema.yaml",
        "--model",
        "models/abac.conf",
        "--policies",
        "rules",
        "--policies",
        "directives",
    ]
    assert abac("decide", *more, "request.json").exit_code == 0


def test_only_some_directives(folder):
    foreign = changed(citizenships_current=["FR"])
    assert abac("decide", "-", "--directive", "first", stdin=foreign).exit_code == 1
    result = abac("decide", "-", "--directive", "fist", stdin=foreign)
    assert result.exit_code == 2
    assert "did you mean `first`?" in result.stderr


def test_an_obligation_not_discharged_is_not_permitted(folder):
    directive = folder / "directives" / "first.yaml"
    text = directive.read_text().replace("kind: deny", "kind: oblige\n    obligations: [{id: log-it}]")
    directive.write_text(text)
    foreign = changed(citizenships_current=["FR"])
    result = abac("decide", "-", stdin=foreign)
    assert result.exit_code == 1
    assert "does not discharge its obligations" in result.stdout
    assert abac("decide", "-", "--discharges", "log-it", stdin=foreign).exit_code == 0


def test_explained_in_words(folder):
    result = abac("decide", "-", "--explain", stdin=changed(citizenships_current=["FR"]))
    assert result.exit_code == 1
    assert result.stdout.startswith("DENY by directive first, clause tier-5")
    assert (
        '"US" not in subject.citizenships_current is TRUE: subject.citizenships_current is {"FR"}' in result.stdout
    )
    assert "PERMIT would follow if " in result.stdout
    assert "revision: " in result.stdout
    assert abac("decide", "-", "--explain", stdin=changed()).exit_code == 0


def test_explained_as_json(folder):
    told = answered("decide", "-", "--explain", stdin=changed(citizenships_current=None))
    assert told["unknown"] == ["subject.citizenships_current"]
    (unknown,) = told["explanation"]["unknown"]
    assert (unknown["name"], unknown["doubt"]) == ("subject.citizenships_current", "ABSENT")
    assert told["explanation"]["counterfactual"]["exact"] is True
    (change,) = told["explanation"]["counterfactual"]["changes"]
    assert (change["attribute"], change["before"]["value"], change["value"]) == (
        "subject.relation",
        "customer",
        "staff",
    )


def test_an_explanation_can_leave_sensitive_values_out(folder):
    foreign = changed(citizenships_current=["FR"])
    assert "FR" in abac("decide", "-", "--explain", stdin=foreign).stdout
    assert "FR" not in abac("decide", "-", "--explain", "--redact", stdin=foreign).stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"subject": {"tear": 4}}', "subject.tear"),
        ('{"subject": {"kind": 4}}', "subject.kind"),
        ('{"subject": {"citizenships_current": ["US", null]}}', "subject.citizenships_current"),
        ('{"subject": {"citizenships_current": ["UK"]}}', "subject.citizenships_current"),
        ('{"resource": {"cyber_tier": true}}', "resource.cyber_tier"),
        ('{"resource": {"cyber_tier": NaN}}', "NaN"),
        ('{"environment": {"now": "2026-06-13T09:00:00"}}', "no offset"),
        ('{"subject": 4}', "subject"),
        ('{"subjct": {}}', "did you mean `subject`?"),
        ('{"subject": {}, "subject": {}}', "stands twice"),
        ("[]", "a request is an object"),
        ('{"subject": {"id": "u",}}', "<stdin>:1:24"),
        ("[" * 100_000, "nested too deep"),
        ("", "<stdin>:1:1"),
    ],
)
def test_bad_requests(folder, text, said):
    result = abac("decide", "-", stdin=text)
    assert result.exit_code == 2, result.stdout
    assert said in result.stderr
    assert result.stdout == ""


def test_a_missing_request(folder):
    result = abac("decide", "nothing.json")
    assert result.exit_code == 2
    assert "nothing.json" in result.stderr
