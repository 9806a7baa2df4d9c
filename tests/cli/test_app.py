from __future__ import annotations

import subprocess
import sys
import time

import pytest

import abac as package
from abac.cli.console import SHOWN
from abac.cli.simulate import Posture
from abac.simulation.scenario import POSTURES
from tests.cli.running import abac

VERBS = [
    [],
    ["simulate"],
    ["decide"],
    ["check"],
    ["test"],
    ["new"],
    ["population"],
    ["population", "inspect"],
    ["persons"],
    ["directive"],
    ["directive", "new"],
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_that_fits_80_columns(verb):
    result = abac(*verb, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "[default" not in result.stdout or verb == ["simulate"]


def test_help_lists_the_exit_codes():
    text = abac("--help").stdout
    for code in ("0 ", "1 ", "2 ", "70 ", "130 "):
        assert f"\n {code}" in text


def test_version():
    result = abac("--version")
    assert (result.exit_code, result.stdout) == (0, f"abac {package.__version__}\n")


def test_an_unknown_option_is_bad_usage():
    assert abac("check", "--frobnicate").exit_code == 2


def test_postures_are_those_of_the_simulation():
    assert tuple(Posture) == POSTURES


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom abac.cli.app import app\n"
        "heavy = {'polars', 'numpy', 'altair', 'casbin', 'jsonschema', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_is_there_and_quick():
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "abac", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert time.perf_counter() - started < 5


def test_a_fault_of_ours_is_shown_whole_and_exits_with_70(tmp_path):
    code = (
        "import sys, abac.service.check as c\n"
        "def broken(*_):\n    raise ZeroDivisionError('a fault')\n"
        "c.check = broken\nsys.argv = ['abac', 'check']\nfrom abac.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 70
    assert "ZeroDivisionError: a fault" in done.stderr


def test_a_missing_extra_is_said(tmp_path):
    code = (
        "import sys\nsys.modules['polars'] = None\nsys.argv = ['abac', 'simulate', 'june-2026']\n"
        "from abac.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'abac[cli]'" in done.stderr


def test_a_flood_of_findings_is_cut_for_people_and_whole_for_machines(folder):
    (folder / "rules" / "more.csv").write_text(
        "\n".join(f"p, r.sub.nope{i} == 1, true, invoke, allow" for i in range(200))
    )
    result = abac("check")
    assert result.exit_code == 2
    assert f"and {200 - SHOWN} more" in result.stderr
    assert "200 errors" in result.stderr
