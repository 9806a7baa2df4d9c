"""Questions about people, on the directives of June 2026: who is refused for what nobody knows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import abac
from abac import proof
from abac.compiler.program import select
from abac.condition.reference import Reference
from abac.condition.truth import TRUE
from abac.policy.decision import Decision
from abac.proof.asking import typed_condition
from abac.proof.people import Posture, sound

HOME = Path(__file__).parents[2]
US_PERSON = '!person("foreign-person-ear@1")'
NATIONALITY = (
    "subject.citizenships_current",
    "subject.residencies_permanent",
    "subject.protected_individual",
    "subject.organisation_country",
)


@pytest.fixture(scope="module")
def shipped():
    return abac.compile(HOME / "policies/schema.yaml", HOME / "models/abac.conf", [HOME / "policies"])


@pytest.fixture(scope="module")
def d1(shipped):
    return select(shipped, ["d1-foreign-nationals"])


@pytest.fixture(scope="module")
def before(shipped):
    return select(shipped, [])


def test_strict_refuses_a_us_person_of_unknown_nationality(d1, before):
    answer = proof.people(d1, US_PERSON, "strict", before=before)
    assert isinstance(answer, proof.Refuted)
    witness = answer.witness
    assert witness.unknown == ("subject.citizenships_current",)
    assert witness.case.true["subject.citizenships_current"].value == {"US"}
    assert witness.case.true["subject.kind"].value == "person"
    assert [r.outcome.decision for r in witness.replayed] == [Decision.PERMIT, Decision.INDETERMINATE]
    assert witness.replayed[1].outcome.unknown == ("subject.citizenships_current",)
    assert sound(witness.case)
    condition, _ = typed_condition(d1, US_PERSON)
    assert Reference(witness.case.true, d1.functions).truth(condition) is TRUE


def test_with_nationality_known_no_us_person_is_refused(d1, before):
    assert isinstance(proof.people(d1, US_PERSON, "strict", before=before, known=NATIONALITY), proof.Proved)


@pytest.mark.parametrize("left_out", NATIONALITY)
def test_each_part_of_nationality_is_needed(d1, before, left_out):
    known = [path for path in NATIONALITY if path != left_out]
    answer = proof.people(d1, US_PERSON, "strict", before=before, known=known)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.unknown == (left_out,)


def test_no_us_person_is_denied_by_a_nationality_condition(d1):
    answer = proof.never_denies(d1, US_PERSON, reading=NATIONALITY)
    assert isinstance(answer, proof.Proved)


def test_the_passport_reading_denies_a_protected_individual(shipped):
    passports = select(shipped, ["d1-passport-reading"])
    answer = proof.never_denies(passports, US_PERSON, reading=NATIONALITY)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.replayed[0].outcome.decision is Decision.DENY


@pytest.mark.parametrize(
    ("posture", "without", "with_nationality"),
    [
        (Posture.NONE, proof.Proved, proof.Proved),
        (Posture.LENIENT, proof.Proved, proof.Proved),
        (Posture.STEP_UP, proof.Proved, proof.Proved),
        (Posture.STRICT, proof.Refuted, proof.Proved),
        (Posture.SHUTDOWN, proof.Refuted, proof.Refuted),
    ],
)
def test_each_posture(d1, before, posture, without, with_nationality):
    assert isinstance(proof.people(d1, US_PERSON, posture, before=before), without)
    assert isinstance(proof.people(d1, US_PERSON, posture, before=before, known=NATIONALITY), with_nationality)


def test_without_a_before_whoever_has_no_access_counts(d1):
    answer = proof.people(d1, US_PERSON, "strict", known=NATIONALITY)
    assert isinstance(answer, proof.Refuted)
    assert answer.witness.replayed[0].outcome.decision is not Decision.PERMIT


def test_a_program_of_directives_alone_has_no_before(shipped):
    assert proof.without_directives(shipped) is not None
    assert proof.without_directives(select(shipped, [])) is None
