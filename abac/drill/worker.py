"""One worker of a drill, a process of its own: decides and records by what stands in the store, and tells changes.

    python -m abac.drill.worker DATABASE

prints its URL once it listens, and ends on SIGTERM. Nobody is asked who they are: it serves the loopback address
of a dry run only.
"""

from __future__ import annotations

import sys

from abac.bootstrap import Settings, now, open_store
from abac.rest import logs
from abac.rest.building import Parts, build
from abac.rest.serving import server
from abac.rest.settings import load


def main() -> None:
    """Serve until told to stop."""
    logs.configure("warning")
    with open_store(Settings.of(database=sys.argv[1])) as store:
        held = load(unsafe_no_auth=True, unsafe_ceiling="verified", audit="required", port=0)
        server(build(held, now, Parts(store=store)), held, started=_say).run()


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
