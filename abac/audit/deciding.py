"""What the log says of a decision: the request as it was asserted, the outcome, and which of it is sealed.

A field is sealed if it is, or follows from, what must not be read without a key: the subject's id, every attribute
that the schema calls sensitive, the reasons where a rule they cite reads such an attribute, the unknown list where
it names one, obligations and advice where a rule that may owe them reads one. The decision, the revision and which
fields are sealed stay readable, and can tell something by themselves (`docs/audit.md`). Commitments and encryption
are `sealing`'s part, telling a request `telling`'s, reading it back `asserted`'s; grouping and writing are the
recorder's.

Whoever decides waits for this, so it is written for speed: what is the same for many entries is said once, such as
what a remembered outcome comes to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from abac.audit.clock import stamp
from abac.audit.entry import DECISION
from abac.audit.telling import REMEMBERED, Telling
from abac.compiler.program import Program
from abac.condition.expr import attributes
from abac.policy.decision import Obligation, Outcome, Reason
from abac.policy.request import Request
from abac.policy.rule import ObligationRule, Rule, policies

_json = msgspec.json.Encoder().encode

TOKEN = "jwt:"  # noqa: S105  # no secret
"""How the name of a caller begins that a token names."""

WHO = "who"
"""The sealed field that holds such a name."""

REASONS, UNKNOWN, OBLIGATIONS, ADVICE = "reasons", "unknown", "obligations", "advice"
"""The parts of an outcome that may be sealed, by the names of their fields."""


class Unsealed(msgspec.Struct, frozen=True, gc=False):
    """A decision's entry before it is sealed; never stored.

    `clear` is the body's text without its sealed fields and its end. `paths` and `told` are the sealed attributes'
    names and the bytes of their values, `said` what of the outcome is sealed. The subject's id and the month pick
    the key. Many wait in a queue at a time, so what can be shared between them is, and little is left to the
    garbage collector.
    """

    id: bytes
    subject: str
    period: str
    clear: bytes
    paths: tuple[str, ...]
    told: tuple[bytes, ...]
    said: tuple[tuple[str, bytes], ...] = ()

    @property
    def secret(self) -> tuple[tuple[str, bytes], ...]:
        """The sealed fields and the bytes of their values, in the order in which the entry has them."""
        return (*zip(self.paths, self.told, strict=True), *self.said)


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """What an entry says besides request and outcome.

    `commit` is that of the policies' source; `withheld` says that the posture refused what the policies permit.
    `caller` is the key that asked, or, after `jwt:`, a token's subject: perhaps a person, and so sealed.
    """

    request_id: str = ""
    session: str = ""
    discharges: frozenset[str] = frozenset()
    posture: str = "strict"
    commit: str = ""
    withheld: bool = False
    caller: str = ""


class _Said(NamedTuple):
    """What an outcome says: the text in the clear, what is to be sealed, and the outcome, so that it lives."""

    clear: bytes
    secret: tuple[tuple[str, bytes], ...]
    outcome: Outcome


_Lasting = tuple[str, str, bool, str]
"""What many entries have in common: posture, commit, whether withheld, caller."""

_Secret = tuple[tuple[str, bytes], ...]
"""Fields to be sealed, and the bytes of their values."""


class DecisionEncoder:
    """Says decisions under one program as entries. Share it between threads."""

    def __init__(self, program: Program) -> None:
        self._revision = b'","revision":' + _json(program.revision)
        self._tell = Telling(program.schema).tell
        self._sensitive = frozenset(d.path for d in program.schema if d.sensitive)
        self._derived, self._owed = self._sort(program)
        self._outcomes: dict[int, _Said] = {}
        self._lasting: dict[_Lasting, tuple[bytes, _Secret]] = {}

    def encode(
        self,
        identity: bytes,
        at: datetime,
        request: Request,
        outcome: Outcome,
        circumstances: Circumstances,
        name: str = "",
    ) -> Unsealed:
        """Return the entry of a decision, with its values copied: the request may change afterwards.

        `name` is the identity as text, where that is known already.
        The request is one that was decided, so its values are known to be of their types, those of objects apart:
        they are checked here. Raises `RequestError` for one that is not.
        """
        when = _json(at)
        if len(when) != _LENGTH or when[-2:] != b'Z"':  # no fraction, or another offset
            when = b'"%b"' % stamp(at).encode()
        clear, paths, told, subject = self._tell(request)
        said = self._outcomes.get(id(outcome)) or self._say(outcome)
        held, who = self._circumstances(circumstances)
        parts = (
            b'"id":"',
            (name or uuid_text(identity)).encode(),
            _DECIDED_AT,
            when[1:-1],
            self._revision,
            held,
            said.clear,
            _ATTRIBUTES,
            clear,
        )
        secret = (*said.secret, *who) if who else said.secret
        return Unsealed(identity, subject, when[1:8].decode(), b"".join(parts), paths, told, secret)

    # --- what is said with it --------------------------------------------------------------------------------

    def _circumstances(self, held: Circumstances) -> tuple[bytes, _Secret]:
        lasting = held.posture, held.commit, held.withheld, held.caller
        fixed, secret = self._lasting.get(lasting) or self._remember(lasting)
        if held.request_id:
            fixed += b',"request_id":' + _json(held.request_id)
        if held.session:
            fixed += b',"session":' + _json(held.session)
        if held.discharges:
            fixed += b',"discharges":' + _json(sorted(held.discharges))
        return fixed, secret

    def _remember(self, lasting: _Lasting) -> tuple[bytes, _Secret]:
        """Say what many entries have in common."""
        posture, commit, withheld, caller = lasting
        token = caller.startswith(TOKEN)
        given = (("who", "" if token else caller), ("commit", commit), ("posture", posture))
        clear = b"".join(b',"%b":%b' % (name.encode(), _json(text)) for name, text in given if text)
        if withheld:
            clear += b',"withheld":true'
        if len(self._lasting) >= REMEMBERED:
            self._lasting.clear()
        found = self._lasting[lasting] = clear, ((WHO, _json(caller)),) if token else ()
        return found

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


_DECIDED_AT = b'","kind":"%b","decided_at":"' % DECISION.encode()
_ATTRIBUTES = b',"attributes":'
_LENGTH = len('"2026-06-12T21:21:00.000000Z"')


def uuid_text(identity: bytes) -> str:
    """Return a UUID as text (RFC 9562, section 4), several times faster than `uuid.UUID` does."""
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


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
