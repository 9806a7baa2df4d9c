"""Let go of what sealed fields held: destroy subjects' keys, and the openings under them, after an entry says so.

The entry and the deletion of openings are one transaction; keys, in a database of their own, are destroyed once it
is durable. A crash between the two is resumed from the entry. Commitments stay, so the log still verifies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import micros, stamp
from abac.audit.entry import read_entry
from abac.service.auditing.acts import REDACTION, Acts
from abac.service.auditing.errors import NamesError, RetainedError
from abac.service.auditing.retention import append, began, held, month, period, two_names
from abac.service.store import Store
from abac.storage import inspecting
from abac.storage.appending import Appending
from abac.storage.policies.names import told_name, told_why
from abac.storage.tables import OPENINGS

AT_A_TIME = 1_000
"""Keys that one entry names."""

PAGE = 1_000

_STANDS_IN = re.compile(r"journal:[0-9a-f]{32}")
"""Whose keys the recorder keeps for journals that are not merged yet; it destroys them itself."""


class Override(NamedTuple):
    """Why a subject's fields are let go of inside the retention period: a second name, and the legal basis."""

    approver: str
    basis: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a redaction would destroy: `keys` maps handles to months, `places` are of the openings under them.

    `held` are keys that a hold keeps, `retained` those whose month is inside the retention period.
    """

    by: str
    keys: dict[bytes, str]
    places: tuple[tuple[int, bytes], ...]
    fields: tuple[str, ...]
    held: dict[bytes, str]
    retained: tuple[bytes, ...]
    before: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; no subject's id is in it."""
        return {
            "by": self.by,
            "keys": len(self.keys),
            "months": sorted(set(self.keys.values())),
            "entries": len(self.places),
            "range": _range(self.places),
            "fields": list(self.fields),
            "held": sorted(set(self.held.values())),
            "keys_held": len(self.held),
            "keys_inside_retention": len(self.retained),
            "retention_began": self.before,
        }


def plan(store: Store, *, subject: str | None = None, before: datetime | None = None) -> Plan:
    """Return what a redaction of a subject, or of the months wholly before a date, would destroy."""
    if (subject is None) == (before is None):
        raise NamesError("say whose fields, with --subject, or how old, with --before; not both")
    until = None if before is None else stamp(before)[:7]
    kept = store.keys.kept(store.keys.handles(subject=subject, before=until))
    keys = {h: k.period for h, k in kept.items() if subject is not None or _STANDS_IN.fullmatch(k.subject) is None}
    with store.database.reading() as connection:
        head = inspecting.head(connection)
        size = 0 if head is None else head.size
        places = tuple(inspecting.places_of(connection, set(keys)))
        fields = _fields(connection, [seq for seq, _ in places])
        kept_from = began(period(connection), store.log.clock())
        about = held(store, connection, keys)
    retained = tuple(h for h, name in keys.items() if month(name)[1] > micros(kept_from))
    by = "subject" if subject is not None else "age"
    return Plan(by, keys, places, fields, about, retained, stamp(kept_from), size)


def redact(
    store: Store, planned: Plan, *, who: str, why: str, override: Override | None = None, except_held: bool = False
) -> int:
    """Carry out a plan; return how many keys were destroyed.

    Raises `RetainedError` under a hold (unless what is held is left out) and inside the retention period (unless
    there is an override, for a subject only).
    """
    author, reason, approver = told_name(who), told_why(why), ""
    if override is not None:
        author, approver, reason = two_names(who, override.approver, why)
        if planned.by != "subject" or not override.basis.strip():
            raise NamesError("only a subject's fields are let go of early, and on a legal basis that is named")
    if planned.retained and override is None:
        message = f"{len(planned.retained)} of {len(planned.keys)} keys are of months inside the retention period"
        raise RetainedError(f"{message}, which began {planned.before}; a subject's erasure can override it")
    basis = "" if override is None else told_why(override.basis, "--basis")
    with store.log.appending() as appending:
        kept = held(store, appending.connection, planned.keys)
        if kept and not except_held:
            raise RetainedError(f"under legal hold: {', '.join(sorted(set(kept.values())))}")
        chosen = sorted(planned.keys.keys() - kept.keys())
        _append(appending, planned, chosen, (author, reason, approver, basis))
    return store.keys.destroy(chosen)


def _append(appending: Appending, planned: Plan, chosen: Sequence[bytes], said: tuple[str, str, str, str]) -> None:
    """Append the entries that name keys, range and fields, and delete the openings, in one transaction."""
    author, reason, approver, basis = said
    later = list(inspecting.places_of(appending.connection, set(chosen), planned.size))
    by_handle: dict[bytes, list[tuple[int, bytes]]] = {handle: [] for handle in chosen}
    for seq, handle in (*planned.places, *later):
        if handle in by_handle:
            by_handle[handle].append((seq, handle))
    fields = sorted({*planned.fields, *_fields(appending.connection, [seq for seq, _ in later])})
    for start in range(0, len(chosen), AT_A_TIME):
        handles = chosen[start : start + AT_A_TIME]
        places = sorted(place for handle in handles for place in by_handle[handle])
        what: dict[str, Any] = {
            "by": planned.by,
            "handles": [handle.hex() for handle in handles],
            "range": _range(places),
            "entries": len(places),
            "fields": fields,
            "retention_began": planned.before,
        }
        append(appending, REDACTION, what | ({"basis": basis} if basis else {}), author, reason, approver)
        _delete(appending.connection, [seq for seq, _ in places])


def resume(store: Store) -> tuple[int, int]:
    """Finish every redaction that a crash cut short; return how many keys and openings were still there."""
    with store.database.reading() as connection:
        acts = Acts.of(read_entry(raw) for _, raw in inspecting.acts(connection))
        handles = set(acts.redactions)
        left = [
            seq
            for seq, handle in inspecting.places_of(connection, handles)
            if any(r.first <= seq <= r.last for r in acts.redactions[handle])
        ]
    if left:
        with store.database.writing() as writing:
            _delete(writing, left)
    return store.keys.destroy(store.keys.kept(handles)), len(left)


def _delete(connection: sa.Connection, places: Sequence[int]) -> None:
    gone = sa.delete(OPENINGS).where(OPENINGS.c.seq == sa.bindparam("place"))
    for start in range(0, len(places), PAGE):
        connection.execute(gone, [{"place": seq} for seq in places[start : start + PAGE]])


def _fields(connection: sa.Connection, places: Iterable[int]) -> tuple[str, ...]:
    """Return the names of all fields that the entries seal."""
    found: set[str] = set()
    turn = iter(places)
    while page := list(islice(turn, 500)):
        for raw in inspecting.bytes_of(connection, page):
            found.update(read_entry(raw).sealed)
    return tuple(sorted(found))


def _range(places: Sequence[tuple[int, bytes]]) -> list[int]:
    return [places[0][0], places[-1][0]] if places else [0, -1]


def redactions(store: Store) -> list[dict[str, Any]]:
    """Return the redactions that the log records, oldest first."""
    with store.database.reading() as connection:
        entries = [read_entry(raw) for _, raw in inspecting.acts(connection)]
    return [
        {"seq": e.seq, "at": e.integrated_at, "who": e.who, "approver": e.approver, "why": e.why, **e.what}
        for e in entries
        if e.kind == REDACTION
    ]
