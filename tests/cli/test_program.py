from __future__ import annotations

import json
from pathlib import Path

import abac as library
from abac.service.program_file import read_program
from tests.cli.running import abac, answered


def test_write_digest_and_show_agree_on_the_revision(folder):
    written = abac("program", "write", "out.abac")
    assert written.exit_code == 0
    revision = written.stdout.strip()
    assert abac("program", "digest").stdout.strip() == revision
    shown = abac("program", "show", "out.abac")
    assert f"revision    {revision}" in shown.stdout
    assert "directive   " in shown.stdout
    assert abac("program", "show", "out.abac", "--revision", revision).exit_code == 0
    assert read_program("out.abac", revision=revision).revision == revision


def test_what_is_read_back_decides_as_the_policies_do(folder):
    abac("program", "write", "out.abac")
    near = library.compile("schema.yaml", "models/abac.conf", [Path()])
    request = library.Request({"kind": "person"}, "invoke", {"id": "x"})
    assert library.decide(read_program("out.abac"), request) == library.decide(near, request)


def test_show_as_json_is_the_canonical_form(folder):
    abac("program", "write", "out.abac")
    form = answered("program", "show", "out.abac")
    assert form == json.loads(Path("out.abac").read_text().splitlines()[1])["decides"]


def test_an_existing_file_is_kept_unless_forced(folder):
    Path("out.abac").write_text("mine")
    refused = abac("program", "write", "out.abac")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert Path("out.abac").read_text() == "mine"
    assert abac("program", "write", "out.abac", "--force").exit_code == 0
    assert read_program("out.abac")


def test_policies_with_an_error_leave_no_file(folder):
    Path("rules/rules.csv").write_text("p, r.sub.nope, true, invoke, allow\n")
    assert abac("program", "write", "out.abac").exit_code == 2
    assert not Path("out.abac").exists()
    assert not list(Path().glob(".out.abac*"))


def test_a_damaged_file_exits_with_2_and_its_place(folder):
    abac("program", "write", "out.abac")
    text = Path("out.abac").read_text()
    Path("out.abac").write_text(text[:-100])
    result = abac("program", "show", "out.abac")
    assert result.exit_code == 2
    assert "out.abac:2:1: error[program]" in result.stderr
    Path("out.abac").write_bytes(b"\xff\xfe")
    assert "no ASCII at byte 0" in abac("program", "show", "out.abac").stderr
    assert abac("program", "show", "missing.abac").exit_code == 2
    assert abac("program", "show", ".").exit_code == 2


def test_another_revision_than_wanted_is_refused(folder):
    abac("program", "write", "out.abac")
    result = abac("program", "show", "out.abac", "--revision", "0" * 64)
    assert result.exit_code == 2
    assert "head.revision" in result.stderr
