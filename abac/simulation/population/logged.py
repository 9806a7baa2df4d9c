"""A population out of real use: whom a log saw, what was asserted of them, what they asked for and how often.

The log is evidence of requests, not of people: who never asked is not in it, and like any brought population it
has no truth. Of each subject the assertion made last of every attribute stands. Reading a log and opening its
entries is the service's part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from abac.compiler.program import schema_digest
from abac.condition.reference import Assertion
from abac.condition.schema import AttributeDefinition, Schema
from abac.condition.types import TypeClash, admit
from abac.errors import Findings, PopulationError, Span, did_you_mean
from abac.simulation.catalogue import Catalogue
from abac.simulation.digests import digest_of
from abac.simulation.population import (
    ID,
    Assumption,
    Population,
    column_type,
    subject_attributes,
    subject_frame,
    use_column,
)

IDLE = timedelta(minutes=30)
"""A session counts as open at the cut if it asked for something so shortly before."""


class Logged(NamedTuple):
    """One request of a log: at which place it stands, when and by whom it was made, and for what.

    `subject` is an id, or a name made up for one that can no longer be read. `asserted` holds the subject's
    attributes by full name; `session` is empty where the entry names none.
    """

    place: int
    at: datetime
    subject: str
    asserted: Mapping[str, Assertion]
    model: str
    action: str
    session: str


@dataclass(slots=True)
class _Subject:
    """What the log says of one subject so far."""

    asserted: dict[str, tuple[datetime, Assertion]] = field(default_factory=dict)
    use: Counter[str] = field(default_factory=Counter)
    seen: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict)
    """The first and the last request of each session, by model and session."""

    def add(self, request: Logged) -> None:
        for path, assertion in request.asserted.items():
            if path not in self.asserted or self.asserted[path][0] <= request.at:
                self.asserted[path] = request.at, assertion
        self.use[use_column(request.model, request.action)] += 1
        if request.session:
            key = request.model, request.session
            first, last = self.seen.get(key, (request.at, request.at))
            self.seen[key] = min(first, request.at), max(last, request.at)

    def sessions(self, model: str, cut: datetime) -> int:
        return sum(
            own == model and first <= cut and last > cut - IDLE for (own, _), (first, last) in self.seen.items()
        )


def read_log(
    requests: Iterable[Logged], schema: Schema, catalogue: Catalogue, *, source: str, cut: datetime | None = None
) -> Population:
    """Return the population that a log's requests were made by.

    `use` counts requests over the whole time of the log, not per day. Sessions are those open at `cut`; where that
    lies outside the log's time, or is not given, at its last request. `source` names the log in errors and among
    the assumptions. Raises `PopulationError` where it holds no request for a model of the catalogue, or an
    attribute or value that the schema does not have.
    """
    findings = Findings()
    subjects: defaultdict[str, _Subject] = defaultdict(_Subject)
    known = {use_column(m.id, a) for m in catalogue.models for a in catalogue.actions}
    elsewhere: Counter[str] = Counter()
    first = last = None
    for request in requests:
        key = use_column(request.model, request.action)
        if key not in known:
            elsewhere[key] += 1
            continue
        subjects[request.subject].add(request)
        first = request.at if first is None else min(first, request.at)
        last = request.at if last is None else max(last, request.at)
    if first is None or last is None:
        hint = f"it asks for {', '.join(sorted(elsewhere)[:3])}" if elsewhere else "it holds no decision"
        findings.error(Span(source, 0), "no-use", "no request for a model and action of the catalogue", hint)
        findings.raise_errors(PopulationError)
    assert first is not None and last is not None  # noqa: S101, PT018  # just refused
    at = cut if cut is not None and first <= cut <= last else last
    columns = _columns(subjects, schema, source, findings)
    findings.raise_errors(PopulationError)
    return Population(
        schema,
        subject_frame(schema, columns, len(subjects)),
        None,
        _counts(sorted(known), subjects, lambda held, key: held.use[key]),
        _counts([m.id for m in catalogue.models], subjects, lambda held, model: held.sessions(model, at)),
        {},
        {},
        tuple(_assumptions(source, first, last, at, elsewhere)),
        synthetic=False,
        seed=None,
        digest=digest_of(source, len(subjects), str(first), str(last), schema_digest(schema), catalogue.digest),
        catalogue=catalogue,
    )


def _columns(subjects: Mapping[str, _Subject], schema: Schema, source: str, findings: Findings) -> list[pl.Series]:
    columns = [pl.Series(ID, list(subjects), dtype=pl.String)]
    unknown = {path for held in subjects.values() for path in held.asserted if path not in schema}
    for path in sorted(unknown):
        hint = did_you_mean(path, schema.attributes)
        findings.error(
            Span(source, 0), "other-schema", f"the log asserts `{path}`, which the schema has not", hint
        )
    for definition in subject_attributes(schema):
        if definition.path != ID:
            columns += _attribute(definition, subjects, source, findings)
    return columns


def _attribute(
    definition: AttributeDefinition, subjects: Mapping[str, _Subject], source: str, findings: Findings
) -> Iterable[pl.Series]:
    """Return the column of one attribute, and those of how its values are founded."""
    path = definition.path
    found = [held.asserted[path][1] if path in held.asserted else None for held in subjects.values()]
    if not any(found):
        return
    for subject, assertion in zip(subjects, found, strict=True):
        if assertion is not None:
            try:
                admit(assertion.value, definition.type)
            except TypeClash as clash:
                message = f"`{path}` of `{subject}` is not of the schema's type: {clash}"
                findings.error(Span(source, 0), "other-schema", message)
                return
    values = [None if a is None else sorted(a.value) if isinstance(a.value, frozenset) else a.value for a in found]
    yield pl.Series(path, values, dtype=column_type(definition.type))
    yield pl.Series(f"{path}@assurance", [0 if a is None else int(a.assurance) for a in found], dtype=pl.UInt8)
    if definition.is_set:
        yield pl.Series(f"{path}@complete", [a is not None and a.complete for a in found], dtype=pl.Boolean)
        levels = [None if a is None else _levels(a) for a in found]
        yield pl.Series(f"{path}@elements", levels, dtype=pl.List(pl.UInt8))


def _levels(assertion: Assertion) -> list[int]:
    own = dict(assertion.elements)
    assert isinstance(assertion.value, frozenset)  # noqa: S101  # of a set attribute, and admitted
    return [int(own.get(element, assertion.assurance)) for element in sorted(assertion.value)]


def _counts(
    names: Iterable[str], subjects: Mapping[str, _Subject], count: Callable[[_Subject, str], int]
) -> pl.DataFrame:
    held = list(subjects.values())
    return pl.DataFrame([pl.Series(name, [count(one, name) for one in held], dtype=pl.UInt32) for name in names])


def _assumptions(
    source: str, first: datetime, last: datetime, cut: datetime, elsewhere: Counter[str]
) -> Iterable[Assumption]:
    span = f"{first.isoformat()} to {last.isoformat()}"
    yield Assumption("use", f"requests logged from {span}", source, "as logged")
    idle = round(IDLE.total_seconds() / 60)
    yield Assumption(
        "sessions",
        f"open at {cut.isoformat()}: asked within {idle} minutes before",
        "the log's sessions",
        "assumption",
    )
    yield Assumption("attributes", "the last assertion of each, by subject", source, "as logged")
    if elsewhere:
        what = f"{sum(elsewhere.values()):,} requests for {', '.join(sorted(elsewhere)[:5])}"
        yield Assumption("left out", what, "models and actions that the catalogue does not have", "as logged")
