"""Host a server: bring the policies served into force, then serve in this process, or in several.

Whatever has threads or connections is made in the process that serves. How a store is opened is `bootstrap`'s
part; what is to be said of all this is returned, since only the command line prints.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from abac.audit.clock import stamp
from abac.errors import AbacError
from abac.rest.building import Clock, Parts, build, program, workspace
from abac.rest.callers.first import make_first
from abac.rest.running.logs import log
from abac.rest.running.serving import check_tls, server
from abac.rest.running.sharing import Sharing
from abac.rest.running.tracing import trace
from abac.rest.running.watching import Following, read_broken, user, watch, watch_beside
from abac.rest.running.workers import REFUSED, Job, Ready, Workers
from abac.rest.settings import ServeSettings, ServeSettingsError
from abac.service.shipped import shipped
from abac.service.store import Store
from abac.storage.policies.errors import PolicyNoneError
from abac.storage.policies.records import SHORT
from abac.storage.policies.settings import POSTURES

Opened = Callable[[], Store]


class Hosting(NamedTuple):
    """What a server is started with. `opened` opens its store anew, in the process that asks."""

    settings: ServeSettings
    opened: Opened
    clock: Clock

    def settle(self) -> list[str]:
        """Bring the policies served into force, and the first key; return what was done, in sentences.

        Without `policies` what stands in the store is served; where nothing ever did, the policies around the
        folder one is in, or, on SQLite, the shipped ones, are put in force. Raises `AbacError`.
        """
        if self.settings.notice.posture != POSTURES[0]:
            message = "notice.posture: the posture is the one taken in the store (`abac policy posture`)"
            raise ServeSettingsError(message)
        check_tls(self.settings)
        _check_folders(self.settings)
        if _names_policies(self.settings):
            program(self.settings)  # nothing is made for policies that do not compile
        with self.opened() as store:
            said = self._policies(store)
            if self.settings.first_key is not None:
                who = self.settings.who or user()
                said.append(
                    make_first(store.policies.api_keys, self.settings.first_key, who=who, now=self.clock())
                )
            return [sentence for sentence in said if sentence]

    def run(self, listening: Callable[[str], None]) -> int:
        """Serve until told to stop, saying where once it listens; return the exit code. Raises `AbacError`."""
        if self.settings.workers == 1:
            with _bound(self.settings) as held:
                return self.serve(listening, held)
        folder = Path(tempfile.mkdtemp(prefix="abac-workers-"))
        shared = self._replace(settings=_shared(self.settings, folder))
        try:
            with _bound(self.settings) as held:
                url = _url(self.settings, held)

                def work(times: int, ready: Ready) -> int:
                    return _refusing(lambda: shared.serve(lambda _: ready(), held, folder, times))

                def look_after(_: int, ready: Ready) -> int:
                    return _refusing(lambda: shared.watch(folder, ready))

                jobs: list[Job] = [work] * self.settings.workers
                if self.settings.watch:
                    jobs.append(look_after)
                return Workers(jobs, lambda: listening(url)).run()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # --- one process ---------------------------------------------------------------------------------------------

    def serve(
        self,
        listening: Callable[[str], None],
        held: socket.socket,
        folder: Path | None = None,
        restarts: int = 0,
    ) -> int:
        """Serve in this process; with a `folder`, as one of several workers."""
        store = self.opened()
        app = build(self.settings, self.clock, Parts(store=store))
        meter = app.evaluating.meter
        if self.settings.traces:
            app.closes.append(trace(app))
        if folder is not None:
            sharing = Sharing(folder, meter)
            app.begins.append(sharing.begin)
            app.ends.append(sharing.end)
            app.closes.append(sharing.write)
            app.degraded["policies"] = lambda: read_broken(folder)
            meter.counter("abac_worker_restarts", "Workers started again.", (), lambda: {(): min(restarts, 1)})
        elif self.settings.watch:
            following = Following(self.settings, store)
            app.degraded["policies"] = lambda: following.watch.broken
            app.begins.append(following.begin)
            app.closes.append(following.end)
        broken = app.degraded.get("policies", str)
        told = "Whether the policies watched are broken, so that an earlier state stays in force."
        meter.gauge("abac_policies_broken", told, lambda: bool(broken()), most=True)
        app.closes.append(store.close)
        running = server(app, self.settings, started=listening)
        running.run([held])
        return 0 if running.started else REFUSED

    def watch(self, folder: Path, ready: Ready) -> int:
        """Watch the policies served, in a process beside the workers."""
        with self.opened() as store:
            watch_beside(self.settings, store, folder, ready)
        return 0

    def _policies(self, store: Store) -> list[str]:
        """Bring the policies served into force; return what was done, in sentences."""
        if not _names_policies(self.settings) and (standing := store.policies.publication()) is not None:
            by = standing.author + (f" and {standing.approver}" if standing.approver else "")
            when = stamp(standing.effective_at)[:19].replace("T", " ")
            short = standing.revision[:SHORT]
            return [f"serves revision {short} of {store.database}, in force since {when} by {by}"]
        self._check_found(store)
        alone = not store.policies.settings.one_person()
        said: list[str] = []
        watch(self.settings, store, said).begin()
        if alone and store.policies.settings.one_person():
            said.append("one person publishes alone in this store; `abac policy settings` wants two again")
        return said

    def _check_found(self, store: Store) -> None:
        near = workspace(self.settings)
        if (
            not _names_policies(self.settings)
            and near.folder == shipped("policies")
            and not store.database.is_sqlite
        ):
            raise PolicyNoneError(
                f"nothing is in force in {store.database}, and there are no policies in the folder you are in",
                "abac publish DIR, or abac serve --policies DIR",
            )


def _refusing(serve: Callable[[], int]) -> int:
    """Return the exit code of a child; why it cannot begin is logged."""
    try:
        return serve()
    except AbacError as error:
        log().error("refused", told=str(error))
        return REFUSED


def _check_folders(settings: ServeSettings) -> None:
    """Raise `ServeSettingsError` for folders that are not there, or cannot be made."""
    if settings.scenarios is not None and not settings.scenarios.is_dir():
        raise ServeSettingsError(f"scenarios: {settings.scenarios} is no folder")
    try:
        if settings.jobs is not None:
            settings.jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServeSettingsError(f"jobs: {error}") from None


def _names_policies(settings: ServeSettings) -> bool:
    return bool(settings.policies or settings.schema_file or settings.model or settings.directives)


def _shared(settings: ServeSettings, folder: Path) -> ServeSettings:
    """Return settings under which workers read one another's page tokens, and know one another's simulations."""
    secret = settings.page_secret or secrets.token_hex(32)
    return settings.model_copy(update={"page_secret": secret, "jobs": settings.jobs or folder / "jobs"})


def _bound(settings: ServeSettings) -> socket.socket:
    """Return the socket that workers share. Raises `ServeSettingsError` where its address cannot be had."""
    made = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host.strip("[]"), settings.port))
        made.listen(2_048)
    except OSError as error:
        made.close()
        raise ServeSettingsError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    return made


def _url(settings: ServeSettings, held: socket.socket) -> str:
    host = f"[{settings.host.strip('[]')}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{held.getsockname()[1]}"
