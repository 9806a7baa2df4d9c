"""Narrower rules than the June directives: found, simulated, counted again, proved or refuted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from abac.proof.asking import typed_condition
from abac.service import narrow as service
from abac.service import simulate
from abac.service.load import compile_policies
from abac.service.narrow import narrow
from abac.service.narrowed import Asked, Narrowed
from abac.simulation.narrowing.checked import NarrowError
from abac.simulation.narrowing.search import Limits
from tests.cli.running import abac, answered
from tests.simulation import june

FEW = Limits(size=3, width=2, terms=2, nodes=300_000)


@pytest.fixture(scope="module")
def found() -> Narrowed:
    document = june.SCENARIO / "scenario.yaml"
    inputs = simulate.load(document, subjects=6_000, coverage=0.9, attesting=0.5)
    return narrow(Asked(inputs, document, inputs.purpose, inputs.scenario.purpose_text, limits=FEW))


def test_the_frontier_contains_or_beats_every_targeted_directive_written_by_hand(found: Narrowed):
    assert {w.id for w in found.written} == {"t1-country-groups", "t2-end-users", "t3-capability"}
    by_id = {p.id: p for p in found.proposed}
    for one in found.written:
        assert one.as_good, one.id
        for name in one.as_good:
            if name in by_id:
                assert by_id[name].rule.over <= one.simulated.over.people
                assert by_id[name].rule.under <= one.simulated.under.people


def test_no_proposal_reads_what_cannot_be_collected_and_each_was_counted_again(found: Narrowed):
    assert found.proposed
    for one in found.proposed:
        assert "military_intelligence" not in one.subject
        assert one.simulated.over.people == one.rule.over
        assert one.simulated.under.people == one.rule.under
        assert one.simulated.recounted > 50


def test_that_it_denies_nobody_outside_is_refuted_by_a_person_or_proved_and_labelled(found: Narrowed):
    for one in found.proposed:
        assert "only if what is asserted is true" in one.proof["terms"]
        assert one.proof["answer"] in ("refuted", "proved", "undecided")
        if one.proof["answer"] == "refuted":
            assert one.proof["truth"]["subject"]["military_intelligence_end_user"]["value"] is False


def test_documents_compile_beside_the_policies_and_are_in_force_for_nobody(found: Narrowed, tmp_path: Path):
    for one in found.proposed:
        (tmp_path / f"{one.id}.yaml").write_text(one.body, "utf-8")
        assert yaml.safe_load(one.body)["status"] == []
    program = compile_policies(june.POLICIES / "schema.yaml", None, [june.POLICIES / "directives", tmp_path])
    made = [d for d in program.directives if d.id.startswith("narrowed-")]
    assert len(made) == len(found.proposed)
    assert not any(d.in_force() for d in made)


def test_a_target_that_a_rule_can_say_is_proved():
    document = june.SCENARIO / "scenario.yaml"
    inputs = june.inputs(1_000)
    target, text = typed_condition(inputs.program, 'r.sub.location == "IN" && r.obj.cyber_tier >= 5')
    asked = Asked(inputs, document, target, text, attributes=("subject.location",), limits=FEW)
    best = min(narrow(asked).proposed, key=lambda p: (p.rule.over, p.rule.under))
    assert best.subject == 'subject.location == "IN"'
    assert best.proof["answer"] == "proved"


def test_a_target_that_nobody_is_in_is_said_and_so_is_no_attribute_left():
    document, inputs = june.SCENARIO / "scenario.yaml", june.inputs(1_000)
    nobody, text = typed_condition(inputs.program, 'r.sub.organisation == "nowhere" && r.obj.cyber_tier >= 5')
    with pytest.raises(NarrowError, match="nothing to stop"):
        narrow(Asked(inputs, document, nobody, text, limits=FEW))
    with pytest.raises(NarrowError, match="no attribute is left"):
        narrow(Asked(inputs, document, inputs.purpose, "", attributes=("subject.nothing",), limits=FEW))


def test_labels_are_fitted_on_one_half_and_reported_on_the_other(tmp_path: Path):
    people = june.inputs(1_000).population
    table = people.asserted.select("subject.id", "subject.location", "subject.trust_tier").with_columns(
        pl.col("subject.location", "subject.trust_tier").cast(pl.String)
    )
    label = (table["subject.location"] == "IN") & (table["subject.trust_tier"] == "new")
    table.with_columns(label.cast(pl.Int8).alias("bad")).write_csv(tmp_path / "people.csv")
    columns = {path: {"column": path, "assurance": "documented"} for path in table.columns}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({"mapping": "abac/1", "columns": columns}), "utf-8")
    told = answered(
        *("narrow", "june-2026", "--population", tmp_path / "people.csv", "--mapping", tmp_path / "map.yaml"),
        *("--label", "bad", "--size", "2", "--width", "2", "--terms", "1", "--out", tmp_path / "made"),
        *("--attribute", "subject.location", "--attribute", "subject.trust_tier"),
    )
    best = next(f for f in told["frontier"] if (f["over"], f["under"]) == (0, 0))
    assert best["rule"] == 'subject.location == "IN" && subject.trust_tier <= "new"'
    assert best["held_out"]["over"]["people"] == best["held_out"]["under"]["people"] == 0
    assert best["held_out"]["blocked"]["people"] > 0
    assert best["denies_nobody_outside"]["answer"] == "undecided"
    assert (tmp_path / "made" / f"{best['id']}.yaml").read_text("utf-8") == best["document"]
    with pytest.raises(NarrowError, match="no column `good`"):
        service.labels(str(tmp_path / "people.csv"), "good", 1_000)


def test_the_command_line_shows_rules_and_what_is_as_good_as_the_written_ones():
    result = abac("narrow", "june-2026", "--subjects", "2000", "--size", "2", "--width", "1", "--terms", "2")
    assert result.exit_code == 0, result.stderr
    assert "written by hand" in result.stdout
    assert "t2-end-users" in result.stdout
    assert abac("narrow", "june-2026", "--label", "x").exit_code == 2
