"""Read a decision log as a population: its decisions, opened where their keys still exist, for `abac simulate`.

What a population makes of them is `simulation.population.logged`'s part. A subject whose key was destroyed still
made its requests: it counts under a name made from the key's handle, its sealed attributes unknown.
"""

from __future__ import annotations

from datetime import datetime

from abac.audit.asserted import asserted
from abac.audit.clock import moment
from abac.condition.schema import Category, Schema
from abac.errors import NOWHERE, Diagnostic, PopulationError, RequestError
from abac.policy.request import assertions
from abac.service.auditing.walking import Progress, Span, Walked, walk
from abac.service.store import Store
from abac.simulation.catalogue import Catalogue
from abac.simulation.population import ID, Population
from abac.simulation.population.logged import Logged, read_log

MODEL, ACTION = "resource.id", "action.name"


def log_population(
    store: Store,
    schema: Schema,
    catalogue: Catalogue,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    cut: datetime | None = None,
    progress: Progress | None = None,
) -> Population:
    """Return the population that made the requests decided from `since` until before `until`.

    Raises `PopulationError` where the log holds no use of the catalogue, or is of another schema; and
    `StorageError`, `EntryError` where it cannot be read.
    """
    walked = walk(store, span=Span(since, until), opening=True, progress=progress)
    requests = (_logged(one, schema) for one in walked)
    return read_log(requests, schema, catalogue, source=f"decision log {store.database}", cut=cut)


def _logged(walked: Walked, schema: Schema) -> Logged:
    entry = walked.entry
    try:
        held = assertions(asserted(entry, walked.opened), schema)
    except RequestError as error:
        message = f"entry {entry.seq} of the log is of another schema: {error}"
        raise PopulationError([Diagnostic(NOWHERE, "other-schema", message)]) from None
    model, action, subject = (str(held[path].value) if path in held else "" for path in (MODEL, ACTION, ID))
    return Logged(
        entry.seq,
        moment(entry.decided_at),
        subject or (f"redacted-{entry.key}" if entry.key else "nobody"),
        {path: a for path, a in held.items() if schema[path].category is Category.SUBJECT and path != ID},
        model,
        action,
        entry.session,
    )
