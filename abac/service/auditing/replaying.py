"""Decide entries again: under their own revision, or under another, for what would have changed.

Every entry comes out as one of four: *match*; *mismatch*; *consistent*, where sealed fields are gone and what is
left does not contradict the answer; *not re-performable*, where the revision is not there, is of another meaning,
or calls a function that is missing. Nothing is left uncounted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from abac.audit.asserted import asserted
from abac.audit.entry import DECISION
from abac.audit.errors import EntryError
from abac.compiler.program import Program
from abac.errors import AbacError
from abac.pdp.decide import decide
from abac.policy.decision import Outcome
from abac.service.auditing.comparing import contradicts, differing
from abac.service.auditing.walking import ALWAYS, Progress, Span, Walked, size_of, walk, walk_places
from abac.service.store import Store

MATCH, MISMATCH, CONSISTENT, NOT = "match", "mismatch", "consistent", "not re-performable"

LISTED = 1_000
"""Mismatches that are listed; all are counted."""

EXAMPLES = 20
"""Ids that are listed of each kind of change."""

Programs = Callable[[str], Program]
"""Returns the program of a revision, given whole; raises an `AbacError` or `LookupError` where it cannot."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An entry that is decided otherwise than it says: by field, what it says, and what comes out."""

    seq: int
    id: str
    differing: dict[str, tuple[Any, Any]]


@dataclass(slots=True)
class Change:
    """One kind of change under another revision: how many entries, and the first ids."""

    number: int = 0
    ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Replay:
    """How many entries came out how, why some could not be decided, which differ, and what would have changed."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    revision: str = ""
    archived: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        said: dict[str, Any] = {"entries": sum(self.counts.values()), "counts": dict(self.counts)}
        said |= {"not_reperformable": dict(self.reasons), "archived": self.archived}
        if self.revision:
            changes = sorted(self.changes.items(), key=lambda item: (-item[1].number, item[0]))
            said["revision"] = self.revision
            said["changes"] = [
                {"before": before, "after": after, "number": c.number, "ids": c.ids}
                for (before, after), c in changes
            ]
        else:
            said["mismatches"] = [
                {"seq": m.seq, "id": m.id, "differing": {k: list(v) for k, v in m.differing.items()}}
                for m in self.mismatches
            ]
        return said


def replay(
    store: Store,
    programs: Programs,
    *,
    span: Span = ALWAYS,
    sample: int | None = None,
    seed: int = 2026,
    revision: str | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Decide the entries of a span of time again, all or a sample drawn from a seed.

    Without a `revision` each under its own; with one all under that, for what would have changed: then what it
    cannot decide counts as not re-performable, and entries with fields gone as `consistent` or a change.
    """
    made = Replay()
    other = None if revision is None else programs(revision)
    made.revision = "" if other is None else other.revision
    read = (
        _sampled(store, span, sample, seed, progress) if sample is not None else _all(store, span, made, progress)
    )
    known: dict[str, Program | str] = {}
    for walked in read:
        entry = walked.entry
        program = other if other is not None else _program(programs, entry.revision, known)
        if isinstance(program, str):
            _not(made, program)
            continue
        try:
            outcome = again(walked, program)
        except (AbacError, EntryError) as error:
            _not(made, f"{error.code}: the request cannot be asked under this revision")
            continue
        if other is None:
            _compare(made, walked, program, outcome)
        else:
            _change(made, walked, program, outcome)
    return made


def again(walked: Walked, program: Program) -> Outcome:
    """Return what a program says now of the request that an entry was about, as far as it is known."""
    request = asserted(walked.entry, walked.opened)
    return decide(program, request, discharges=frozenset(walked.entry.discharges))


# --- one entry -----------------------------------------------------------------------------------------------


def _compare(made: Replay, walked: Walked, program: Program, outcome: Outcome) -> None:
    entry = walked.entry
    if entry.sealed and walked.opened is None:
        if not contradicts(entry, outcome, program):
            made.counts[CONSISTENT] += 1
            return
        found: dict[str, tuple[Any, Any]] = {"extended": (entry.extended, outcome.extended.name)}
    else:
        found = differing(entry, walked.opened, outcome)
    made.counts[MISMATCH if found else MATCH] += 1
    if found and len(made.mismatches) < LISTED:
        made.mismatches.append(Mismatch(entry.seq, entry.id, found))


def _change(made: Replay, walked: Walked, program: Program, outcome: Outcome) -> None:
    entry = walked.entry
    before, after = _answer(entry.decision, entry.permitted), _answer(outcome.decision.value, outcome.permitted)
    if entry.sealed and walked.opened is None and not contradicts(entry, outcome, program):
        made.counts[CONSISTENT] += 1
        return
    made.counts[MATCH if before == after else MISMATCH] += 1
    if before != after:
        change = made.changes.setdefault((before, after), Change())
        change.number += 1
        if len(change.ids) < EXAMPLES:
            change.ids.append(entry.id)


def _answer(decision: str, permitted: bool) -> str:
    return "PERMIT with duties" if decision == "PERMIT" and not permitted else decision


def _not(made: Replay, why: str) -> None:
    made.counts[NOT] += 1
    made.reasons[why] += 1


def _program(programs: Programs, revision: str, known: dict[str, Program | str]) -> Program | str:
    """Return the program of a revision, or why there is none."""
    if revision not in known:
        try:
            found = programs(revision)
            same = found.revision == revision
            known[revision] = found if same else f"changed: the program of {revision[:12]} is another"
        except AbacError as error:
            first = next(iter(str(error).splitlines()), "")
            known[revision] = f"{error.code}: {first[:200]}"
        except LookupError:
            known[revision] = f"missing: there is no revision {revision[:12]}"
    return known[revision]


# --- which entries -------------------------------------------------------------------------------------------


def _all(store: Store, span: Span, made: Replay, progress: Progress | None) -> Iterator[Walked]:
    size, seen = size_of(store), 0
    for walked in walk(store, span=span, opening=True, decisions=False, progress=progress):
        seen += 1
        if walked.entry.kind == DECISION:
            yield walked
    if span == ALWAYS:
        made.archived = size - seen


def _sampled(store: Store, span: Span, sample: int, seed: int, progress: Progress | None) -> Iterable[Walked]:
    """Yield so many decisions, each drawn as likely as any other, in the log's order."""
    chosen: list[int] = []
    draw = random.Random(seed)  # noqa: S311  # a sample that can be drawn again, and no secret
    for number, walked in enumerate(walk(store, span=span, progress=progress)):
        if number < sample:
            chosen.append(walked.entry.seq)
        elif (at := draw.randint(0, number)) < sample:
            chosen[at] = walked.entry.seq
    yield from walk_places(store, sorted(chosen))
