"""The four layers of a report say what they cover, and cite proofs that hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from abac.service.layers import Replay, layers
from abac.simulation.report.page import render
from abac.simulation.report.validate import validate
from tests.simulation import june

FEW = ("d1-foreign-nationals", "t3-capability")
INPUTS = replace(june.inputs(1_000), studies=tuple(s for s in june.inputs(1_000).studies if s.id in FEW))
US = '!person("foreign-person-ear@1")'


@pytest.fixture(scope="module")
def found():
    return {one["layer"]: one for one in layers(INPUTS, june.report(1_000))}


def test_each_says_what_it_covers_and_a_log_that_is_not_there_is_said(found):
    assert list(found) == ["log", "population", "boundaries", "proof"]
    assert all(one["covers"] for one in found.values())
    assert [one["given"] for one in found.values()] == [False, True, True, True]
    assert found["population"]["counts"]["subjects"] == 1_000
    assert found["population"]["known_on_file"]["subject.citizenships_current"] == 0


def test_a_replayed_log_is_the_first_layer_and_nobody_is_beside_it():
    log, people, *_ = layers(INPUTS, june.report(1_000), replay=Replay(INPUTS, june.report(1_000)))
    assert log["given"]
    assert log["counts"]["requests"] > log["counts"]["subjects"]
    assert not people["given"]


def test_boundaries_cover_every_value_and_show_what_changes(found):
    counts = found["boundaries"]["counts"]
    assert counts["values_covered"] == counts["values"] > 0
    assert counts["changed"] > 0
    assert all(case["before"] != case["after"] for case in found["boundaries"]["cases"])


def test_the_proofs_about_the_letter_are_those_that_hold(found):
    own = [a for a in found["proof"]["proofs"] if a["directive"] == "d1-foreign-nationals"]
    assert [a["answer"] for a in own] == ["proved", "proved", "refuted", "proved"]
    refuted = own[2]
    assert US in refuted["question"]
    assert set(refuted["unknown"]) <= {"subject.citizenships_current", "subject.residencies_permanent"}
    others = [a for a in found["proof"]["proofs"] if a["directive"] == "t3-capability"]
    assert [a["answer"] for a in others] == ["proved"]


def test_a_question_that_takes_too_long_is_undecided_with_the_reason():
    *_, proof = layers(INPUTS, june.report(1_000), seconds=1e-6)
    answers = [a["answer"] for a in proof["proofs"]]
    assert "undecided" in answers
    assert "refuted" not in answers
    assert all(a["reason"] for a in proof["proofs"] if a["answer"] == "undecided")


def test_a_report_with_them_is_sound_and_the_page_shows_them(found):
    report = dict(june.report(1_000)) | {"layers": list(found.values())}
    validate(report)
    page = render(report)
    assert "Four layers" in page
    assert "a person of whom is not known" in page
