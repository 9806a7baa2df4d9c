"""Start one of our servers for a run: `python -m benchmarks.http.serve abac|audit|floor PORT RULES KEYFILE`.

`audit` records: `required`, so that an answer leaves once its entry is committed to a SQLite file with
`synchronous=FULL`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import uvicorn

from abac.bootstrap import Settings, now, open_store
from abac.pdp.point import DecisionPoint
from abac.rest.building import Parts, build
from abac.rest.callers.keyfile import read_keys
from abac.rest.running.serving import server
from abac.rest.settings import load
from abac.service.deciding import InMemory
from abac.service.publishing.alone import publish_alone
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
    settings = load(port=int(port), keys=Path(keys), audit="required", receipts="/access/v1/audit/receipts/{id}")
    held = program(Workload(int(rules)))
    if what == "abac":
        parts = Parts(InMemory(DecisionPoint(held)), read_keys(Path(keys)))
        server(build(settings, now, parts), settings).run()
        return
    folder = tempfile.mkdtemp(prefix="abac-http-", dir=Path(keys).parent)
    with open_store(Settings(f"sqlite:///{folder}/abac.db")) as store:
        publish_alone(store.policies, held, who="bench", why="to be measured", commit="")
        server(build(settings, now, Parts(keys=read_keys(Path(keys)), store=store)), settings).run()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
