"""Watch the policies served, beside what serves them: in a thread, or in a process beside workers.

What is wrong with a folder is logged when it begins and when it is over, and told to whoever asks; what was in
force before goes on. How files come to be a publication is `service.publishing.watching`'s part.
"""

from __future__ import annotations

import getpass
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.rest.building import program, workspace
from abac.rest.running.logs import log
from abac.rest.settings import ServeSettings
from abac.service.checkout import Checkout
from abac.service.publishing.alone import publish_alone
from abac.service.publishing.watching import EVERY, Watch
from abac.service.store import Store
from abac.storage.policies.records import SHORT

BROKEN = "broken"
"""The file in the workers' folder that says what is wrong with the policies watched."""


class Following:
    """Watches the policies served from a thread of the process that serves."""

    def __init__(self, settings: ServeSettings, store: Store) -> None:
        self.watch = watch(settings, store, [])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="abac-watch", daemon=True)

    async def begin(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def end(self) -> None:
        """Watch no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        look(self.watch, _nothing, self.watch.begin)
        while not self._stop.wait(EVERY):
            look(self.watch, _nothing)


def watch(settings: ServeSettings, store: Store, said: list[str]) -> Watch:
    """Return the watch over the policies that settings name; `said` takes what it puts in force, in sentences."""

    def paths() -> list[Path]:
        near = workspace(settings)
        schema = settings.schema_file or near.schema
        beside = [found for name in ("persons", "lists") if (found := schema.parent / name).is_dir()]
        model = settings.model or near.model
        return [*(settings.policies or [near.folder]), *beside, schema, *([] if model is None else [model])]

    def put(made: Program, commit: Checkout) -> None:
        named = settings.source_commit or str(commit)
        folder = ", ".join(map(str, settings.policies or [workspace(settings).folder]))
        published = publish_alone(
            store.policies,
            made,
            who=settings.who or user(),
            why=f"serves {folder}"[:1_000],
            commit=named,
        )
        short = published.publication.revision[:SHORT]
        dirty = " (files differ from it)" if commit.dirty else ""
        at = f", commit {named[:SHORT]}{dirty}" if named else ""
        done = "is in force" if not published.new else "was recorded and is in force now"
        said.append(f"serves {folder}{at}: revision {short} {done} in {store.database}")
        log().info("policies", folder=folder, revision=short, commit=named, recorded=published.new)

    return Watch(paths, lambda: program(settings), put)


def look(watching: Watch, tell: Callable[[str], None], how: Callable[[], object] | None = None) -> None:
    """Look once, and log and tell what is wrong when that changes."""
    before = watching.broken
    try:
        (how or watching.look)()
    except (AbacError, OSError) as error:
        watching.broken = str(error)
    except Exception:  # noqa: BLE001  # a watch that dies would leave old policies in force for good
        log().exception("fault")
        watching.broken = "a fault; see the log"
    if watching.broken != before:
        if watching.broken:
            log().error("policies broken", told=watching.broken)
        tell(watching.broken)


def watch_beside(settings: ServeSettings, store: Store, folder: Path, ready: Callable[[], None]) -> None:
    """Watch in this process until told to stop by a signal, for workers that share a folder."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watching, tell = watch(settings, store, []), partial(write_broken, folder)
    look(watching, tell, watching.begin)
    ready()
    while not stop.wait(EVERY):
        look(watching, tell)


def _nothing(_: str) -> None:
    """Tell nobody: the one who asks reads it."""


def user() -> str:
    """Return who runs this process, as the machine names them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def write_broken(folder: Path, told: str) -> None:
    """Leave what is wrong in the workers' folder."""
    file = folder / BROKEN
    with suppress(OSError):
        made = file.with_suffix(".new")
        made.write_text(told, encoding="utf-8")
        made.replace(file)


def read_broken(folder: Path) -> str:
    """Return what is wrong, as the process that watches left it."""
    try:
        return (folder / BROKEN).read_text(encoding="utf-8")
    except OSError:
        return ""
