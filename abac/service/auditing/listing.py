"""Find entries: by kind, answer, time, model, and by subject, through the handles that the key store keeps.

What a person may be told of themself (as Art. 15 GDPR has it) begins here: a subject's id stands in no entry in
the clear, so its entries are those whose sealed fields are under one of its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from abac.audit.entry import DECISION, Entry
from abac.service.auditing.walking import ALWAYS, Progress, Span, Walked, walk
from abac.service.store import Store

MODEL = "resource.id"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is None is not asked about. A model is looked for in the clear."""

    kind: str | None = None
    decision: str | None = None
    subject: str | None = None
    model: str | None = None
    span: Span = ALWAYS


def entries(
    store: Store, wanted: Wanted, *, opening: bool = False, progress: Progress | None = None
) -> Iterator[Walked]:
    """Yield the entries that are wanted, in the log's order; archived ones are in their archives."""
    handles: set[str] | None = None
    if wanted.subject is not None:
        handles = {handle.hex() for handle in store.keys.handles(subject=wanted.subject)}
        if not handles:
            return
    only = wanted.kind == DECISION or wanted.decision is not None or handles is not None
    for walked in walk(store, span=wanted.span, opening=opening, decisions=only, progress=progress):
        if _is(walked.entry, wanted, handles):
            yield walked


def _is(entry: Entry, wanted: Wanted, handles: set[str] | None) -> bool:
    return (
        (wanted.kind is None or entry.kind == wanted.kind)
        and (wanted.decision is None or entry.decision == wanted.decision)
        and (handles is None or entry.key in handles)
        and (wanted.model is None or model(entry) == wanted.model)
    )


def model(entry: Entry) -> str:
    """Return the model that an entry is about; empty where it names none in the clear."""
    told = entry.attributes.get(MODEL)
    return str(told[0]) if told else ""


def as_json(walked: Walked) -> dict[str, Any]:
    """Return an entry as JSON, as it is stored."""
    read: dict[str, Any] = msgspec.json.decode(walked.data)
    return read
