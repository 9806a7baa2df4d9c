"""What a job's process does: read on standard input what is asked, simulate, and write down what happens.

Run as `python -m abac.service.jobs.simulating FOLDER`, by `running` only. It ends when it is asked to, and when
its standard input is closed, which is when the server that started it is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from abac.audit.clock import moment
from abac.errors import AbacError
from abac.service.jobs import job

if TYPE_CHECKING:
    from abac.service.simulate import Bring

LOOK = 0.1
"""Seconds between two looks for a wish to end."""

NICE = 19
"""How much this process stands back behind the one that decides."""


class _Events:
    """Writes events; after the one that ends it, nothing more."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / job.EVENTS).open("a", encoding="utf-8")
        self._turn, self.ended = threading.Lock(), False

    def tell(self, event: str, **data: Any) -> None:
        with self._turn:
            if self.ended:
                return
            self.ended = event in job.ENDS
            self._file.write(json.dumps({"event": event, "data": data}) + "\n")
            self._file.flush()


def main(folder: Path, told: IO[bytes]) -> int:
    """Do the job in a folder, as the first line of `told` says. Returns 0 where it was done."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    asked = json.loads(told.readline())
    events = _Events(folder)
    events.tell(job.STARTED, scenario=Path(asked["document"]).parent.name)
    threading.Thread(target=_heed, args=(folder, told, events), daemon=True).start()
    try:
        _simulate(folder, asked, events)
    except AbacError as error:
        events.tell(job.FAILED, code=error.code, message=_without_places(str(error), asked)[:2_000])
        return 1
    except Exception:  # noqa: BLE001  # whatever it is, who waits is told, and the file has the rest
        with (folder / job.ERRORS).open("a", encoding="utf-8") as errors:
            traceback.print_exc(file=errors)
        events.tell(job.FAILED, code="internal", message="a fault of ours; the job's errors.log says more")
        return 1
    events.tell(job.DONE)
    return 0


def _simulate(folder: Path, asked: Mapping[str, Any], events: _Events) -> None:
    from abac.service import simulate  # noqa: PLC0415  # columns are heavy: who waits is told before they load
    from abac.simulation.run import run  # noqa: PLC0415  # as above
    from abac.simulation.scenario import POSTURES  # noqa: PLC0415  # as above

    steps = [0, 0]

    def step(what: str) -> None:
        steps[0] += 1
        events.tell(job.PROGRESS, step=steps[0], of=max(steps), what=what)

    step("reading the log" if asked.get("log") else "the population")
    inputs = simulate.load(
        Path(asked["document"]),
        subjects=asked["subjects"],
        seed=asked["seed"],
        population=asked.get("file"),
        mapping=Path(asked["mapping"]) if asked.get("mapping") else None,
        postures=(asked["posture"],) if asked.get("posture") else POSTURES,
        bring=_from_log(asked) if asked.get("log") else None,
    )
    steps[1] = len(inputs.studies) + 5
    result = run(inputs, progress=step)
    step("writing the report")
    _write(result.report, folder / "report.new")
    (folder / "report.new").rename(folder / "report")


def _write(report: Any, fresh: Path) -> None:
    """Write the report's two files that name nobody."""
    from abac.simulation.report.page import render  # noqa: PLC0415  # as above
    from abac.simulation.report.validate import validate  # noqa: PLC0415  # as above
    from abac.simulation.report.write import as_json  # noqa: PLC0415  # as above

    validate(report)
    fresh.mkdir()
    (fresh / "report.json").write_text(as_json(report), encoding="utf-8", newline="\n")
    (fresh / "report.html").write_text(render(report), encoding="utf-8", newline="\n")


def _without_places(message: str, asked: Mapping[str, Any]) -> str:
    """Return a message as it may leave: files named from the scenario's folder on, the log called the log."""
    here = Path(asked["document"]).parent
    for place in (here.parent, here.parent.parent):
        message = message.replace(f"{place}/", "")
    database = asked.get("database")
    if not database:
        return message
    from abac.storage.database import Database  # noqa: PLC0415  # as above

    return message.replace(str(Database(database)), "the log")


def _from_log(asked: Mapping[str, Any]) -> Bring:
    """Return what reads the population from the log, which is opened for reading only."""
    from abac.service.logged import log_population  # noqa: PLC0415  # as above
    from abac.service.store import Store  # noqa: PLC0415  # as above
    from abac.storage.database import Database  # noqa: PLC0415  # as above
    from abac.storage.keys import SubjectKeys  # noqa: PLC0415  # as above
    from abac.storage.log import DecisionLog  # noqa: PLC0415  # as above
    from abac.storage.policies import Policies  # noqa: PLC0415  # as above

    log = asked["log"]
    since, until = (None if log.get(name) is None else moment(log[name]) for name in ("since", "until"))

    def never() -> datetime:  # nothing is written, so nothing is dated
        return datetime.min.replace(tzinfo=UTC)

    def bring(schema: Any, catalogue: Any, cut: datetime) -> Any:
        database = Database(asked["database"], read_only=True)
        keys = SubjectKeys(Database(asked["keys"], forgets=True, read_only=True), never)
        opened = DecisionLog(database, None, never)
        with Store(database, opened, keys, Policies(opened)) as store:
            return log_population(store, schema, catalogue, since=since, until=until, cut=cut)

    return bring


def _heed(folder: Path, told: IO[bytes], events: _Events) -> None:
    """End the process when it is asked to, or when nobody is there any more who could."""
    gone = threading.Event()

    def listen() -> None:
        while told.read(1):
            pass
        gone.set()

    threading.Thread(target=listen, daemon=True).start()
    while not gone.is_set() and not (folder / job.CANCEL).exists():
        time.sleep(LOOK)
    events.tell(job.CANCELLED, message="the server ended" if gone.is_set() else "asked to end")
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.buffer))
