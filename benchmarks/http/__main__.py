"""Measure, and write `RESULTS.md`: `python -m benchmarks.http`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.http.results import written
from benchmarks.http.run import run


def main() -> None:
    """Run, and write the tables."""
    rows, batches = run(lambda line: print(line, file=sys.stderr))
    Path(__file__).with_name("RESULTS.md").write_text(written(rows, batches), encoding="utf-8")


if __name__ == "__main__":
    main()
