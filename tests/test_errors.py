import copy
import json
import pickle

import pytest

from abac.errors import (
    AbacError,
    CompileError,
    Diagnostic,
    Findings,
    PopulationError,
    RequestError,
    Span,
    did_you_mean,
    moved,
)


def test_findings_are_sorted_by_file_line_and_column_whatever_order_they_were_made_in():
    findings = Findings()
    for place in (("b", 1, 1), ("a", 10, 2), ("a", 9, 30), ("a", 9, 4)):
        findings.error(Span(*place), "code", "message")
    assert [str(d.span) for d in findings.errors] == ["a:9:4", "a:9:30", "a:10:2", "b:1:1"]


def test_one_finding_made_many_times_stands_once():
    findings = Findings()
    for _ in range(1_000):
        findings.error(Span("model.conf", 14, 5), "unknown-attribute", "no attribute `subject.x`")
    assert len(findings.errors) == 1
    with pytest.raises(CompileError) as caught:
        findings.raise_errors()
    assert len(caught.value.diagnostics) == 1


def test_warnings_do_not_fail_a_load():
    findings = Findings()
    findings.warn(Span("a"), "pending-term", "a term is pending")
    findings.raise_errors()
    assert not findings.errors
    assert len(findings.warnings) == 1


def test_all_errors_come_at_once_with_the_kind_asked_for():
    findings = Findings()
    findings.error(Span("a", 1), "one", "first")
    findings.error(Span("a", 2), "two", "second")
    with pytest.raises(PopulationError) as caught:
        findings.raise_errors(PopulationError)
    assert [d.code for d in caught.value.diagnostics] == ["one", "two"]
    assert isinstance(caught.value, AbacError)
    assert str(caught.value).count("\n") == 1


def test_a_diagnostic_reads_as_one_line_and_as_flat_json():
    found = Diagnostic(Span("p.csv", 3, 7), "type-clash", "cannot compare", hint="quotes")
    assert str(found) == "p.csv:3:7: error[type-clash]: cannot compare (quotes)"
    assert json.loads(json.dumps(found.as_json()))["column"] == 7


def test_an_error_crosses_from_one_process_to_another():
    for made in (
        CompileError([Diagnostic(Span("rows.csv", 3, 7), "syntax", "message")]),
        RequestError("subject.tier", "expected a string"),
    ):
        for again in (pickle.loads(pickle.dumps(made)), copy.copy(made)):  # noqa: S301  # our own bytes
            assert (type(again), str(again), vars(again)) == (type(made), str(made), vars(made))


def test_a_request_error_says_the_path():
    refused = RequestError("subject.tier", "expected int, got bool True")
    assert refused.path == "subject.tier"
    assert str(refused) == "subject.tier: expected int, got bool True"


@pytest.mark.parametrize(
    ("word", "meant"), [("citizenship", "did you mean `citizenships`?"), ("zzz", ""), ("citizenships" * 1_000, "")]
)
def test_the_nearest_word_is_offered_and_a_far_or_endless_one_is_not(word, meant):
    assert did_you_mean(word, ["citizenships", "tier"]) == meant


def test_codes_are_stable():
    assert [e.code for e in (AbacError, CompileError, PopulationError, RequestError)] == [
        "abac",
        "compile",
        "population",
        "request",
    ]


def test_a_span_moves_along_its_line():
    assert moved(Span("a", 2, 3), 4, 5) == Span("a", 2, 7, 5)
