from __future__ import annotations

import json
from pathlib import Path

import pytest

from abac.simulation.report import write
from abac.simulation.report.validate import ReportError
from abac.simulation.report.write import FILES, as_json, write_report


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_new_directory_appears_whole(known, people, tmp_path):
    paths = write_report(known, people, tmp_path / "a" / "out")
    assert [path.name for path in paths] == list(FILES)
    assert names(tmp_path / "a" / "out") == sorted(FILES)
    assert names(tmp_path / "a") == ["out"]


def test_report_json_is_the_report_and_the_same_bytes_each_time(known, people, tmp_path):
    one = write_report(known, people, tmp_path / "one")
    two = write_report(known, people, tmp_path / "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    text = (tmp_path / "one" / "report.json").read_text()
    assert json.loads(text) == known
    assert text.endswith("}\n")


def test_files_of_others_stay(known, people, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "report.html").write_text("old")
    write_report(known, people, tmp_path)
    assert names(tmp_path) == sorted([*FILES, "notes.txt"])
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "report.html").read_text() != "old"


def test_an_invalid_report_writes_nothing(known, people, tmp_path):
    known["seed"] = "7"
    with pytest.raises(ReportError, match="seed"):
        write_report(known, people, tmp_path / "out")
    assert names(tmp_path) == []


def test_a_failure_half_way_writes_nothing(known, people, tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_people", full)
    with pytest.raises(ReportError, match="No space left"):
        write_report(known, people, tmp_path / "out")
    assert names(tmp_path) == []


def test_a_failure_while_replacing_puts_the_old_files_back(known, people, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    for name in FILES[:2]:
        (tmp_path / "out" / name).write_text("old")
    real = Path.replace

    def stubborn(self, target):
        if Path(target).name == "people.xlsx" and self.parent.name == "new":
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", stubborn)
    with pytest.raises(ReportError, match="Permission denied"):
        write_report(known, people, tmp_path / "out")
    assert names(tmp_path / "out") == sorted(FILES[:2])
    assert {(tmp_path / "out" / name).read_text() for name in FILES[:2]} == {"old"}
    assert names(tmp_path) == ["out"]


def test_a_file_in_the_way_is_said_so(known, people, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ReportError, match="is a file"):
        write_report(known, people, tmp_path / "out")


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        as_json({"x": float("nan")})
