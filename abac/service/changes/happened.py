"""What there is to tell: revisions announced and in force, directives whose status changed, postures, boundaries.

All of it follows from what is recorded and from the clock, so that every worker that looks finds the same, under
the same names. A publication is told when it came in force as known then: at its effective time, or when it was
recorded, whichever is later. Numbering it is the storage's part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from abac.audit.clock import micros, stamp
from abac.compiler.program import Program
from abac.condition.expr import Attribute, Comparison, Constant, Member, Order, SetConstant, walk
from abac.policy.directive import ENDS, Directive
from abac.service.boundaries import Boundaries
from abac.storage.happenings import Happening
from abac.storage.policies import Policies, Posture, Publication
from abac.storage.policies.errors import PolicyError

REVISION, DIRECTIVE, POSTURE, BOUNDARY = "revision", "directive", "posture", "boundary"
ANNOUNCED = "announced"
SESSION, WARN = "session", "warn"

PUBLIC = (REVISION, DIRECTIVE, POSTURE, BOUNDARY, ANNOUNCED)
"""The kinds of happenings that everybody is told, and that sessions are decided again after."""

PRIVATE = (SESSION, WARN)
"""The kinds that only the caller is told whose session it is."""

EFFECTIVE, REMOVED = "effective", "removed"


class Stretch(NamedTuple):
    """A publication while it was in force, `since` its coming until the next one, or now."""

    publication: Publication
    since: datetime
    until: datetime


class History:
    """What happened by one store; it remembers which publications there is nothing more to tell of."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._over: set[int] = set()
        self._ended: set[int] = set()

    def look(self, since: datetime | None, now: datetime) -> list[Happening]:
        """Return what happened after `since` up to `now`, in order; without `since`, from what is in force on.

        A little before may be among it: names tell what was told already. Raises `StorageError`.
        """
        publications = self._policies.publications.all()
        stretches = list(_stretches(publications, now))
        first = since or (stretches[-1].since if stretches else now)
        found: list[tuple[int, int, Happening]] = []
        for number, stretch in enumerate(stretches):
            before = stretch.until < first or (since is None and stretch.since < first)
            if before or stretch.publication.seq in self._over:
                continue
            program = self._program(stretch)
            previous = self._program(stretches[number - 1]) if number else None
            for rank, one in enumerate(_of_stretch(stretch, program, previous)):
                found.append((one.at, number * 1_000_000 + rank, one))
        self._ended = {stretch.publication.seq for stretch in stretches[:-1]}
        ahead = [p for p in publications if first < p.recorded_at < p.effective_at]
        found += ((micros(p.recorded_at), 0, _revision(p, p.recorded_at, ANNOUNCED)) for p in ahead)
        postures = map(_posture, self._policies.settings.postures(first))
        found += ((one.at, -1, one) for one in postures)
        return [one for _, _, one in sorted(found, key=lambda f: f[:2])]

    def told(self) -> None:
        """Note that what the last look found was told: what is over by then need not be looked at again."""
        self._over = self._ended

    def _program(self, stretch: Stretch) -> Program | None:
        """Return the program of a stretch, None where this version cannot read it: then less is told of it."""
        try:
            return self._policies.program(stretch.publication.revision)
        except PolicyError:
            return None


def _stretches(publications: Iterable[Publication], now: datetime) -> Iterator[Stretch]:
    """Yield the publications that ever were in force, in order, each with when it was."""
    held: tuple[Publication, datetime] | None = None
    for one in sorted(publications, key=lambda p: (max(p.effective_at, p.recorded_at), p.seq)):
        since = max(one.effective_at, one.recorded_at)
        if since > now:
            break
        if held is not None:
            if _rank(one) < _rank(held[0]):
                continue  # recorded late, and for a time before that of what is in force
            if held[1] < since:  # one that was called off, or followed at its own time, never was in force
                yield Stretch(held[0], held[1], since)
        held = one, since
    if held is not None:
        yield Stretch(held[0], held[1], now)


def _rank(publication: Publication) -> tuple[datetime, int]:
    return publication.effective_at, publication.seq


def _of_stretch(stretch: Stretch, program: Program | None, previous: Program | None) -> Iterator[Happening]:
    publication, since = stretch.publication, stretch.since
    yield _revision(publication, since)
    if program is None:
        return
    before = {} if previous is None else {d.id: d for d in previous.directives}
    for directive in program.directives:
        was = before.pop(directive.id, None)
        earlier = "draft" if was is None else stood(was, since)[0]
        status = stood(directive, since)[0]
        if earlier != status:
            yield _directive(directive, since, publication)
    for gone in before.values():
        if stood(gone, since)[0] == EFFECTIVE:
            yield _directive(gone, since, publication, status=REMOVED)
    for at in Boundaries(program).passed(since, stretch.until):
        yield from _boundary(program, at, publication)


def _boundary(program: Program, at: datetime, publication: Publication) -> Iterator[Happening]:
    """Yield what changed at an instant: the directives whose status did, else that answers may be others."""
    changed = False
    for directive in program.directives:
        status, since = stood(directive, at)
        if since == at and status:
            changed = True
            yield _directive(directive, at, publication)
    if not changed:
        said = {"at": stamp(at), "revision": publication.revision}
        yield _happening(f"boundary:{publication.seq}:{micros(at)}", BOUNDARY, at, said)


def stood(directive: Directive, at: datetime) -> tuple[str, datetime | None]:
    """Return how a directive stands by all its events, as its compiled rules have it, and since when."""
    for interval in directive.in_force():
        if interval.start is not None and interval.start <= at and (interval.end is None or at < interval.end):
            return EFFECTIVE, interval.start
    past = sorted((e for e in directive.events if e.at <= at), key=lambda e: e.at)
    last = next(iter([e for e in past if e.event in ENDS][-1:] or past[-1:]), None)
    return ("draft", None) if last is None else (last.event.value, last.at)


# --- what is said ------------------------------------------------------------------------------------------------


def _revision(publication: Publication, since: datetime, kind: str = REVISION) -> Happening:
    said = {
        "at": stamp(since),
        "revision": publication.revision,
        "previous": publication.previous or None,
        "kind": publication.kind,
        "effective_at": stamp(publication.effective_at),
        "who": publication.author,
        "approver": publication.approver,
        "why": publication.why,
        "commit": publication.commit,
    }
    return _happening(f"{kind}:{publication.seq}", kind, since, said)


def _directive(
    directive: Directive, at: datetime, publication: Publication, *, status: str | None = None
) -> Happening:
    found, since = stood(directive, at)
    named = status or found
    authority = directive.told("authority")
    said = {
        "at": stamp(at),
        "directive": directive.id,
        "title": directive.told("title"),
        "status": named,
        "since": stamp(at if status or since is None else since),
        "binding": directive.binding,
        "authority": authority.get("body") if isinstance(authority, Mapping) else None,
        "models": named_by(directive, "resource.id"),
        "provider": named_by(directive, "resource.provider"),
        "in_flight": directive.in_flight,
        "revision": publication.revision,
    }
    name = f"directive:{publication.seq}:{micros(at)}:{directive.id}"
    return _happening(name, DIRECTIVE, at, said)


def _posture(posture: Posture) -> Happening:
    assert posture.since is not None  # noqa: S101  # it was recorded
    said = {
        "at": stamp(posture.since),
        "posture": posture.name,
        "who": posture.who,
        "approver": posture.approver,
        "why": posture.why,
    }
    return _happening(f"posture:{posture.seq}", POSTURE, posture.since, said)


def _happening(name: str, kind: str, at: datetime, said: Mapping[str, Any]) -> Happening:
    return Happening(name[:160], kind, micros(at), json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def named_by(directive: Directive, path: str) -> list[str]:
    """Return the values of an attribute that a directive's resource scopes name, sorted."""
    found: set[str] = set()
    for clause in directive.clauses:
        for node in walk(clause.resource):
            match node:
                case (
                    Comparison(order=Order.EQUAL, left=Attribute(path=name), right=Constant(value=value))
                    | Comparison(order=Order.EQUAL, left=Constant(value=value), right=Attribute(path=name))
                ) if name == path:
                    found.add(str(value))
                case Member(element=Attribute(path=name), collection=SetConstant(values=values)) if name == path:
                    found.update(map(str, values))
    return sorted(found)
