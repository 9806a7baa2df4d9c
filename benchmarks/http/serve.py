"""Start one of our servers for a run: `python -m benchmarks.http.serve abac|floor PORT RULES KEYFILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from abac.bootstrap import now
from abac.pdp.point import DecisionPoint
from abac.rest.building import Parts, build
from abac.rest.keyfile import read_keys
from abac.rest.serving import server
from abac.rest.settings import load
from abac.service.deciding import InMemory
from benchmarks.http import floor
from benchmarks.peers.with_abac import program
from benchmarks.peers.workload import Workload


def main(what: str, port: str, rules: str, keys: str) -> None:
    """Serve until told to stop."""
    if what == "floor":
        uvicorn.run(
            floor.app,
            port=int(port),
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
        )
        return
    settings = load(port=int(port), keys=Path(keys))
    parts = Parts(InMemory(DecisionPoint(program(Workload(int(rules))))), read_keys(Path(keys)))
    server(build(settings, now, parts), settings).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
