"""The log's entries over HTTP: one by its id or place, or those that are wanted, a page at a time.

What is sealed stays a commitment, unless the key may see it: an opening is asked for field by field, and the key
names the fields that it may see. Receipts and proofs are `proofs`' part.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Path, Query
from pydantic import BaseModel, Field

from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Moment
from abac.rest.callers.keys import Caller
from abac.rest.problems import forbidden
from abac.service.auditing import reading
from abac.service.auditing.listing import Wanted, as_json, page
from abac.service.auditing.walking import Span
from abac.service.store import Store

TAG = "Audit"

Name = Annotated[str, Path(pattern=r"^([0-9]{1,18}|[0-9a-fA-F-]{32,36})$", description="An id, or a place.")]

Disclose = Annotated[
    list[str],
    Query(
        max_length=100, description="Sealed fields to open, `all` for all; the key must be one that may see them."
    ),
]

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class Entry(BaseModel):
    """An entry as it is stored; `disclosed` are the values of sealed fields that were asked for."""

    entry: dict[str, Any]
    disclosed: dict[str, Any] = {}


class Entries(BaseModel):
    """Entries in the log's order. `after` leads to the next page; `more` says that there is one already.

    A page may be short, or empty, and still have a next one: a request looks at so many entries at most.
    """

    entries: list[Entry]
    after: int
    more: bool


def add(on: Routes, store: Store) -> None:
    """Add the routes."""

    @on.audit.get("/access/v1/audit/entries", tags=[TAG], summary="Entries of the log, a page at a time")
    def entries(
        caller: Asking,
        kind: Annotated[Text | None, Query(description="decision, publication, draft and so on.")] = None,
        decision: Literal["PERMIT", "DENY", "NOT_APPLICABLE", "INDETERMINATE"] | None = None,
        model: Annotated[Text | None, Query(description="Decisions about this model.")] = None,
        subject: Annotated[
            Text | None, Query(description="Decisions about this subject; for keys that may see `subject.id`.")
        ] = None,
        since: Annotated[Moment | None, Query()] = None,
        until: Annotated[Moment | None, Query()] = None,
        after: Annotated[int, Query(ge=-1, le=1 << 60, description="The last page's `after`.")] = -1,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        disclose: Disclose = [],  # noqa: B006  # FastAPI copies it
    ) -> Entries:
        if subject is not None:
            _may_see(caller, ["subject.id"])
        wanted = Wanted(kind, decision, subject, model, Span(since, until))
        found = page(store, wanted, start=after + 1, limit=limit, opening=bool(disclose))
        shown = [
            Entry(entry=as_json(one), disclosed=_disclosed(caller, one.opened, one.entry.sealed, disclose))
            for one in found.entries
        ]
        return Entries(entries=shown, after=found.after, more=found.more)

    @on.audit.get("/access/v1/audit/entries/{entry}", tags=[TAG], summary="An entry, by id or place")
    def entry_shown(entry: Name, caller: Asking, disclose: Disclose = []) -> Entry:  # noqa: B006  # as above
        with store.database.reading() as connection:
            read = reading.find(connection, entry)
        opened = reading.unsealed(read, store.keys) if disclose else None
        values = _disclosed(caller, opened, read.entry.sealed, disclose)
        return Entry(entry=msgspec.json.decode(read.data), disclosed=values)


def fields_seen(caller: Caller, sealed: Any, wanted: list[str]) -> list[str]:
    """Return the sealed fields, of those wanted, that an entry has. Raises a 403 for one the key may not see."""
    _may_see(caller, wanted)
    return list(sealed) if "all" in wanted else [name for name in wanted if name in sealed]


def _may_see(caller: Caller, wanted: list[str]) -> None:
    hidden = [name for name in wanted if not caller.may_see("*" if name == "all" else name)]
    if hidden:
        raise forbidden(f"this key may not see {', '.join(f'`{name[:80]}`' for name in hidden[:5])}")


def _disclosed(caller: Caller, opened: Any, sealed: Any, wanted: list[str]) -> dict[str, Any]:
    """Return the values of the fields wanted; those whose opening was destroyed are not among them."""
    names = fields_seen(caller, sealed, wanted)
    return {} if opened is None else dict(reading.values({name: opened[name] for name in names}))
