"""The acts of administration that an auditor does or relies on, as entries say them, and what follows from them.

Each is written by the transaction that does it. Here they are read back: which keys were destroyed, which ranges
were archived, which holds are in force, how long entries are kept, which keys the log has had.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from abac.audit.clock import micros, moment
from abac.audit.entry import Entry

REDACTION, PRUNE, RETENTION = "redaction", "prune", "retention"
HOLD, HOLD_LIFTED, CHECKPOINT_KEPT = "hold", "hold-lifted", "checkpoint-kept"

KINDS = (REDACTION, PRUNE, RETENTION, HOLD, HOLD_LIFTED, CHECKPOINT_KEPT)


class Redaction(NamedTuple):
    """Keys that were destroyed: by which entry, over which places (both included), of which fields."""

    seq: int
    first: int
    last: int
    fields: frozenset[str]


class Prune(NamedTuple):
    """Decisions that were archived: by which entry, in which places (`stop` excluded), how many, in which file."""

    seq: int
    first: int
    stop: int
    entries: int
    sha256: str
    archive: str


@dataclass(slots=True)
class Acts:
    """What the acts of a log come to. `faults` are acts that lack what they must say: place and message."""

    redactions: dict[bytes, list[Redaction]] = field(default_factory=dict)
    prunes: list[Prune] = field(default_factory=list)
    holds: dict[int, dict[str, Any]] = field(default_factory=dict)
    retention: tuple[str, int] | None = None
    keys: list[tuple[int, str]] = field(default_factory=list)
    kept: list[tuple[int, int, datetime]] = field(default_factory=list)
    """Checkpoints kept elsewhere: the entry, the tree's size, and when."""
    journals: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """Of every journal that was merged, how many of its entries, and its chain's hash after the last of them."""
    faults: list[tuple[int, str]] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Take an act into account; other kinds are passed over."""
        read = _READERS.get(entry.kind)
        if read is None:
            return
        try:
            read(self, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.faults.append((entry.seq, f"not what a {entry.kind} says: {error!r}"))

    def redacted(self, handle: bytes, seq: int, fields: Iterable[str]) -> bool:
        """Whether a redaction names the key, the place and all these fields."""
        named = self.redactions.get(handle, ())
        return any(r.first <= seq <= r.last and r.fields.issuperset(fields) for r in named)

    def destroyed(self, handle: bytes, seq: int) -> bool:
        """Whether a redaction before that place names the key."""
        return any(r.seq < seq for r in self.redactions.get(handle, ()))

    def pruned(self, seq: int) -> Prune | None:
        """Return the prune whose range the place lies in."""
        return next((p for p in self.prunes if p.first <= seq < p.stop), None)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Acts:
        """Return what entries, in their order, come to."""
        made = cls()
        for entry in entries:
            made.take(entry)
        return made


def _redaction(acts: Acts, entry: Entry) -> None:
    what = entry.what
    first, last = what["range"]
    made = Redaction(entry.seq, int(first), int(last), frozenset(what["fields"]))
    for handle in what["handles"]:
        acts.redactions.setdefault(bytes.fromhex(handle), []).append(made)


def _prune(acts: Acts, entry: Entry) -> None:
    what = entry.what
    first, stop = what["range"]
    archive = what["archive"]
    made = Prune(entry.seq, int(first), int(stop), int(what["entries"]), archive["sha256"], archive["name"])
    acts.prunes.append(made)


def _hold(acts: Acts, entry: Entry) -> None:
    what = entry.what
    acts.holds[entry.seq] = {
        "seq": entry.seq,
        "name": what["name"],
        "subject": what.get("key"),
        "start": _micros(what.get("from")),
        "stop": _micros(what.get("to")),
        "lifted": None,
    }


def _lifted(acts: Acts, entry: Entry) -> None:
    acts.holds[entry.what["hold"]]["lifted"] = entry.seq


def _retention(acts: Acts, entry: Entry) -> None:
    acts.retention = str(entry.what["period"]), entry.seq


def _key(acts: Acts, entry: Entry) -> None:
    acts.keys.append((entry.seq, str(entry.what["key"])))


def _kept(acts: Acts, entry: Entry) -> None:
    acts.kept.append((entry.seq, int(entry.what["size"]), moment(entry.integrated_at)))


def _journal(acts: Acts, entry: Entry) -> None:
    what = entry.what
    acts.journals[bytes.fromhex(what["journal"])] = int(what["merged"]), bytes.fromhex(what["chain"])


def _micros(text: str | None) -> int | None:
    return None if text is None else micros(moment(text))


_READERS = {
    REDACTION: _redaction,
    PRUNE: _prune,
    HOLD: _hold,
    HOLD_LIFTED: _lifted,
    RETENTION: _retention,
    CHECKPOINT_KEPT: _kept,
    "journal": _journal,
    "log": _key,
    "key": _key,
}
