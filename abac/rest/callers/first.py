"""The first key of a database, declared in the settings of a server: an entry of the log as any other key is.

It is made of a digest, so that nobody but its holder ever has its text, and only where there is no key yet: one
that was revoked stays so. Whether a second person must approve it is the store's own rule.
"""

from __future__ import annotations

from datetime import datetime

from abac.rest.callers.keyform import written
from abac.rest.callers.keys import Caller, Role, generate_from
from abac.rest.settings import FirstKeySettings
from abac.storage.policies.api_keys import ApiKeys
from abac.storage.policies.errors import PolicyKeyError

WHY = "the first key, as the server's settings declare it"


def make_first(table: ApiKeys, first: FirstKeySettings, *, who: str, now: datetime) -> str:
    """Make the key where there is none, in the name of `who` starts the server; return a sentence about it."""
    if table.version():
        return ""
    roles = frozenset(Role(word) for word in first.roles)
    made = generate_from(first.digest, Caller(first.name, roles), now)
    try:
        kept = table.make(made.id, written(made), who=who, why=WHY)
    except PolicyKeyError:
        if table.version():  # another server was first
            return ""
        raise
    if kept.pending:
        step = f"somebody else approves it by `abac key approve {kept.id}`"
        return f"made the first key {kept.id} of {kept.holder}, which opens nothing yet: {step}"
    return f"made the first key {kept.id} of {kept.holder}, who has its text"
