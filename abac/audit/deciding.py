"""What the log says of a decision: the request as it was asserted, the outcome, and which of it is sealed.

A field is sealed if it is, or follows from, what must not be read without a key: the subject's id, every attribute
that the schema calls sensitive, the reasons where a rule they cite reads such an attribute, the unknown list where
it names one, obligations and advice where a rule that may owe them reads one. The decision, the revision and which
fields are sealed stay readable, and can tell something by themselves (`docs/audit.md`). Commitments and encryption
are `sealing`'s part; grouping and writing are the recorder's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from abac.audit.clock import stamp
from abac.audit.entry import DECISION
from abac.compiler.program import Program
from abac.condition.expr import attributes
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.policy.decision import Obligation, Outcome, Reason
from abac.policy.request import Request, Source, read_assertion
from abac.policy.rule import ObligationRule, Rule, policies

_json = msgspec.json.Encoder().encode

REASONS, UNKNOWN, OBLIGATIONS, ADVICE = "reasons", "unknown", "obligations", "advice"
"""The parts of an outcome that may be sealed, by the names of their fields."""


class Unsealed(NamedTuple):
    """A decision's entry before it is sealed; never stored.

    `clear` is the body's text without its sealed fields and its end; `secret` are the sealed fields and the bytes
    of their values. The subject's id and the month pick the key.
    """

    id: bytes
    subject: str
    period: str
    clear: bytes
    secret: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an entry says besides request and outcome. `commit` is that of the policies' source."""

    request_id: str = ""
    session: str = ""
    discharges: frozenset[str] = frozenset()
    posture: str = "strict"
    commit: str = ""


class _Told(NamedTuple):
    """How a bare value of one attribute is told: its JSON stands between the two."""

    path: str
    definition: AttributeDefinition
    before: bytes
    after: bytes
    sealed: bool


class DecisionEncoder:
    """Says decisions under one program as entries. Share it between threads."""

    def __init__(self, program: Program) -> None:
        self._schema = program.schema
        self._revision = b'"revision":' + _json(program.revision)
        self._told: dict[Source, Mapping[Category, Mapping[str, _Told]]] = {}
        self._names = {c: tuple(program.schema.names(c)) for c in Category}
        self._sensitive = frozenset(d.path for d in program.schema if d.sensitive)
        self._derived, self._owed = self._sort(program)

    def encode(
        self, identity: bytes, at: datetime, request: Request, outcome: Outcome, circumstances: Circumstances
    ) -> Unsealed:
        """Return the entry of a decision, with its values copied: the request may change afterwards.

        The request is one that was decided, so its values are known to be of their types.
        """
        when = stamp(at)
        clear, secret, subject = self._attributes(request)
        parts = [
            b'"id":"%b","kind":"%b","decided_at":"%b"' % (_text(identity), _KIND, when.encode()),
            self._revision,
            *_circumstances(circumstances),
            b'"decision":"%b","extended":"%b","permitted":%b'
            % (
                outcome.decision.value.encode(),
                outcome.extended.name.encode(),
                b"true" if outcome.permitted else b"false",
            ),
            b'"attributes":{%b}' % b",".join(clear),
        ]
        for name, value, sealed in self._outcome(outcome):
            if sealed:
                secret.append((name, value))
            else:
                parts.append(b'"%b":%b' % (name.encode(), value))
        return Unsealed(identity, subject, when[:7], b",".join(parts), tuple(secret))

    # --- the request -----------------------------------------------------------------------------------------

    def _attributes(self, request: Request) -> tuple[list[bytes], list[tuple[str, bytes]], str]:
        told = self._told.get(request.source) or self._tell(request.source)
        clear: list[bytes] = []
        secret: list[tuple[str, bytes]] = []
        subject = ""
        for category, given in request.categories():
            known = told[category]
            items: Iterable[tuple[str, Any]] = (
                given.items()
                if isinstance(given, Mapping)
                else ((name, getattr(given, name, None)) for name in self._names[category])
            )
            for name, value in items:
                if value is None:
                    continue
                how = known[name]
                if value.__class__ in _BARE:
                    text = b"[" + _json(value) + how.after
                elif (assertion := read_assertion(value, how.definition, request.source)) is None:
                    continue
                else:
                    text = _json(_asserted(assertion))
                    value = assertion.value  # noqa: PLW2901  # the bare value of what was annotated
                if how.path == _SUBJECT:
                    subject = str(value)
                if how.sealed:
                    secret.append((how.path, text))
                else:
                    clear.append(how.before + text)
        return clear, secret, subject

    def _tell(self, source: Source) -> Mapping[Category, Mapping[str, _Told]]:
        found: dict[Category, dict[str, _Told]] = {c: {} for c in Category}
        for d in self._schema:
            assurance, complete = (
                (d.assurance, d.complete) if source.schema_defaults else (Assurance.INFERRED, not d.is_set)
            )
            whole = "" if complete or not d.is_set else ',{"complete":false}'
            after = f',"{assurance}",{_json(source.name).decode()}{whole}]'.encode()
            sealed = d.sensitive or d.path == _SUBJECT
            found[d.category][d.name] = _Told(d.path, d, _json(d.path) + b":", after, sealed)
        self._told[source] = found
        return found

    # --- the outcome -----------------------------------------------------------------------------------------

    def _sort(self, program: Program) -> tuple[frozenset[str], frozenset[str]]:
        """Return the rules, and the obligations, that follow from sensitive attributes."""
        derived: set[str] = set()
        owed: set[str] = set()
        for policy in policies(program.root):
            every: tuple[Rule | ObligationRule, ...] = (*policy.rules, *policy.obligation_rules)
            for rule in every:
                if not self._sensitive.isdisjoint(attributes(rule.condition)):
                    derived.add(rule.id)
                    owed.update(o.id for o in rule.obligations)
        return frozenset(derived), frozenset(owed)

    def _outcome(self, outcome: Outcome) -> Iterable[tuple[str, bytes, bool]]:
        """Yield the parts of an outcome that are not empty: name, JSON, and whether it is sealed."""
        if outcome.reasons:
            sealed = any(r.rule in self._derived for r in outcome.reasons)
            yield REASONS, _json([_reason(r) for r in outcome.reasons]), sealed
        if outcome.unknown:
            yield UNKNOWN, _json(outcome.unknown), not self._sensitive.isdisjoint(outcome.unknown)
        for name, owed in ((OBLIGATIONS, outcome.obligations), (ADVICE, outcome.advice)):
            if owed:
                yield name, _json([_obligation(o) for o in owed]), any(o.id in self._owed for o in owed)


_SUBJECT = "subject.id"
_KIND = DECISION.encode()
_BARE = frozenset({str, int, float, bool, list, tuple, set, frozenset, datetime})


def _text(identity: bytes) -> bytes:
    return str(UUID(bytes=identity)).encode()


def _circumstances(held: Circumstances) -> Iterable[bytes]:
    for name in ("commit", "posture", "request_id", "session"):
        value = getattr(held, name)
        if value:
            yield b'"%b":%b' % (name.encode(), _json(value))
    if held.discharges:
        yield b'"discharges":' + _json(sorted(held.discharges))


def _asserted(assertion: Assertion) -> list[Any]:
    """Return an assertion as entries write it: value, assurance, source, and what is not as usual."""
    value = sorted(assertion.value) if isinstance(assertion.value, frozenset) else assertion.value
    unusual: dict[str, Any] = {}
    if not assertion.complete:
        unusual["complete"] = False
    if assertion.as_of is not None:
        unusual["as_of"] = assertion.as_of
    if assertion.elements:
        unusual["elements"] = [[element, str(level)] for element, level in assertion.elements]
    return [value, str(assertion.assurance), assertion.source, *([unusual] if unusual else [])]


def _reason(reason: Reason) -> tuple[str, ...]:
    cited = reason.citation
    return (
        reason.rule,
        reason.effect.value,
        reason.truth.name,
        cited.directive,
        cited.clause,
        cited.person_test,
    )


def _obligation(obligation: Obligation) -> list[Any]:
    return [obligation.id, dict(obligation.parameters)]
