"""Hold missing entries and openings against the entries that say they were let go: the rest is tampering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from abac.service.auditing.acts import Acts
from abac.service.auditing.findings import Findings
from abac.service.auditing.scanning import Unopened


def explain(
    missing: Sequence[tuple[int, int]],
    unopened: Iterable[Unopened],
    acts: Acts,
    found: Findings,
    counts: Counter[str],
    *,
    cut: bool,
) -> None:
    """Name what no prune or redaction explains, and count what one does.

    `missing` are ranges of places, in order; `cut` says that the last of them lies at the log's end.
    """
    gone: Counter[int] = Counter()
    for start, stop in missing:
        for first, last, by in _split(start, stop, acts):
            if by is not None:
                gone[by] += last - first
            elif cut and last == missing[-1][1]:
                message = f"{last - first:,} entries are missing at the end: the tail was cut"
                found.add("tail-missing", f"entry {first}", message)
            else:
                places = f"{last - first:,} entries are" if last - first > 1 else "it is"
                found.add("entry-missing", f"entry {first}", f"{places} not there, and no prune says why")
    for prune in acts.prunes:
        if gone[prune.seq] != prune.entries:
            message = "the entries missing in its range are not as many as it archived"
            found.add("prune-count", f"entry {prune.seq}", message, prune.entries, gone[prune.seq])
    counts["archived"] = sum(gone.values())
    for one in unopened:
        _unopened(one, acts, found, counts)


def _unopened(one: Unopened, acts: Acts, found: Findings, counts: Counter[str]) -> None:
    place = f"entry {one.seq}"
    if acts.redacted(one.handle, one.seq, one.fields):
        counts["redacted"] += 1
        if one.missing == "key":
            message = "its key was destroyed, and its opening is still there"
            found.add("redaction-unfinished", place, f"{message}: abac audit redact --resume")
    elif one.missing == "key" and acts.destroyed(one.handle, one.seq):
        counts["redacted"] += 1
        found.warn("sealed-for-good", place, "was sealed under a key after a redaction had destroyed it")
    elif one.missing == "key":
        message = f"its key {one.handle.hex()} is not there, and no redaction names key, place and fields"
        found.add("key-missing", place, message)
    else:
        message = "its opening is not there, and no redaction names key, place and fields"
        found.add("opening-missing", place, message)


def _split(start: int, stop: int, acts: Acts) -> Iterable[tuple[int, int, int | None]]:
    """Yield the stretches of a gap, and the prune that each lies in, or None."""
    cuts = {start, stop}
    for each in acts.prunes:
        cuts |= {c for c in (each.first, each.stop) if start < c < stop}
    edges = sorted(cuts)
    for first, last in pairwise(edges):
        prune = acts.pruned(first)
        yield first, last, None if prune is None else prune.seq
