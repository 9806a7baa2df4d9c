"""The catalogue of June 2026, its two readings of parity, and what a catalogue is refused for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from abac.condition.schema import Schema
from abac.errors import Findings
from abac.language.schema import read_schema
from abac.simulation.catalogue import Catalogue, read_catalogue

POLICIES = Path(__file__).parents[2] / "policies"
TEXT = (POLICIES / "scenarios/june-2026/catalogue.yaml").read_text("utf-8")


@cache
def schema() -> Schema:
    findings = Findings()
    read = read_schema((POLICIES / "schema.yaml").read_text("utf-8"), "schema.yaml", findings)
    findings.raise_errors()
    return read


def read(text: str = TEXT) -> tuple[Catalogue, Findings]:
    findings = Findings()
    return read_catalogue(text, "catalogue.yaml", schema(), findings, "cyber"), findings


def test_the_catalogue_of_june_has_ten_models_of_five_providers():
    catalogue, findings = read()
    assert not findings.errors
    assert len(catalogue.models) == 10
    assert {m.provider for m in catalogue.models} >= {"anthropic", "openai"}
    assert catalogue.actions == ("invoke", "cyber")
    assert len(catalogue.digest) == 64
    for model in catalogue.models:
        assert set(model.attributes) == {d.name for d in schema() if d.path.startswith("resource.")}
        assert model.attributes["id"] == model.id


def test_a_claim_counts_only_where_parity_is_taken_as_shown():
    catalogue, _ = read()
    readings = {
        m.id: [catalogue.capability_level(m.id, "cyber", shown) for shown in (False, True)]
        for m in catalogue.models
    }
    assert readings["fable-5"] == readings["mythos-5"] == [5, 5]
    assert readings["gpt-5.5"] == [4, 5]
    assert catalogue.capability_level("nobody", "cyber", parity_shown=True) == 0
    assert catalogue.capability_level("fable-5", "poetry", parity_shown=True) == 0


def test_what_rules_read_counts_no_claim():
    catalogue, _ = read()
    for model in catalogue.models:
        assert model.attributes["cyber_tier"] == model.level("cyber", parity_shown=False)


def test_a_shown_parity_counts_in_both_readings():
    catalogue, _ = read(
        TEXT.replace("parity: claimed", "parity: shown")
        .replace("kind: claim", "kind: test")
        .replace("kind: none", "kind: benchmark, source: a public one, date: 2026-06-10")
    )
    assert catalogue.capability_level("gpt-5.5", "cyber", parity_shown=False) == 5


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("catalogue: abac/2\n", "starts with"),
        (TEXT.replace("cyber_tier: 5", "cyber_teir: 5"), "did you mean `cyber_tier`?"),
        (TEXT.replace("cyber_tier: 5", "cyber_tier: five"), "expected int"),
        (TEXT.replace("access: limited", "access: partners"), "is not a value of"),
        (TEXT.replace("2026-06-09T16:00:00Z", "2026-06-09T16:00:00"), "no offset"),
        (TEXT.replace("parity: claimed", "parity: clamed"), "is not one of"),
        (TEXT.replace("claimed_level: 5", "claimed_level: 3"), "at least `level`"),
        (TEXT.replace("popularity: 0.22", "popularity: .nan"), "not a finite number"),
        (TEXT.replace("popularity: 0.22", "popularity: -1"), "not below 0"),
        (TEXT.replace("id: mythos-5", "id: fable-5"), "stands twice"),
        (TEXT.replace("[invoke, cyber]", "[invoke, cybre]"), "did you mean `cyber`?"),
        (TEXT.replace("parity: claimed", "parity: shown"), "never by a claim"),
        (TEXT.replace("kind: claim", "kind: clame"), "`kind` of evidence is one of"),
        (TEXT.replace("date: 2026-06-12", "date: in June"), "is not a date"),
        (TEXT.replace("date: 2026-06-12", "by: us"), "needs a `source` and a `date`"),
        (
            TEXT.replace("{kind: none, says: none on record; our reading}", ""),
            "capability `cyber`: needs its `evidence`",
        ),
        (
            TEXT.replace("      cyber:\n        level: 2", "      chess:\n        level: 2"),
            "no level of the capability `cyber`",
        ),
    ],
)
def test_a_bad_catalogue_is_refused_with_its_place(text, part):
    _, findings = read(text)
    assert part in "\n".join(map(str, findings.errors))
    assert all(d.span.file == "catalogue.yaml" for d in findings.errors)


def test_a_missing_capability_names_the_model_at_its_row():
    text = TEXT.replace("      cyber:\n        level: 2", "      cybre:\n        level: 2", 1)
    _, findings = read(text)
    (found,) = findings.errors
    assert found.message == "model `haiku-4.5` states no level of the capability `cyber`"
    assert text.splitlines()[found.span.line - 1].strip() == "- id: haiku-4.5"
    assert found.hint == "did you mean `cybre`?"


def test_evidence_has_its_kind_source_and_date():
    catalogue, _ = read()
    for model in catalogue.models:
        rests_on = model.capabilities["cyber"].rests_on
        assert rests_on is not None
        assert rests_on.kind in ("claim", "none")  # no test of any of them is on record
        assert (rests_on.kind == "none") == (not rests_on.source and not rests_on.date)
        assert rests_on.says
