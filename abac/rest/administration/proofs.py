"""What the log proves, over HTTP: receipts, checkpoints, that it only grew, that an entry is in it.

Checkpoints and consistency proofs are hashes and signatures, nothing of anybody: whoever watches over the log
needs the role `read` only. A receipt holds its entry, so it takes the role `audit`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field

from abac.audit.encoding import to_base64
from abac.rest.administration.entries import Disclose, Name, fields_seen
from abac.rest.administration.guarding import Asking, Routes
from abac.rest.problems import Problem
from abac.service.auditing import proving, reading
from abac.service.store import Store

TAG = "Audit"
PLACE = 1 << 60

Size = Annotated[int, Query(ge=0, le=PLACE)]


class Receipt(BaseModel):
    """An entry, its inclusion proof and a checkpoint: to be checked offline (`docs/receipts.md`)."""

    format: str
    entry: str
    index: int
    proof: list[str]
    checkpoint: str
    openings: dict[str, dict[str, str]] = {}


class Checkpoint(BaseModel):
    """A signed head of the log's tree, as it was kept."""

    size: int
    note: Annotated[str, Field(description="A signed note (C2SP tlog-checkpoint).")]


class Checkpoints(BaseModel):
    """Kept checkpoints by size; `after` leads to the next page."""

    checkpoints: list[Checkpoint]
    after: int | None


class Head(BaseModel):
    """The tree at a size, with its root hash in base64."""

    size: int
    root: str


class Consistency(BaseModel):
    """That the tree of `new` begins with that of `old` (RFC 9162, 2.1.4); hashes in base64."""

    old: Head
    new: Head
    proof: list[str]


class Inclusion(BaseModel):
    """That a leaf is in the tree (RFC 9162, 2.1.3); hashes in base64."""

    place: int
    leaf: str
    tree: Head
    proof: list[str]


def add(on: Routes, store: Store) -> None:
    """Add the routes."""

    @on.audit.get(
        "/access/v1/audit/receipts/{entry}", tags=[TAG], summary="An entry's receipt", response_model=Receipt
    )
    def receipt(entry: Name, caller: Asking, disclose: Disclose = []) -> Response:  # noqa: B006  # FastAPI copies it
        with store.database.reading() as connection:
            sealed = reading.find(connection, entry).entry.sealed
        made = proving.prove(store, entry, disclose=fields_seen(caller, sealed, disclose))
        return Response(made.to_text(), media_type="application/json")

    @on.read.get(
        "/access/v1/audit/checkpoint",
        tags=[TAG],
        summary="The newest checkpoint, a signed note",
        response_class=PlainTextResponse,
    )
    def checkpoint() -> str:
        head = store.log.head()
        if head is None:
            raise Problem(404, "auditing-no-entry", "the log has no entry yet")
        return head.checkpoint

    @on.read.get("/access/v1/audit/checkpoints", tags=[TAG], summary="The checkpoints that were kept")
    def checkpoints(
        after: Annotated[int, Query(ge=0, le=PLACE)] = 0, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
    ) -> Checkpoints:
        found = store.log.checkpoints(after, limit + 1)
        shown = [Checkpoint(size=size, note=note) for size, note in found[:limit]]
        return Checkpoints(checkpoints=shown, after=shown[-1].size if len(found) > limit else None)

    @on.read.get("/access/v1/audit/consistency", tags=[TAG], summary="That the log only grew between two sizes")
    def consistency(old: Size, new: Annotated[int | None, Query(ge=0, le=PLACE)] = None) -> Consistency:
        before, after, proof = proving.grown(store, old, new)
        return Consistency(old=_head(before), new=_head(after), proof=[to_base64(one) for one in proof])

    @on.read.get("/access/v1/audit/inclusion", tags=[TAG], summary="That the leaf at a place is in the tree")
    def inclusion(place: Size, size: Annotated[int | None, Query(ge=1, le=PLACE)] = None) -> Inclusion:
        leaf, tree, proof = proving.included(store, place, size)
        hashes = [to_base64(one) for one in proof]
        return Inclusion(place=place, leaf=to_base64(leaf), tree=_head(tree), proof=hashes)


def _head(tree: tuple[int, bytes]) -> Head:
    return Head(size=tree[0], root=to_base64(tree[1]))
