from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from abac.simulation.report.validate import ReportError, schema, validate


def test_the_schema_is_a_schema_and_refers_to_nothing_outside():
    Draft202012Validator.check_schema(schema())
    assert schema()["$id"] == "urn:abac:report:1"
    refs = [line for line in json.dumps(schema(), indent=1).splitlines() if '"$ref"' in line]
    assert refs
    assert all('"#/$defs/' in line for line in refs)


def test_all_three_kinds_of_truth_are_valid(known, bounded, estimated):
    for report in (known, bounded, estimated):
        validate(report)


def test_only_the_keys_of_the_contract_are_demanded(known):
    extra = ("purpose", "in_force", "now", "witnesses", "minutes_of_notice", "days_voluntary_to_binding")
    for key in (*extra, "sweeps", "selective_compliance_at", "synthetic"):
        del known[key]
    validate(known)


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda r: r.pop("headline"), "report"),
        (lambda r: r.update(surprise=1), "report"),
        (lambda r: r["options"][1].update(posture="shrug"), "options[1].posture"),
        (lambda r: r["directives"][3]["blocked"].update(people=-1), "directives[3].blocked.people"),
        (lambda r: r["directives"][3]["blocked"].update(people=1.5), "directives[3].blocked.people"),
        (lambda r: r["directives"][3].update(precision=1.5), "directives[3].precision"),
        (lambda r: r["blackout"][2].update(coverage=float("nan")), "blackout[2].coverage"),
        (lambda r: r["timeline"][0].update(as_of="2026-06-12T21:21:00"), "timeline[0].as_of"),
        (lambda r: r["generated_from"].update(schema="abc"), "generated_from.schema"),
        (lambda r: r["directives"].append(r["directives"][0]), "directives[80]"),
        (lambda r: r.update(in_force="d9"), "in_force"),
        (
            lambda r: r["directives"][0]["over_block"].update(people={"low": 1, "high": 2, "point": None}),
            "directives[0].over_block.people",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(known, spoil, path):
    spoil(known)
    with pytest.raises(ReportError) as caught:
        validate(known)
    assert caught.value.path == path


@pytest.mark.parametrize("bound", [{"low": 3, "high": 2, "point": None}, {"low": 1, "high": 2, "point": 5}])
def test_a_bound_out_of_order_is_refused(bounded, bound):
    bounded["directives"][0]["contained"] = bound
    with pytest.raises(ReportError, match="out of order"):
        validate(bounded)


def test_an_assumption_may_hold_any_value(known):
    known["assumptions"][0]["value"] = {"low": 2, "high": 1}
    validate(known)
