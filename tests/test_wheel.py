"""The wheel: what it carries, and that one who only ran `pip install` can run the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = (
    "abac/py.typed",
    "abac/_shipped/models/abac.conf",
    "abac/_shipped/migrations/env.py",
    "abac/_shipped/migrations/versions/0001_log_and_policies.py",
    "abac/_shipped/policies/schema.yaml",
    "abac/_shipped/policies/scenarios/june-2026/scenario.yaml",
    "abac/_shipped/policies/tests/june-2026.yaml",
    "abac/language/schemas/cases.schema.json",
    "abac/language/schemas/directive.schema.json",
    "abac/language/schemas/stress.schema.json",
    "abac/simulation/report/schema.json",
    "abac/simulation/report/stress.html.jinja",
    "abac/simulation/report/stress.schema.json",
    "abac/simulation/report/page.html.jinja",
    "abac/service/templates/schema.yaml",
    "abac/service/templates/scenarios/first/population.csv",
)


def run(*command, cwd=None, env=None):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="install abac[dev]")
    made = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", made, ROOT)
    (path,) = made.glob("*.whl")
    return path


def test_the_wheel_carries_policies_models_schemas_and_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in DATA if name not in names] == []
    assert [n for n in names if n.startswith(("tests/", "benchmarks/")) or "__pycache__" in n] == []


def test_the_wheel_runs_the_demo_outside_the_checkout(wheel, tmp_path):
    """The command in an environment with only the wheel; its dependencies are lent by this environment."""
    home = tmp_path / "env"
    run(sys.executable, "-m", "venv", "--without-pip", home)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", packages, wheel)
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [home / "bin" / "python", "-m", "abac"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    where = run(home / "bin" / "python", "-c", "import abac; print(abac.__file__)", cwd=tmp_path, env=env)
    assert where.startswith(str(home))
    run(*command, "simulate", "june-2026", "--subjects", "2000", "--out", "report", cwd=tmp_path, env=env)
    assert (tmp_path / "report" / "report.html").is_file()
    run(*command, "new", "start", cwd=tmp_path, env=env)
    run(*command, "test", "start", cwd=tmp_path, env=env)
    shipped = packages / "abac" / "_shipped" / "policies"
    assert " passed; " in run(*command, "test", shipped, cwd=tmp_path, env=env)
    run(*command, "db", "upgrade", cwd=tmp_path, env=env)
    assert '"found": "0001"' in run(*command, "db", "status", "--json", cwd=tmp_path, env=env)
