"""One worker of a dry run, a process of its own: what `abac serve` runs, and nobody is asked who they are.

    python -m abac.drill.worker DATABASE

prints its URL once it listens, on the loopback address, and ends on SIGTERM.
"""

from __future__ import annotations

import sys

from abac.bootstrap import Settings, now, open_store
from abac.rest.running import logs
from abac.rest.running.hosting import Hosting
from abac.rest.settings import load


def main() -> int:
    """Serve until told to stop, and return the exit code."""
    logs.configure("warning")
    held = load(unsafe_no_auth=True, unsafe_ceiling="verified", port=0, audit="required")
    settings = Settings.of(database=sys.argv[1])
    return Hosting(held, lambda: open_store(settings), now).run(_say)


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
