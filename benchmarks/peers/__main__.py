"""`python -m benchmarks.peers`: run, print the tables, and keep them in `RESULTS.md` beside this file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.results import report
from benchmarks.peers.run import DisagreementError, run

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Return 0, or 1 if a peer is missing or answers otherwise; the table is then left as it was."""
    try:
        done = run()
    except (DisagreementError, ModuleNotFoundError) as failure:
        print(failure, file=sys.stderr)
        return 1
    page = report(done, datetime.now(UTC).date())
    RESULTS.write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
