"""Fail where a JUnit file says that a test was skipped which this machine could run.

A test that truly cannot run somewhere says so: its reason starts with `cannot here:`. Expected failures are no
skips. A file without a single test fails as well.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

EXCUSED = "cannot here:"


def cases(results: Path) -> list[ET.Element]:
    """Return the test cases of a JUnit file; none where there is no file."""
    if not results.exists():
        return []
    return list(ET.parse(results).iter("testcase"))  # noqa: S314  # our own test run wrote it


def skipped(found: list[ET.Element]) -> list[str]:
    """Return `test: reason` for every skipped test that has no excuse."""
    return [
        f"{case.get('classname')}.{case.get('name')}: {skip.get('message', '')}"
        for case in found
        for skip in case.iter("skipped")
        if skip.get("type") != "pytest.xfail" and not skip.get("message", "").startswith(EXCUSED)
    ]


def main(path: str) -> int:
    """Print what was skipped and return the exit code."""
    found = cases(Path(path))
    if not found:
        sys.stderr.write(f"{path} holds no test results\n")
        return 1
    needless = skipped(found)
    for line in needless:
        sys.stderr.write(f"skipped without need: {line}\n")
    return 1 if needless else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
