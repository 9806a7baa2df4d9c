"""How long entries are kept, and what stands in the way of letting go: the retention period, and legal holds.

The default is five years, as 15 CFR 762.6 asks of export records. The period, each hold and each lifting is an
entry of the log; the tables follow from them. Redacting and pruning are `redacting`'s and `pruning`'s part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from abac.audit.clock import micros, stamp
from abac.audit.entry import act
from abac.service.auditing.acts import HOLD, HOLD_LIFTED
from abac.service.auditing.acts import RETENTION as RETENTION_SET
from abac.service.auditing.errors import NamesError
from abac.service.store import Store
from abac.storage import holds as rows
from abac.storage.appending import Appending
from abac.storage.group import identity
from abac.storage.holds import RETENTION, Hold
from abac.storage.inspecting import setting
from abac.storage.policies.names import same_person, told_name, told_why

DEFAULT = "5y"
"""How long entries are kept where nobody said otherwise (15 CFR 762.6)."""

_PERIOD = re.compile(r"([0-9]{1,5})([dmy])")
MONTHS = 12


def began(period: str, now: datetime) -> datetime:
    """Return the time before which nothing must be kept any more. Raises `NamesError` for what is no period.

    >>> began("5y", datetime(2026, 2, 28, tzinfo=UTC)).date().isoformat()
    '2021-02-28'
    """
    read = _PERIOD.fullmatch(period)
    if read is None:
        raise NamesError(f"`{period[:40]}` is no period: write 1826d, 60m or 5y")
    number, unit = int(read[1]), read[2]
    try:
        if unit == "d":
            return now - timedelta(days=number)
        return _earlier(now, number * (MONTHS if unit == "y" else 1))
    except (OverflowError, ValueError):
        raise NamesError(f"`{period}` goes back before the year 1") from None


def period(connection: sa.Connection) -> str:
    """Return how long entries are kept, as a transaction sees it."""
    found = setting(connection, RETENTION)
    return DEFAULT if found is None else found[0]


def set_retention(store: Store, wanted: str, *, who: str, approver: str, why: str) -> str:
    """Set how long entries are kept, by two names; return how long it was before."""
    began(wanted, store.log.clock())
    one, other, reason = two_names(who, approver, why)
    with store.log.appending() as appending:
        before = period(appending.connection)
        (seq,) = append(appending, RETENTION_SET, {"period": wanted, "before": before}, one, reason, other)
        rows.set_retention(appending.connection, wanted, seq)
    return before


# --- holds ---------------------------------------------------------------------------------------------------


def hold(
    store: Store,
    name: str,
    *,
    who: str,
    why: str,
    subject: str | None = None,
    start: datetime | None = None,
    stop: datetime | None = None,
) -> Hold:
    """Place a legal hold on everybody's entries or one subject's, of all times or of some.

    The entry names the subject by the handle of one of its keys, and never by its id.
    """
    called, author, reason = told_name(name, "NAME"), told_name(who), told_why(why)
    if start is not None and stop is not None and not start < stop:
        raise NamesError("--from is not before --to")
    handle = None if subject is None else _handle(store, subject)
    what: dict[str, Any] = {"name": called}
    what |= {k: v for k, v in (("key", handle), ("from", _text(start)), ("to", _text(stop))) if v is not None}
    with store.log.appending() as appending:
        if any(h.name == called for h in rows.holds(appending.connection)):
            raise NamesError(f"a hold named `{called}` is in force already")
        (seq,) = append(appending, HOLD, what, author, reason)
        made = Hold(seq, called, handle, _micros(start), _micros(stop), None)
        rows.place(appending.connection, made)
    return made


def lift(store: Store, name: str, *, who: str, approver: str, why: str) -> Hold:
    """Lift a hold, by two names."""
    one, other, reason = two_names(who, approver, why)
    with store.log.appending() as appending:
        found = next((h for h in rows.holds(appending.connection) if h.name == name), None)
        if found is None:
            raise NamesError(f"no hold named `{name}` is in force (`abac audit hold list`)")
        (seq,) = append(appending, HOLD_LIFTED, {"name": found.name, "hold": found.seq}, one, reason, other)
        rows.lift(appending.connection, found.seq, seq)
    return found._replace(lifted=seq)


def held(store: Store, connection: sa.Connection, keys: Mapping[bytes, str]) -> dict[bytes, str]:
    """Return which keys (by handle, with their month) a hold is about, and the name of one.

    A hold whose subject cannot be found any more is about everybody.
    """
    found: dict[bytes, str] = {}
    for one in rows.holds(connection):
        about = keys.keys() if one.subject is None else _subjects(store, one.subject, keys)
        for handle in about:
            if one.overlaps(*month(keys[handle])):
                found.setdefault(handle, one.name)
    return found


def month(name: str) -> tuple[int, int]:
    """Return the time of a month, `2026-06`, in microseconds, half open."""
    first = datetime(int(name[:4]), int(name[5:7]), 1, tzinfo=UTC)
    return micros(first), micros(_earlier(first, -1))


# --- entries -------------------------------------------------------------------------------------------------


def append(appending: Appending, kind: str, what: dict[str, Any], who: str, why: str, approver: str = "") -> range:
    """Append one act, now, inside the transaction that also does it."""
    at = appending.at
    return appending.append([act(identity(at), kind, stamp(at), what, who=who, why=why, approver=approver)])


def two_names(who: str, approver: str, why: str) -> tuple[str, str, str]:
    """Return two names of two persons, and the reason, as they are recorded. Raises `NamesError`."""
    one, other, reason = told_name(who), told_name(approver, "--approver"), told_why(why)
    if same_person(one, other):
        raise NamesError(f"`{one}` and `{other}` are one person; two are wanted")
    return one, other, reason


def _subjects(store: Store, handle: str, keys: Iterable[bytes]) -> Iterable[bytes]:
    owner = store.keys.kept([bytes.fromhex(handle)]).get(bytes.fromhex(handle))
    if owner is None:
        return list(keys)
    return set(store.keys.handles(subject=owner.subject)).intersection(keys)


def _handle(store: Store, subject: str) -> str:
    known = sorted(store.keys.handles(subject=subject))
    if known:
        return known[0].hex()
    now = subject, stamp(store.log.clock())[:7]
    return store.keys.of([now])[now].handle.hex()


def _earlier(at: datetime, months: int) -> datetime:
    year, zero = divmod(at.year * MONTHS + at.month - 1 - months, MONTHS)
    for day in range(at.day, 0, -1):
        try:
            return at.replace(year=year, month=zero + 1, day=day)
        except ValueError:
            if day <= 28:  # noqa: PLR2004  # every month has that many
                raise
    raise ValueError(at)


def _text(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)
