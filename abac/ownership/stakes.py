"""Read stakes from a CSV (`owner,owned,share`, perhaps `since,until,kind`) or from FollowTheMoney lines.

FollowTheMoney's schema `Ownership` gives `owner`, `asset`, `percentage`, `ownershipType`, `startDate`, `endDate`;
entities that are parties give names and tell persons from what can be owned. What a record means is `told`'s part.
"""

from __future__ import annotations

from datetime import date
from itertools import chain
from pathlib import Path

from abac.errors import AbacError, Span
from abac.ownership.told import Told
from abac.parties.followthemoney import entities, party_of
from abac.parties.reading import is_lines
from abac.parties.table import Table, stream

COLUMNS = {
    "owner": ("owner", "owner id", "shareholder", "parent"),
    "owned": ("owned", "asset", "company", "owned id", "subsidiary", "entity"),
    "share": ("share", "percentage", "percent", "stake", "ownership"),
    "since": ("since", "from", "start date", "startdate", "start"),
    "until": ("until", "to", "end date", "enddate", "end"),
    "kind": ("kind", "type", "ownership type", "ownershiptype"),
}


class StakesError(AbacError):
    """A file of stakes that cannot be read at all."""

    code = "stakes"


def read_stakes(path: Path, day: date | None = None) -> Told:
    """Return what a file tells of stakes held on a day; None takes every stake ever told.

    Raises `StakesError` where the file cannot be read, or has no columns for owners and owned.
    """
    told = Told(str(path), day)
    try:
        if is_lines(path):
            _entities(path, told)
        else:
            _table(path, told)
    except OSError as error:
        raise StakesError(f"{path}: cannot be read: {error.strerror or error}") from None
    return told


def _entities(path: Path, told: Told) -> None:
    digest: list[str] = []
    for entity in entities(path, told.faults, digest):
        if entity.schema == "Ownership":
            held = entity.properties
            kinds = " ".join(held.get("ownershipType", []))
            shares = " | ".join(dict.fromkeys(held.get("percentage", [])))  # several are no share, and so a fault
            for owner in held.get("owner") or [""]:
                for asset in held.get("asset") or [""]:
                    told.stake(
                        owner,
                        asset,
                        shares,
                        entity.place.line,
                        since=entity.first("startDate"),
                        until=entity.first("endDate"),
                        kind=kinds,
                    )
        elif (party := party_of(entity)) is not None:
            told.parties.setdefault(party.id, party)
        else:
            told.other[entity.schema] = told.other.get(entity.schema, 0) + 1
    told.digest = digest[0]


def _table(path: Path, told: Told) -> None:
    table = Table()
    rows = stream(path, table)
    first = next(rows, None)
    owner, owned, share, since, until, kind = (table.column(*words) for words in COLUMNS.values())
    if owner is None or owned is None or share is None:
        places = dict(zip(COLUMNS, (owner, owned, share), strict=False))
        missing = ", ".join(what for what, at in places.items() if at is None)
        faults = "".join(f"\n{fault}" for fault in table.faults)
        heads = ", ".join(table.header)[:200]
        raise StakesError(f"{Span(str(path))}: no column for {missing} among: {heads}{faults}")
    for line, row in chain(() if first is None else (first,), rows):
        told.stake(
            row[owner].strip(),
            row[owned].strip(),
            row[share],
            line,
            since="" if since is None else row[since].strip(),
            until="" if until is None else row[until].strip(),
            kind="" if kind is None else row[kind],
        )
    told.faults += table.faults
    told.digest = table.digest
