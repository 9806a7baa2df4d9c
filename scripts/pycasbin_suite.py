"""Run pycasbin's own tests twice, with its enforcers and with ours, and compare what passes.

    python scripts/pycasbin_suite.py CHECKOUT

CHECKOUT is a pycasbin source tree with `tests/` and `examples/` (the sdist has no examples). Nothing of it is
kept: it is copied to a temporary directory. Ends with 1 if any test passes with one and fails with the other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = """\
import casbin
from abac.enforcer import AsyncEnforcer, Enforcer, SyncedEnforcer

casbin.Enforcer, casbin.SyncedEnforcer, casbin.AsyncEnforcer = Enforcer, SyncedEnforcer, AsyncEnforcer
"""


def outcomes(tree: Path, conftest: str) -> dict[str, str]:
    """Return how each test of a tree ended, by its name."""
    (tree / "conftest.py").write_text(conftest, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=no", "tests"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[1]: words[0] for words in lines if len(words) > 1 and words[0] in ("PASSED", "FAILED", "ERROR")}


def main(checkout: Path) -> int:
    """Compare the two runs, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for part in ("tests", "examples"):
            shutil.copytree(checkout / part, tree / part)
        (tree / "tests" / "__init__.py").touch()
        stock, ours = outcomes(tree, ""), outcomes(tree, OURS)
    differ = sorted(name for name in stock.keys() | ours.keys() if stock.get(name) != ours.get(name))
    for name in differ:
        sys.stdout.write(f"{name}: {stock.get(name)} with stock, {ours.get(name)} with ours\n")
    passed = [list(run.values()).count("PASSED") for run in (stock, ours)]
    sys.stdout.write(f"{len(stock)} tests; passed with stock: {passed[0]}, with ours: {passed[1]}\n")
    return 1 if differ or not stock else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
