"""Acts on the policies and on who may act on them, as entries of the log, and the rows that follow from each.

The tables say nothing that the entries do not: a writer appends the entry and writes the rows that `changes`
derives from it, and `derive` derives them again. Only the text of a program and the counts of a running shadow
stand in the tables alone; the entry names the text's SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.clock import micros, moment, stamp
from abac.audit.entry import Draft, Entry, act, placed, read_entry
from abac.audit.errors import EntryError
from abac.policy.directive import Directive
from abac.storage.appending import Appending
from abac.storage.group import identity
from abac.storage.listening import announce
from abac.storage.tables import API_KEYS, DIRECTIVE_EVENTS, PUBLICATIONS, REVISIONS, SETTINGS, SHADOWS

DRAFT, PUBLICATION, ROLLBACK = "draft", "publication", "rollback"
SETTING, POSTURE = "setting", "posture"
ROLLBACK_PROPOSED, SETTING_PROPOSED = "rollback-proposed", "setting-proposed"  # no row follows from them
SHADOW_STARTED, SHADOW_ENDED = "shadow-started", "shadow-ended"
KEY_MADE, KEY_APPROVED, KEY_CHANGED = "api-key-made", "api-key-approved", "api-key-changed"
KEY_ROTATED, KEY_REVOKED = "api-key-rotated", "api-key-revoked"
KEY_KINDS = (KEY_MADE, KEY_APPROVED, KEY_CHANGED, KEY_ROTATED, KEY_REVOKED)

KINDS = (DRAFT, PUBLICATION, ROLLBACK, SETTING, POSTURE, SHADOW_STARTED, SHADOW_ENDED, *KEY_KINDS)
"""The kinds of entries that rows of the policy tables follow from."""


class Change(NamedTuple):
    """A row of a table: its key, and the values it has from then on."""

    table: sa.Table
    key: Mapping[str, Any]
    values: Mapping[str, Any]


def carry_out(
    appending: Appending,
    kind: str,
    what: dict[str, Any],
    *,
    who: str,
    why: str,
    approver: str = "",
    revision: str = "",
    beside: Mapping[str, Any] | None = None,
) -> Entry:
    """Append the act's entry and write the rows that follow from it, in the transaction of the log's lock.

    `beside` are values of the row that the entry does not hold: a program's text.
    """
    at = appending.at
    draft = act(identity(at), kind, stamp(at), what, who=who, why=why, approver=approver, revision=revision)
    entry = _append(appending, draft)
    for change in changes(entry):
        write(appending.connection, change, beside)
    announce(appending.connection)
    return entry


def _append(appending: Appending, draft: Draft) -> Entry:
    (place,) = appending.append([draft])
    return read_entry(placed(draft.body, place, stamp(appending.at)))


def write(connection: sa.Connection, change: Change, beside: Mapping[str, Any] | None = None) -> None:
    """Write a change: the row is made where there is none."""
    table, key = change.table, change.key
    where = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if not connection.execute(sa.update(table).where(where).values(dict(change.values))).rowcount:
        row = {**key, **_FIRST.get(table, {}), **change.values, **(beside or {})}
        connection.execute(sa.insert(table).values(row))


_FIRST: dict[sa.Table, Mapping[str, Any]] = {SHADOWS: {"decided": 0, "differing": 0}}
"""What a new row starts with that no entry says."""


def told_events(directives: Iterable[Directive]) -> dict[str, list[list[str]]]:
    """Return the events of directives as an entry tells them: event, when it happened, when it was recorded."""
    return {
        d.id: [[e.event.value, stamp(e.at), stamp(e.recorded)] for e in d.events]
        for d in sorted(directives, key=lambda d: d.id)
    }


def changes(entry: Entry) -> Iterator[Change]:
    """Yield the changes of rows that follow from an entry; none from kinds that are not ours.

    Raises `EntryError` where an entry of ours lacks what its rows need.
    """
    derive = _DERIVED.get(entry.kind)
    if derive is None:
        return
    try:
        yield from derive(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EntryError(f"entry {entry.seq}: not what a {entry.kind} says: {error!r}") from None


def _draft(entry: Entry) -> Iterator[Change]:
    yield Change(
        REVISIONS,
        {"revision": entry.revision},
        {
            "seq": entry.seq,
            "recorded_at": _micros(entry.integrated_at),
            "author": entry.who,
            "why": entry.why,
            "source_commit": entry.what["commit"],
            "base": entry.what["base"],
        },
    )


def _publication(entry: Entry) -> Iterator[Change]:
    what, recorded_at = entry.what, _micros(entry.integrated_at)
    yield Change(
        PUBLICATIONS,
        {"seq": entry.seq},
        {
            "kind": entry.kind,
            "revision": entry.revision,
            "effective_at": _micros(what["effective"]),
            "recorded_at": recorded_at,
            "previous": what["previous"],
            "author": entry.who,
            "approver": entry.approver,
            "why": entry.why,
            "source_commit": what["commit"],
        },
    )
    events = [(directive, event) for directive, said in what["directives"].items() for event in said]
    for number, (directive, event) in enumerate(events):
        yield Change(DIRECTIVE_EVENTS, {"seq": entry.seq, "number": number}, _event(directive, event, recorded_at))


def _event(directive: str, event: Sequence[str], recorded_at: int) -> dict[str, Any]:
    name, at, recorded = event
    return {
        "directive": directive,
        "event": name,
        "at": _micros(at),
        "recorded": _micros(recorded),
        "recorded_at": max(_micros(recorded), recorded_at),
    }


def _setting(entry: Entry) -> Iterator[Change]:
    yield Change(SETTINGS, {"name": entry.what["name"]}, {"value": entry.what["value"], "seq": entry.seq})


def _shadow_started(entry: Entry) -> Iterator[Change]:
    yield Change(SHADOWS, {"seq": entry.seq}, {"revision": entry.revision, "ended": None})


def _shadow_ended(entry: Entry) -> Iterator[Change]:
    what = entry.what
    counts = {"decided": what["decided"], "differing": what["differing"]}
    yield Change(SHADOWS, {"seq": what["shadow"]}, {"revision": entry.revision, "ended": entry.seq} | counts)


def _api_key(entry: Entry) -> Iterator[Change]:
    """Every act on a key states the whole of it as it is from then on."""
    what = entry.what
    values = {
        "seq": entry.seq,
        "holder": what["terms"]["name"],
        "pending": what["pending"],
        "terms": json.dumps(what["terms"], sort_keys=True, separators=(",", ":")),
    }
    yield Change(API_KEYS, {"id": what["id"]}, values)


_DERIVED = {
    **dict.fromkeys(KEY_KINDS, _api_key),
    DRAFT: _draft,
    PUBLICATION: _publication,
    ROLLBACK: _publication,
    SETTING: _setting,
    POSTURE: _setting,
    SHADOW_STARTED: _shadow_started,
    SHADOW_ENDED: _shadow_ended,
}


def _micros(text: str) -> int:
    return micros(moment(text))
