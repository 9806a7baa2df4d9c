from __future__ import annotations

import re
import shlex

from abac.service import starter
from tests.cli.running import abac, answered


def test_what_it_writes_is_accepted_by_every_command_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = abac("new", "start")
    assert result.exit_code == 0
    commands = re.findall(r"^  abac (.*)$", result.stdout, re.MULTILINE)
    assert len(commands) == len(starter.NEXT)
    for command in commands:
        done = abac(*shlex.split(command))
        assert done.exit_code == 0, done.stderr
    assert (tmp_path / "start" / "out" / "report.html").is_file()


def test_it_has_what_the_first_steps_need(folder):
    assert answered("test")["passed"] == 3
    rows = (folder / "scenarios" / "first" / "population.csv").read_text().splitlines()
    assert len(rows) == 1 + 10


def test_it_never_writes_into_a_folder_that_holds_anything(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = abac("new", tmp_path)
    assert result.exit_code == 2
    assert "not empty" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert abac("new", tmp_path / "mine.txt").exit_code == 2


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "empty").mkdir()
    assert abac("new", tmp_path / "empty").exit_code == 0


def test_a_dry_run_names_the_files_and_writes_none(tmp_path):
    result = abac("new", tmp_path / "start", "--dry-run")
    assert "schema.yaml" in result.stdout
    assert not (tmp_path / "start").exists()
