from __future__ import annotations

from pathlib import Path

import casbin

import abac as library
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance
from abac.condition.types import Kind, SetType, admit
from abac.language.casbin_out import casbin_text
from abac.policy.reference import decide
from tests.cli.running import abac, answered


def test_both_texts_are_printed_and_what_is_unsaid_is_told_apart(folder):
    result = abac("export", "casbin")
    assert result.exit_code == 0
    assert "m = eval(p.rule)" in result.stdout
    assert "\np, " in result.stdout
    assert "unsaid: " in result.stderr


def test_the_files_load_in_stock_casbin_and_enforce_what_decide_permits(folder):
    program = library.compile("schema.yaml", "models/abac.conf", [Path()])
    text = casbin_text(program.root, program.functions)
    assert abac("export", "casbin", "--out", "../there").exit_code == 0
    enforcer = casbin.Enforcer("../there/model.conf", "../there/policy.csv")
    answers = set()
    for day in ("2000-01-01", "2100-01-01"):
        for relation in ("staff", "customer"):
            given = _known(program.schema, {"environment.now": f"{day}T00:00:00Z", "subject.relation": relation})
            values = {path: one.value for path, one in given.items()}
            permitted = decide(program.root, given, program.functions).permitted
            assert enforcer.enforce(*text.arguments(values)) is permitted
            answers.add(permitted)
    assert answers == {True, False}


def _known(schema, said):
    """A fully known request: the first value of every type, but for what is said."""
    plain = {
        Kind.BOOL: False,
        Kind.INT: 5,
        Kind.FLOAT: 0.0,
        Kind.STRING: "",
        Kind.DATETIME: "2026-01-01T00:00:00Z",
    }
    found = {}
    for d in schema:
        kind = d.type.element if isinstance(d.type, SetType) else d.type
        one = said.get(d.path, kind.values[0] if kind.values else plain[kind.kind])
        found[d.path] = Assertion(admit([] if d.is_set else one, d.type), Assurance.VERIFIED)
    return found


def test_one_directive(folder):
    (name,) = [d.id for d in library.compile("schema.yaml", "models/abac.conf", [Path()]).directives]
    found = answered("export", "casbin", "--directive", name)
    assert f"# directive {name}: join its answer to your own policy's by `and`; it grants nothing" in found["rows"]
    assert "e = !some(where (p.eft == deny))" in found["model"]
    assert {g["path"] for g in found["contract"]} >= {"environment.now"}
    assert abac("export", "casbin", "--directive", "nope").exit_code == 2


def test_nothing_is_overwritten(folder):
    Path("there").mkdir()
    Path("there/policy.csv").write_text("mine")
    result = abac("export", "casbin", "--out", "there")
    assert result.exit_code == 2
    assert not Path("there/model.conf").exists()
    assert Path("there/policy.csv").read_text() == "mine"


def test_strict_refuses_an_export_that_could_differ(folder):
    assert abac("export", "casbin", "--strict").exit_code == 0
    Path("rules/rules.csv").write_text('p, lower(r.sub.id) == "a", true, invoke, allow\n')
    result = abac("export", "casbin", "--strict", "--out", "there")
    assert result.exit_code == 1
    assert "inexact: " in result.stderr
    assert "rules.csv:1" in result.stderr
    assert not Path("there").exists()
    assert abac("export", "casbin", "--out", "there").exit_code == 0
