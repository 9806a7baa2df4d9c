from __future__ import annotations

import shutil

import pytest

from abac.compiler.program import select
from abac.service import starter
from abac.service.load import compile_policies
from abac.service.publishing.difference import SECTIONS, difference


@pytest.fixture
def edited(tmp_path):
    """Compile the starter folder after an edit of one of its files."""
    folder = tmp_path / "start"
    starter.write(folder)

    def compiled(name="", old="", new=""):
        if name:
            text = (folder / name).read_text()
            assert old in text
            (folder / name).write_text(text.replace(old, new))
        return compile_policies(folder / "schema.yaml", folder / "models" / "abac.conf", [folder])

    return compiled


def sections(before, after):
    return difference(before, after).as_json()["sections"]


def test_nothing_changes_between_one_and_the_same(edited):
    assert sections(edited(), edited()) == {}


def test_from_nothing_everything_is_new(edited):
    found = difference(None, edited())
    assert found.before == ""
    assert set(found.sections) >= {"policies", "rules", "directives", "attributes", "persons"}
    assert list(found.sections["directives"].added) == ["first"]
    assert not found.sections["rules"].removed


def test_a_row_put_in_between_changes_no_other(edited):
    before = edited()
    added = "p, true, r.obj.cyber_tier <= 1, cyber, allow\np, true, r.obj.cyber_tier < 5"
    found = sections(before, edited("rules/rules.csv", "p, true, r.obj.cyber_tier < 5", added))
    assert set(found) == {"rules"}
    (fields,) = found["rules"]["added"].values()
    assert fields["effect"] == "PERMIT"
    assert "resource.cyber_tier <= 1" in fields["condition"]
    assert found["rules"]["removed"] == found["rules"]["changed"] == {}


def test_a_changed_row_is_one_gone_and_one_new(edited):
    before = edited()
    found = sections(before, edited("rules/rules.csv", "<= 5", "<= 4"))
    assert (len(found["rules"]["added"]), len(found["rules"]["removed"])) == (1, 1)


def test_an_event_of_a_directive(edited):
    before = edited()
    event = "recorded: 2026-06-12T21:00:00Z}"
    more = event + "\n  - {event: suspended, at: 2026-06-20T00:00:00Z, recorded: 2026-06-20T00:00:00Z}"
    found = sections(before, edited("directives/first.yaml", event, more))
    assert set(found) == {"directives"}
    (change,) = found["directives"]["changed"]["first"]
    assert change["field"] == "events"
    assert change["removed"] == []
    assert "suspended at 2026-06-20" in change["added"][0]


@pytest.mark.parametrize(
    ("file", "old", "new", "section", "field"),
    [
        ("directives/first.yaml", "binding: true", "binding: false", "directives", "binding"),
        ("directives/first.yaml", "in_flight: cut", "in_flight: finish_request", "directives", "in flight"),
        ("directives/first.yaml", ">= 5", ">= 4", "directives", "clauses"),
        ("directives/first.yaml", "current: declared", "current: verified", "directives", "requires"),
        ("directives/first.yaml", '== "staff"', '!= "staff"', "directives", "exemptions"),
        ("directives/first.yaml", "title: No foreign", "title: Not any foreign", "told", "title"),
    ],
)  # fmt: skip
def test_every_change_is_told_where_it_is(edited, file, old, new, section, field):
    before = edited()
    after = edited(file, old, new)
    found = sections(before, after)
    assert field in [c["field"] for c in found[section]["changed"]["first"]]
    assert (before.revision != after.revision) == (section != "told")


def test_attributes_and_person_tests(edited):
    before = edited()
    after = edited("schema.yaml", "sensitive: true", "sensitive: false")
    found = sections(before, after)
    assert {c["field"] for changes in found["attributes"]["changed"].values() for c in changes} == {"sensitive"}
    found = sections(after, edited("persons/foreign-person.yaml", '"US"', '"CA"'))
    assert found["persons"]["changed"] or found["directives"]["changed"]


def test_what_is_left_out_is_gone(edited):
    before = edited()
    after = select(before, [])
    found = sections(before, after)
    assert list(found["directives"]["removed"]) == ["first"]
    assert sections(after, before)["directives"]["added"].keys() == {"first"}


def test_two_revisions_never_come_out_alike(edited, monkeypatch):
    """Whatever this module forgot to describe is told as a change of the form."""
    before = edited()
    after = edited("rules/rules.csv", "<= 5", "<= 4")
    blind = {name: {} for name in SECTIONS}
    monkeypatch.setattr("abac.service.publishing.difference.described", lambda _: blind)
    (change,) = difference(before, after).sections["policies"].changed["root"]
    assert (change.removed, change.added) == ((before.revision,), (after.revision,))


def test_the_order_of_rows_where_it_counts(tmp_path):
    folder = tmp_path / "start"
    starter.write(folder)
    model = folder / "models" / "abac.conf"
    text = model.read_text()
    effect = next(line for line in text.splitlines() if line.startswith("e ="))
    model.write_text(text.replace(effect, "e = priority(p.eft) || deny"))
    rows = folder / "rules" / "rules.csv"
    before = compile_policies(folder / "schema.yaml", model, [folder])
    head, *lines = rows.read_text().splitlines()
    rows.write_text("\n".join([head, *reversed(lines)]) + "\n")
    after = compile_policies(folder / "schema.yaml", model, [folder])
    found = sections(before, after)
    assert [c["field"] for c in found["policies"]["changed"]["rows"]] == ["order"]
    shutil.rmtree(folder)
