"""A worker as the tests run many of and kill: decides as fast as it can, and says each PERMIT once it left.

Run as: python worker.py SETTINGS-AS-JSON MODE THREADS DECISIONS NAME
"""

from __future__ import annotations

import json
import os
import sys
import threading

import abac
from abac.bootstrap import Settings, open_store
from tests.service.recording.worlds import asking, program


def main() -> None:
    settings, mode, threads, decisions, name = sys.argv[1:]
    with open_store(Settings(**json.loads(settings))) as store:
        point = abac.RecordedPoint(program(), store, mode=mode, patience=30)
        os.write(1, b"ready\n")

        def work(thread: int) -> None:
            for n in range(int(decisions)):
                answer = point.decide(asking(f"{name}-{thread}-{n % 5}"))
                said = answer.id if answer.permitted else f"refused {answer.why!r}"
                os.write(1, f"{said}\n".encode())

        each = [threading.Thread(target=work, args=(number,)) for number in range(int(threads))]
        for thread in each:
            thread.start()
        for thread in each:
            thread.join()
        point.close()


if __name__ == "__main__":
    main()
