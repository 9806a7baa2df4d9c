from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import abac, answered

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SAID = ("--who", "Ada", "--why", "a test", "--source-commit", COMMIT)


@pytest.fixture(autouse=True)
def near(folder, monkeypatch):
    """A starter folder to publish from, and a database that is not there yet."""
    monkeypatch.delenv("ABAC_DATABASE", raising=False)
    return folder


def publish(*more, expect="none"):
    return abac("publish", ".", "--expect", expect, *SAID, *more)


def edit(tier=4):
    rules = Path("rules/rules.csv")
    rules.write_text(rules.read_text().replace("<= 5", f"<= {tier}"))


@pytest.fixture
def first():
    """The revision of a first publication."""
    result = publish("--approver", "Bob")
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture
def second(first):
    """A second one, that changes a rule."""
    edit()
    result = publish("--approver", "Bob", expect=first[:12])
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def test_a_folder_is_published_by_two_persons_in_two_commands():
    drafted = publish()
    assert drafted.exit_code == 0
    revision = drafted.stdout.strip()
    assert "not in force" in drafted.stderr
    assert f"abac policy activate {revision[:12]} --who NAME --why TEXT --expect none" in drafted.stderr
    assert abac("policy", "in-force").exit_code == 1
    alone = abac("policy", "activate", revision, "--who", "ADA", "--why", "x", "--expect", "none")
    assert alone.exit_code == 2
    assert "error[policy-same-person]" in alone.stderr
    by_bob = ("--who", "Bob", "--why", "fine", "--expect", "none")
    assert abac("policy", "activate", revision[:12], *by_bob).stdout.strip() == revision
    found = answered("policy", "in-force")
    assert found["publication"]["revision"] == revision == found["expect"]
    assert (found["publication"]["author"], found["publication"]["approver"]) == ("Ada", "Bob")
    assert found["publication"]["commit"] == COMMIT
    assert [d["directive"] for d in found["directives"]] == ["first"]


def test_the_published_revision_is_the_one_that_program_digest_tells(first):
    assert abac("program", "digest").stdout.strip() == first


def test_a_stale_publisher_gets_the_next_command_and_writes_nothing(first):
    edit()
    stale = publish("--approver", "Bob")
    assert stale.exit_code == 2
    assert "error[policy-stale]" in stale.stderr
    assert f"--expect {first[:12]}" in stale.stderr
    listed = answered("policy", "list")
    assert (len(listed["publications"]), listed["drafts"]) == (1, [])


def test_publishing_again_what_is_in_force_is_done_already(first):
    again = publish("--approver", "Bob", expect=first)
    assert again.exit_code == 0
    assert "in force already" in again.stderr
    assert len(answered("policy", "list")["publications"]) == 1


def test_a_dry_run_shows_what_would_change_and_makes_no_file(first):
    edit()
    result = publish("--dry-run", expect=first)
    assert result.exit_code == 0
    assert "resource.cyber_tier <= 4" in result.stdout
    assert "Nothing was written" in result.stderr
    assert len(answered("policy", "list")["publications"]) == 1
    elsewhere = publish("--dry-run", "--database", "sqlite:///other.db")
    assert elsewhere.exit_code == 0
    assert not Path("other.db").exists()
    assert publish("--dry-run", "--database", "sqlite:///other.db", expect=first).exit_code == 2


def test_all_errors_of_a_folder_come_at_once_and_no_database_is_made():
    Path("rules/rules.csv").write_text("p, r.sub.nope, true, invoke, allow\n")
    directive = Path("directives/first.yaml")
    directive.write_text(directive.read_text().replace("broad", "brood"))
    result = publish("--approver", "Bob")
    assert result.exit_code == 2
    assert "rules.csv:1:" in result.stderr
    assert "first.yaml:" in result.stderr
    assert not Path("abac.db").exists()


def test_one_person_by_name():
    assert abac("policy", "settings", "one-person", "--who", "Ada", "--why", "I am alone").exit_code == 0
    assert answered("policy", "settings", "show") == {"one_person": True}
    assert publish().exit_code == 0
    assert answered("policy", "in-force")["publication"]["approver"] == ""
    assert abac("policy", "settings", "one-person", "--off", "--who", "Ada", "--why", "Bob came").exit_code == 0
    assert "two persons" in abac("policy", "settings", "show").stdout


def test_list_and_show(first, second):
    listed = answered("policy", "list")
    assert (listed["in_force"], listed["last"]) == (second, second)
    assert [p["previous"] for p in listed["publications"]] == ["", first]
    shown = abac("policy", "list").stdout
    assert "in force" in shown
    assert first[:12] in shown
    found = answered("policy", "show", first[:8])
    assert (found["revision"], found["author"], found["commit"]) == (first, "Ada", COMMIT)
    assert found["holds"]["directives"] == ["first"]
    assert "directives   1: first" in abac("policy", "show", first).stdout


def test_diff(first, second):
    found = answered("policy", "diff", first[:8], second[:8])
    assert (found["before"], found["after"]) == (first, second)
    assert set(found["sections"]) == {"rules"}
    text = abac("policy", "diff", first, second).stdout
    assert "- condition" not in text
    assert "      condition: resource.cyber_tier <= 4" in text.replace(' && action.name == "invoke"', "")
    assert abac("policy", "diff", first, first).stdout == "nothing changes\n"


def test_rollback(first, second):
    said = ("--who", "Ada", "--why", "broken")
    assert "error[policy-no-approver]" in abac("policy", "rollback", *said).stderr
    back = answered("policy", "rollback", *said, "--approver", "Bob")
    assert (back["publication"]["kind"], back["publication"]["revision"]) == ("rollback", first)
    again = abac("policy", "rollback", *said, "--approver", "Bob")
    assert again.exit_code == 2
    assert "--to REV" in again.stderr
    assert abac("policy", "rollback", *said, "--approver", "Bob", "--to", second[:8]).stdout.strip() == second


def test_what_is_recorded_late_and_what_is_to_come_are_told(first):
    edit()
    late = publish("--approver", "Bob", "--effective", "2026-01-01T00:00:00+01:00", expect=first)
    assert "recorded late" in late.stderr
    edit(3)
    rules = Path("rules/rules.csv")
    rules.write_text(rules.read_text().replace("<= 4", "<= 3"))
    to_come = publish("--approver", "Bob", "--effective", "2999-01-01T00:00:00Z", expect=late.stdout.strip())
    assert "takes effect at 2999-01-01" in to_come.stderr
    found = answered("policy", "in-force")
    assert found["publication"]["revision"] == first
    assert [p["revision"] for p in found["pending"]] == [to_come.stdout.strip()] == [found["expect"]]
    then = answered("policy", "in-force", "--at", "2026-02-01T00:00:00Z")
    assert then["publication"]["revision"] == late.stdout.strip()
    unknown = answered("policy", "in-force", "--at", "2026-02-01T00:00:00Z", "--known-at", "2026-03-01T00:00:00Z")
    assert unknown["publication"] is None
    back = ("--who", "Ada", "--why", "x", "--approver", "Bob")
    called_off = abac("policy", "rollback", "--to", first, "--effective", "2999-01-01T00:00:00Z", *back)
    assert called_off.exit_code == 0
    assert answered("policy", "in-force", "--at", "2999-01-02T00:00:00Z")["publication"]["revision"] == first


def test_export_is_the_program_as_recorded(first):
    assert abac("policy", "export", first[:8], "out.abac").stdout.strip() == first
    assert abac("program", "show", "out.abac", "--revision", first).exit_code == 0
    assert abac("policy", "export", first, "out.abac").exit_code == 2


def test_shadow(first):
    edit()
    draft = publish(expect=first).stdout.strip()
    assert abac("policy", "shadow", "status").exit_code == 1
    assert abac("policy", "shadow", "start", draft[:8], "--who", "Ada", "--why", "try").exit_code == 0
    found = answered("policy", "shadow", "status")
    assert (found["revision"], found["decided"], found["differences"]) == (draft, 0, [])
    assert "decided    0" in abac("policy", "shadow", "status").stdout
    assert answered("policy", "shadow", "stop", "--who", "Ada", "--why", "x")["ended"] is not None
    assert "error[policy-shadow]" in abac("policy", "shadow", "stop", "--who", "Ada", "--why", "x").stderr


def test_posture(first):
    assert answered("policy", "posture", "show")["name"] == "strict"
    said = ("--who", "Ada", "--why", "ninety minutes", "--approver", "Bob")
    lenient = abac("policy", "posture", "set", "lenient", *said)
    assert lenient.exit_code == 2
    assert "error[policy-posture]" in lenient.stderr
    assert abac("policy", "posture", "set", "shutdown", *said).exit_code == 0
    found = answered("policy", "posture", "show")
    assert (found["name"], found["who"], found["approver"]) == ("shutdown", "Ada", "Bob")
    assert "why       ninety minutes" in abac("policy", "posture", "show").stdout


def test_timeline_as_table_json_and_picture(first, second):
    rows = answered("policy", "timeline", "--date", "2026-06-13T00:00:00Z", "--date", "2999-01-01T00:00:00Z")
    then, now = rows["moments"][0]["as_known_then"], rows["moments"][0]["as_known_now"]
    assert (then["directives"], rows["moments"][0]["revised"]) == ([], True)
    assert [d["directive"] for d in now["directives"]] == ["first"]
    table = abac("policy", "timeline", "--model", '{"cyber_tier": 5}', "--out", "t.svg")
    assert table.exit_code == 0, table.stderr
    assert "revised" in table.stdout
    assert Path("t.svg").read_text().startswith("<svg")
    assert "first" in Path("t.svg").read_text()
    assert abac("policy", "timeline", "--out", "t.txt").exit_code == 2
    assert "first" not in abac("policy", "timeline", "--model", '{"cyber_tier": 1}').stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("policy", "list"),
        ("policy", "show", "abcdef12"),
        ("policy", "timeline"),
        ("policy", "rollback", "--who", "Ada", "--why", "x"),
        ("policy", "shadow", "start", "abcdef12", "--who", "Ada", "--why", "x"),
    ],
)
def test_where_there_is_no_database_none_is_made(arguments):
    result = abac(*arguments)
    assert result.exit_code == 2
    assert "error[storage]: no database" in result.stderr
    assert not list(Path().glob("abac.db*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("in-force", "--at", "yesterday"), "--at"),
        (("in-force", "--at", "2026-06-12T00:00:00"), "2026-06-12T21:21:00Z"),
        (("in-force", "--model", "{x"), "not JSON"),
        (("in-force", "--model", '{"nope": 1}'), "nope"),
        (("show", "abc"), "error[policy-unknown-revision]"),
        (("show", "0000000000"), "abac policy list"),
        (("activate", "0000000000", "--who", "B", "--why", "x", "--expect", "none"), "policy-unknown-revision"),
    ],
)
def test_bad_input_is_told_with_its_place(first, arguments, said):
    result = abac("policy", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_no_word_that_is_given_is_taken_for_markup(first):
    edit()
    said = ("--who", "[red]Ada[/]", "--why", "a [b]", "--source-commit", COMMIT, "--approver", "Bob")
    assert abac("publish", ".", "--expect", first, *said).exit_code == 0
    assert "[red]Ada[/]" in abac("policy", "list").stdout
    assert json.loads(abac("policy", "list", "--json").stdout)["publications"][1]["why"] == "a [b]"
