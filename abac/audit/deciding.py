"""What the log says of a decision: the request as it was asserted, the outcome, and which of it is sealed.

A field is sealed if it is, or follows from, what must not be read without a key: the subject's id, every attribute
that the schema calls sensitive, the reasons where a rule they cite reads such an attribute, the unknown list where
it names one, obligations and advice where a rule that may owe them reads one. The decision, the revision and which
fields are sealed stay readable, and can tell something by themselves (`docs/audit.md`). Commitments and encryption
are `sealing`'s part, reading a request back `asserted`'s; grouping and writing are the recorder's.

Whoever decides waits for this, so it is written for speed: what is the same for every request is written once (how
a bare value of an attribute is told, what a remembered outcome says), and the clear values of a request are one
call of the JSON encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from abac.audit.clock import stamp
from abac.audit.entry import DECISION
from abac.compiler.program import Program
from abac.condition.expr import attributes
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.types import Kind, SetType
from abac.policy.decision import Obligation, Outcome, Reason
from abac.policy.request import EMBEDDED, Request, Source, read_assertion
from abac.policy.rule import ObligationRule, Rule, policies

_json = msgspec.json.Encoder().encode

REASONS, UNKNOWN, OBLIGATIONS, ADVICE = "reasons", "unknown", "obligations", "advice"
"""The parts of an outcome that may be sealed, by the names of their fields."""

SUBJECT = "subject.id"
"""Who asks: always sealed, and the name under which the key is kept."""

REMEMBERED = 4_096
"""How many outcomes' texts are kept; a program remembers its outcomes, so the same objects come again."""


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


class Circumstances(NamedTuple):
    """What an entry says besides request and outcome. `commit` is that of the policies' source."""

    request_id: str = ""
    session: str = ""
    discharges: frozenset[str] = frozenset()
    posture: str = "strict"
    commit: str = ""


class _Told(NamedTuple):
    """How a bare value of one attribute is told: the classes whose JSON says it, and what stands behind it."""

    path: str
    bare: frozenset[type]
    behind: tuple[Any, ...]
    sealed: bool
    definition: AttributeDefinition


class _Said(NamedTuple):
    """What an outcome says: the text in the clear, what is to be sealed, and the outcome, so that it lives."""

    clear: bytes
    secret: tuple[tuple[str, bytes], ...]
    outcome: Outcome


class DecisionEncoder:
    """Says decisions under one program as entries. Share it between threads."""

    def __init__(self, program: Program) -> None:
        self._schema = program.schema
        self._revision = b'","revision":' + _json(program.revision)
        self._told: dict[Source, _ByCategory] = {}
        self._embedded = self._tell(EMBEDDED)
        self._sensitive = frozenset(d.path for d in program.schema if d.sensitive)
        self._derived, self._owed = self._sort(program)
        self._outcomes: dict[int, _Said] = {}
        self._settings: dict[tuple[str, str], bytes] = {}

    def encode(
        self, identity: bytes, at: datetime, request: Request, outcome: Outcome, circumstances: Circumstances
    ) -> Unsealed:
        """Return the entry of a decision, with its values copied: the request may change afterwards.

        The request is one that was decided, so its values are known to be of their types, those of objects apart:
        they are checked here. Raises `RequestError` for one that is not.
        """
        when = _json(at)
        if len(when) != _LENGTH or when[-2:] != b'Z"':  # no fraction, or another offset
            when = b'"%b"' % stamp(at).encode()
        clear, secret, subject = self._attributes(request)
        said = self._outcomes.get(id(outcome)) or self._say(outcome)
        if said.secret:
            secret.extend(said.secret)
        return Unsealed(
            identity,
            subject,
            when[1:8].decode(),
            b"".join(
                (
                    *(b'"id":"', uuid_text(identity).encode(), _DECIDED_AT, when[1:-1]),
                    *(self._revision, self._circumstances(circumstances), said.clear),
                    *(b',"attributes":', clear),
                )
            ),
            tuple(secret),
        )

    # --- the request -----------------------------------------------------------------------------------------

    def _attributes(self, request: Request) -> tuple[bytes, list[tuple[str, bytes]], str]:
        """Return the attributes in the clear as JSON, the sealed ones by name, and the subject's id."""
        source = request.source
        told = self._embedded if source is EMBEDDED else self._told.get(source) or self._tell(source)
        clear: dict[str, Any] = {}
        secret: list[tuple[str, bytes]] = []
        subject, careful = "", 0
        for known, (_, given) in zip(told, request.categories(), strict=True):
            checked = given.__class__ is dict or isinstance(given, Mapping)  # at the door, every value
            for name, value in given.items() if checked else _read(given, known):
                if value is None:
                    continue
                path, bare, behind, sealed, definition = known[name]
                if checked and (value.__class__ in bare or (value.__class__ is datetime and value.tzinfo is UTC)):
                    held: tuple[Any, ...] = (value, *behind)
                    if not sealed:
                        clear[path] = held
                        careful += len(behind) > _USUAL
                        continue
                    text = _json(held)
                    if _BRACE not in text or not definition.is_set:
                        secret.append((path, text))
                        if path == SUBJECT:
                            subject = str(value)
                        continue
                assertion = read_assertion(value, definition, source)
                if assertion is None:
                    continue
                if path == SUBJECT:
                    subject = str(assertion.value)
                if sealed:
                    secret.append((path, _json(_asserted(assertion))))
                else:
                    clear[path] = one = _asserted(assertion)
                    careful += len(one) > _USUAL + 1
        text = _json(clear)
        if text.count(_BRACE) != 1 + careful:  # a string with a brace, or elements with an assurance of their own
            text = self._carefully(clear, source)
        return text, secret, subject

    def _carefully(self, clear: Mapping[str, Any], source: Source) -> bytes:
        """Say values again of which a set may hold elements with an assurance of their own."""
        said: dict[str, Any] = {}
        for path, told in clear.items():
            value, definition = told[0], self._schema[path]
            own = definition.is_set and any(isinstance(e, Mapping) for e in value)
            assertion = read_assertion(value, definition, source) if own else None
            said[path] = told if assertion is None else _asserted(assertion)
        return _json(said)

    def _tell(self, source: Source) -> _ByCategory:
        found: dict[Category, dict[str, _Told]] = {c: {} for c, _ in _EMPTY.categories()}
        for d in self._schema:
            assurance, complete = (
                (d.assurance, d.complete) if source.schema_defaults else (Assurance.INFERRED, not d.is_set)
            )
            whole = () if complete or not d.is_set else ({"complete": False},)
            behind = (str(assurance), source.name, *whole)
            found[d.category][d.name] = _Told(d.path, _bare(d), behind, d.sensitive or d.path == SUBJECT, d)
        told = self._told[source] = tuple(found.values())
        return told

    # --- what is said with it --------------------------------------------------------------------------------

    def _circumstances(self, held: Circumstances) -> bytes:
        request_id, session, discharges, posture, commit = held
        fixed = self._settings.get((commit, posture))
        if fixed is None:
            given = (("commit", commit), ("posture", posture))
            fixed = b"".join(b',"%b":%b' % (name.encode(), _json(text)) for name, text in given if text)
            self._settings[commit, posture] = fixed
        if request_id:
            fixed += b',"request_id":' + _json(request_id)
        if session:
            fixed += b',"session":' + _json(session)
        if discharges:
            fixed += b',"discharges":' + _json(sorted(discharges))
        return fixed

    def _say(self, outcome: Outcome) -> _Said:
        clear = [
            b',"decision":"%b","extended":"%b","permitted":%b'
            % (
                outcome.decision.value.encode(),
                outcome.extended.name.encode(),
                b"true" if outcome.permitted else b"false",
            )
        ]
        secret: list[tuple[str, bytes]] = []
        for name, value, sealed in self._parts(outcome):
            if sealed:
                secret.append((name, value))
            else:
                clear.append(b',"%b":%b' % (name.encode(), value))
        said = _Said(b"".join(clear), tuple(secret), outcome)
        if not outcome.unknown:  # what is not decided is told anew each time
            if len(self._outcomes) >= REMEMBERED:
                self._outcomes.clear()
            self._outcomes[id(outcome)] = said
        return said

    def _parts(self, outcome: Outcome) -> Iterable[tuple[str, bytes, bool]]:
        """Yield the parts of an outcome that are not empty: name, JSON, and whether it is sealed."""
        if outcome.reasons:
            sealed = any(r.rule in self._derived for r in outcome.reasons)
            yield REASONS, _json([_reason(r) for r in outcome.reasons]), sealed
        if outcome.unknown:
            yield UNKNOWN, _json(outcome.unknown), not self._sensitive.isdisjoint(outcome.unknown)
        for name, owed in ((OBLIGATIONS, outcome.obligations), (ADVICE, outcome.advice)):
            if owed:
                yield name, _json([_obligation(o) for o in owed]), any(o.id in self._owed for o in owed)

    def _sort(self, program: Program) -> tuple[frozenset[str], frozenset[str]]:
        """Return the rules, and the obligations, that follow from sensitive attributes."""
        derived: set[str] = set()
        owed: set[str] = set()
        if not self._sensitive:
            return frozenset(), frozenset()
        for policy in policies(program.root):
            every: tuple[Rule | ObligationRule, ...] = (*policy.rules, *policy.obligation_rules)
            for rule in every:
                if not self._sensitive.isdisjoint(attributes(rule.condition)):
                    derived.add(rule.id)
                    owed.update(o.id for o in rule.obligations)
        return frozenset(derived), frozenset(owed)


_ByCategory = tuple[Mapping[str, _Told], ...]
"""How the attributes of each category are told, in the order in which a request gives its categories."""

_EMPTY = Request()
_DECIDED_AT = b'","kind":"%b","decided_at":"' % DECISION.encode()
_LENGTH = len('"2026-06-12T21:21:00.000000Z"')
_BRACE = b"{"
_USUAL = 2
"""What usually stands behind a value: its assurance and its source."""

_SCALARS = frozenset({str, int, float, bool})
_COLLECTIONS = frozenset({list, tuple, set, frozenset})


def _bare(definition: AttributeDefinition) -> frozenset[type]:
    """Return the classes whose values JSON says as they are; date-times first take our offset."""
    kind = definition.type
    if isinstance(kind, SetType):
        return frozenset() if kind.element.kind is Kind.DATETIME else _COLLECTIONS
    return frozenset({str}) if kind.kind is Kind.DATETIME else _SCALARS


def uuid_text(identity: bytes) -> str:
    """Return a UUID as text (RFC 9562, section 4), several times faster than `uuid.UUID` does."""
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _read(given: Any, known: Mapping[str, _Told]) -> Iterable[tuple[str, Any]]:
    """Yield the attributes of an object that the schema has."""
    return ((name, getattr(given, name, None)) for name in known)


def _asserted(assertion: Assertion) -> list[Any]:
    """Return an assertion as entries write it: value, assurance, source, and what is not as usual."""
    value: Any = assertion.value
    if isinstance(value, frozenset):  # those with an assurance of their own come first, in their order
        own = [element for element, _ in assertion.elements]
        value = own + sorted(value.difference(own))
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
