from __future__ import annotations

import hashlib

import pytest
import yaml

from tests.cli.running import abac

LETTER = b"%PDF-1.7 a letter\x00\xff"


@pytest.fixture
def letter(folder):
    path = folder / "letter.pdf"
    path.write_bytes(LETTER)
    return path


def new(letter, *more):
    received = "2026-07-04T09:00:00-04:00"
    return abac("directive", "new", "--from", "first", "--letter", letter, "--received", received, *more)


def test_the_draft_has_the_letters_digest_its_receipt_and_no_status(folder, letter):
    result = new(letter)
    assert result.exit_code == 0
    made = folder / "directives" / "first-2026-07-04.yaml"
    draft, old = (yaml.safe_load(path.read_text()) for path in (made, folder / "directives" / "first.yaml"))
    assert draft["letter"] == {"sha256": hashlib.sha256(LETTER).hexdigest(), "note": "letter.pdf"}
    assert draft["times"] == {"received": "2026-07-04T13:00:00Z"}
    assert draft["status"] == []
    assert (draft["clauses"], draft["exemptions"]) == (old["clauses"], old["exemptions"])


def test_the_draft_is_accepted_and_in_force_at_no_time(folder, letter):
    new(letter)
    result = abac("check")
    assert result.exit_code == 0
    assert "warning[never-in-force]" in result.stderr


def test_evidence_for_the_old_letter_is_not_evidence_for_the_new(folder, letter):
    result = abac(
        *["directive", "new", "--from", "d1-foreign-nationals", "--dry-run"],
        *["--letter", letter, "--received", "2026-07-04T09:00:00Z"],
    )
    assert "directive: d1-foreign-nationals-2026-07-04" in result.stdout
    assert "evidence:" not in result.stdout


def test_it_never_overwrites(folder, letter):
    new(letter, "--id", "second")
    before = (folder / "directives" / "second.yaml").read_text()
    result = new(letter, "--id", "second")
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (folder / "directives" / "second.yaml").read_text() == before
    assert sorted(p.name for p in (folder / "directives").iterdir()) == ["first.yaml", "second.yaml"]


def test_a_dry_run_writes_nothing(folder, letter):
    assert "status: []" in new(letter, "--dry-run").stdout
    assert [p.name for p in (folder / "directives").iterdir()] == ["first.yaml"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--from": "fist"}, "did you mean `first`?"),
        ({"--letter": "nothing.pdf"}, "nothing.pdf"),
        ({"--letter": "."}, "directory"),
        ({"--received": "2026-07-04T09:00:00"}, "no offset"),
        ({"--received": "yesterday"}, "--received"),
        ({"--id": "../escape"}, "cannot be the id"),
        ({"--id": "first"}, "cannot be the id"),
    ],
)
def test_bad_input(folder, letter, changes, said):
    options = {"--from": "first", "--letter": str(letter), "--received": "2026-07-04T09:00:00Z"} | changes
    result = abac("directive", "new", *[part for option in options.items() for part in option])
    assert result.exit_code == 2
    assert said in result.stderr
    assert [p.name for p in (folder / "directives").iterdir()] == ["first.yaml"]
