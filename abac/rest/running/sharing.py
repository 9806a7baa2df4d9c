"""What several workers count is one: each leaves its figures in a folder, and whoever is asked adds them up.

A worker writes its own once a second and at its end. What a worker counted stays when it dies; its gauges, such as
how much waits in its queue, go with it. So a sum may be a second behind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from abac.rest.running.metering import Counted, Meter

EVERY = 1.0
"""Seconds between two writings."""

_decode = msgspec.json.Decoder(Counted).decode


class Sharing:
    """One worker's part: `begin` on its event loop, `end` before it stops."""

    def __init__(self, folder: Path, meter: Meter) -> None:
        self._folder, self._meter = folder, meter
        self._own = folder / f"{os.getpid()}.json"
        self._task: asyncio.Task[None] | None = None
        meter.others = self.others

    async def begin(self) -> None:
        """Write again and again."""
        self._task = asyncio.create_task(self._keep())

    async def end(self) -> None:
        """Write no more but at the very end, by `write`."""
        if self._task is not None:
            self._task.cancel()

    def write(self) -> None:
        """Write what was counted up to now; others read the old or the new, never a part."""
        written = self._own.with_suffix(".new")
        written.write_bytes(msgspec.json.encode(self._meter.counted()))
        written.replace(self._own)

    def others(self) -> Iterator[Counted]:
        """Yield what other workers counted, those that are gone among them."""
        for file in sorted(self._folder.glob("*.json")):
            if file == self._own:
                continue
            try:
                found = _decode(file.read_bytes())
            except (OSError, msgspec.DecodeError):
                continue  # it is gone, or no worker's
            yield found if _lives(int(file.stem)) else msgspec.structs.replace(found, gauges={})

    async def _keep(self) -> None:
        while True:
            self.write()
            await asyncio.sleep(EVERY)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
