"""Build the application from settings: policies, keys, entities, and how decisions are made.

Who plugs in another way to decide (one that resolves attributes first, or records) passes it; all else is the
same. Opening a socket is `serving`'s part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from fastapi import Request

from abac.compiler.program import Program
from abac.condition.schema import Assurance, Category
from abac.errors import CompileError, Findings
from abac.pdp.point import DecisionPoint
from abac.rest.administration import mount
from abac.rest.app import Application, application
from abac.rest.authzen import discovery
from abac.rest.authzen.answering import Answering
from abac.rest.authzen.entities import NOBODY, Entities, EntitiesInMemory, read_entities
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.naming import Types
from abac.rest.authzen.paging import Pages
from abac.rest.authzen.searching import Searching
from abac.rest.authzen.told import Notice, Teller
from abac.rest.callers.about import read_about
from abac.rest.callers.door import Door
from abac.rest.callers.keyfile import KeysInFile
from abac.rest.callers.keys import Keys
from abac.rest.callers.keytable import KeysInTable, KeysTogether
from abac.rest.callers.tokens import KeySet, Tokens, TokenSettings
from abac.rest.following import changes, sessions
from abac.rest.following.changing import Changing
from abac.rest.receiving import Limits
from abac.rest.running.keeping import Keeping, meter_audit
from abac.rest.running.metering import Meter
from abac.rest.settings import Level, ServeSettings
from abac.rest.sources import Counting, SourceEntities
from abac.service.ceiling import Ceiling
from abac.service.deciding import Deciding, InMemory
from abac.service.following import Follower
from abac.service.load import compile_policies
from abac.service.recording.in_step import InStep
from abac.service.selection import choose
from abac.service.shipped import shipped
from abac.service.sources.asking import Sources
from abac.service.sources.opening import open_sources
from abac.service.sources.resolving import Resolving
from abac.service.store import Store
from abac.service.workspace import Workspace, around

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Parts:
    """What others may put in the place of what the settings make. None leaves it to the settings."""

    deciding: Deciding | None = None
    keys: Keys | None = None
    entities: Entities | None = None
    store: Store | None = None


def build(settings: ServeSettings, clock: Clock, parts: Parts | None = None) -> Application:
    """Return the application. Raises `CompileError` or `JwksError` for what cannot be read."""
    parts = parts or Parts()
    step = in_step(settings, parts)
    deciding = parts.deciding or (step.deciding if step else InMemory(DecisionPoint(program(settings))))
    entities = parts.entities or _entities(settings)
    meter = Meter()
    sources: Sources | None = None
    if settings.sources is not None:
        counting = Counting(meter)
        sources = open_sources(
            settings.sources, deciding.program.schema, environment=os.environ, now=clock, failures=counting
        )
        deciding = Resolving(deciding, sources, counting.noted)
        if parts.entities is None and settings.entities is None and any(map(sources.listed, Category)):
            entities = SourceEntities(sources)
    table = None if parts.store is None else KeysInTable(parts.store.policies.api_keys)
    notice = Notice(**settings.notice.model_dump())
    evaluating = Evaluating(
        deciding,
        door(settings, clock, _keys(settings, parts.keys, table)),
        clock,
        types=_types(settings),
        limits=Limits(body=settings.body_limit, batch=settings.batch_limit),
        answering=Answering(settings.receipts if step is None else receipts(settings)),
        teller=Teller(notice, entities),
        meter=meter,
    )
    searching = Searching(evaluating, entities, Pages(settings.page_secret.encode()))
    app = application(
        evaluating,
        searching,
        base=base(settings),
        metrics_need_key=settings.metrics_need_key,
        sign=discovery.signing(settings.metadata_key, settings.metadata_key_id, clock),
        below=urlsplit(settings.public_url).path.rstrip("/"),
    )
    mount(
        app,
        parts.store,
        scenarios=settings.scenarios,
        jobs=settings.jobs,
        jobs_at_once=settings.jobs_at_once,
    )
    if step is not None and parts.store is not None:
        keep_in_step(app, step, parts.store)
        tell_changes(app, parts.store, step.follower)
    if table is not None:
        app.degraded["keys"] = lambda: table.wrong
        app.begins.append(table.begin)
        app.ends.append(table.end)
    if sources is not None:
        app.closes.append(sources.close)
    return app


def in_step(settings: ServeSettings, parts: Parts) -> InStep | None:
    """Return what decides by what stands in the store; None where there is no store, or another way to decide."""
    if parts.store is None or parts.deciding is not None:
        return None
    return InStep(parts.store, None if settings.unsafe_no_audit else settings.audit)


def keep_in_step(app: Application, step: InStep, store: Store) -> None:
    """Have an application follow its store, and say how its record does."""
    teller, keeping = app.evaluating.teller, Keeping(step)

    def take_posture() -> None:
        held = store.policies.settings.posture()
        teller.notice = replace(teller.notice, posture=held.name, posture_by=held.who, posture_why=held.why)

    take_posture()
    step.prepares.append(app.evaluating.prepare)
    step.follower.listen(lambda change: take_posture() if change.posture else None)
    meter_audit(app.evaluating.meter, step)
    app.ready["audit"] = keeping.unready
    app.degraded |= {"audit": keeping.degraded, "store": keeping.store}
    app.begins.append(keeping.begin)
    app.ends.append(keeping.end)
    app.closes.append(step.close)


def receipts(settings: ServeSettings) -> str:
    """Return where receipts are had: where the settings say, else at the endpoint of administration."""
    return settings.receipts or f"{settings.public_url.rstrip('/')}/access/v1/audit/receipts/{{id}}"


def tell_changes(app: Application, store: Store, follower: Follower, **more: float) -> Changing:
    """Add the change stream and sessions: what the store's follower hears of is told at every worker.

    To be called after whatever puts programs in force listens to the follower, and before the server starts. What
    is `more` is about streams: see `changes.mount`.
    """
    found = sessions.changing(app.evaluating, store, follower)
    changes.mount(app, found, **more)
    sessions.mount(app, found)
    found.metered(app.evaluating.meter)
    app.begins.append(found.begin)
    app.ends.append(found.end)
    return found


def program(settings: ServeSettings) -> Program:
    """Compile the policies: those named, else those around the folder one is in, else those shipped."""
    near = workspace(settings)
    compiled = compile_policies(
        settings.schema_file or near.schema, settings.model or near.model, settings.policies or [near.folder]
    )
    if settings.directives:
        findings = Findings()
        compiled = choose(compiled, settings.directives, findings)
        findings.raise_errors(CompileError)
    return compiled


def workspace(settings: ServeSettings) -> Workspace:
    """Return where schema and model are taken from."""
    if settings.policies:
        return around(settings.policies[0], settings.model)
    try:
        return around(Path(), settings.model)
    except CompileError:
        return around(shipped("policies"), settings.model)


def _keys(settings: ServeSettings, given: Keys | None, table: Keys | None) -> Keys | None:
    """Return the keys of the database, and those given or, without any, of the document."""
    document = KeysInFile(settings.keys) if given is None and settings.keys is not None else None
    places = [place for place in (table, given, document) if place is not None]
    return KeysTogether(places) if len(places) > 1 else next(iter(places), None)


def door(settings: ServeSettings, clock: Clock, keys: Keys | None = None) -> Door:
    """Return the door: keys from where they are, tokens by their settings, or neither where that is asked for."""
    if settings.unsafe_no_auth:
        return Door(None, clock, anybody=_ceiling(settings.unsafe_ceiling))
    tokens = None
    if (said := settings.tokens) is not None:
        ceiling = _ceiling(said.ceiling, complete=said.complete_sets)
        own = TokenSettings(
            said.issuer,
            said.audience,
            said.jwks,
            said.scope_prefix,
            ceiling,
            frozenset(said.discharges),
            frozenset(said.sees),
            None if said.about is None else read_about(said.about),
        )
        tokens = Tokens(own, KeySet(said.jwks), clock)
    return Door(keys or _NO_KEYS, clock, tokens)


def base(settings: ServeSettings) -> Callable[[Request], str]:
    """Return how the URL is found under which the service is known: configured, else as it was asked for."""
    if settings.public_url:
        fixed = settings.public_url.rstrip("/")
        return lambda _: fixed
    return lambda request: f"https://{request.url.netloc}{request.scope.get('root_path', '')}"


class _NoKeys:
    def find(self, identity: str) -> None:
        """Know nobody."""


_NO_KEYS = _NoKeys()


def _ceiling(level: Level, *, complete: bool = False) -> Ceiling:
    return Ceiling(next(a for a in Assurance if str(a) == level), complete)


def _types(settings: ServeSettings) -> Types:
    named = {Category.SUBJECT: settings.subject_type, Category.RESOURCE: settings.resource_type}
    return Types({category: name for category, name in named.items() if name is not None}, settings.types)


def _entities(settings: ServeSettings) -> Entities:
    """Return the entities of the document named; without one, the models of the only catalogue beside."""
    if settings.entities is not None:
        return read_entities(settings.entities)
    near = workspace(settings)
    catalogues = sorted(near.folder.glob("scenarios/*/catalogue.yaml"))
    return catalogue(catalogues[0]) if len(catalogues) == 1 else NOBODY


def catalogue(path: Path) -> EntitiesInMemory:
    """Return the models of a scenario's catalogue as resources of the type `model`."""
    document: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    models = {str(m["id"]): _plain(m.get("attributes") or {}) for m in document.get("models") or ()}
    return EntitiesInMemory({Category.RESOURCE: {"model": models}})


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """YAML's own times become text, as a request has them."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in attributes.items()}
