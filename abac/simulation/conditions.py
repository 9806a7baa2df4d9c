"""The five conditions that the seed article asks of any legitimate recall power, per directive.

What can be computed is computed: whether the subject condition depends on nationality, and whether the capability
is reachable elsewhere. The rest is read off the directive's evidence, and a claim, a competitor's above all, is
never evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abac.condition.expr import attributes
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import SetType
from abac.policy.directive import ClauseKind, Directive, denied_scope
from abac.simulation.change import Ask
from abac.simulation.displacement import substitutes

MET, NOT_MET, NOT_SHOWN = "met", "not met", "not shown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition: met, not met or not shown, and what that rests on."""

    number: int
    met: str
    evidence: str

    def as_json(self) -> dict[str, Any]:
        """Return the object that report.json has for it."""
        return {"number": self.number, "met": self.met, "evidence": self.evidence}


@dataclass(frozen=True, slots=True)
class Market:
    """What is lost and what is left of one capability: asks that somebody loses, and asks still permitted."""

    asks: Sequence[Ask]
    lost: Sequence[int]
    left: Sequence[int]
    capability: str

    @property
    def gone(self) -> list[str]:
        """The models that somebody loses."""
        return sorted({self.asks[i].model.id for i in self.lost})

    def elsewhere(self, *, parity_shown: bool) -> list[str]:
        """Return the other models at which the lost capability is still reachable."""
        found = {
            self.asks[j].model.id
            for i in self.lost
            for j in substitutes(self.asks, i, self.capability, parity_shown=parity_shown)
            if j in self.left
        }
        return sorted(found - set(self.gone))


def verdicts(directive: Directive, schema: Schema, market: Market) -> list[Verdict]:
    """Return the five verdicts on a directive."""
    return [
        _statute(directive),
        _technical_facts(directive),
        _passport(directive, schema, market),
        _parity(market),
        _defence_in_depth(directive),
    ]


def _evidence(directive: Directive) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = directive.told("evidence") or []
    return found


def _statute(directive: Directive) -> Verdict:
    public = {e["kind"] for e in _evidence(directive) if e["access"] == "public"}
    missing = [kind for kind in ("statute", "finding") if kind not in public]
    if missing:
        return Verdict(1, NOT_MET, f"no public {' and no public '.join(missing)} is on record")
    return Verdict(1, MET, "a statute and written findings are public")


def _technical_facts(directive: Directive) -> Verdict:
    tests = [e for e in _evidence(directive) if e["kind"] in ("test", "benchmark") and not e.get("competitor")]
    good = [e for e in tests if e["access"] == "public" and e["model_specific"] and e["reproducible"]]
    if good:
        return Verdict(2, MET, f"a public, model-specific, reproducible test by {good[0]['by']}")
    if tests:
        kinds = ", ".join(f"{e['kind']} by {e['by']} ({_closed(e)})" for e in tests)
        return Verdict(2, NOT_SHOWN, f"{kinds}; only a public, model-specific test can meet this")
    return Verdict(2, NOT_SHOWN, "claims only; a claim is never evidence")


def _closed(evidence: dict[str, Any]) -> str:
    if evidence["access"] != "public":
        return "sealed" if evidence["access"] == "sealed" else "not accessible"
    return "not model-specific" if not evidence["model_specific"] else "not reproducible"


def nationality_read(directive: Directive, schema: Schema) -> list[str]:
    """Return the subject attributes that tell a nationality and decide whom the directive denies.

    They are the sensitive ones whose values are countries: citizenships and residencies, not an employer's seat.
    """
    read = attributes(denied_scope(directive))
    return [path for path in read if (d := schema.get(path)) and _tells_nationality(d)]


def _tells_nationality(definition: AttributeDefinition) -> bool:
    kind = definition.type.element if isinstance(definition.type, SetType) else definition.type
    return definition.category is Category.SUBJECT and definition.sensitive and kind.name == "country"


def _passport(directive: Directive, schema: Schema, market: Market) -> Verdict:
    read = nationality_read(directive, schema)
    if not read:
        return Verdict(3, MET, "computed: whom it denies does not depend on nationality")
    if not market.lost:
        return Verdict(3, MET, "computed: it denies nobody")
    named = ", ".join(path.split(".", 1)[1] for path in read)
    for shown, word in ((False, "even with parity not shown"), (True, "if parity holds")):
        outside = market.elsewhere(parity_shown=shown)
        if outside:
            return Verdict(3, NOT_MET, f"computed: sorts by {named}; {word}, reachable at {', '.join(outside)}")
    return Verdict(3, MET, f"computed: sorts by {named}, for a capability that no other model has")


def _parity(market: Market) -> Verdict:
    if not market.lost:
        return Verdict(4, MET, "computed: nothing is recalled")
    tested = market.elsewhere(parity_shown=False)
    if tested:
        return Verdict(4, MET, f"computed: the level is shown at {', '.join(tested)}")
    claimed = market.elsewhere(parity_shown=True)
    if claimed:
        return Verdict(4, NOT_SHOWN, f"computed: parity of {', '.join(claimed)} is claimed, no test is on record")
    return Verdict(4, NOT_SHOWN, "computed: no test of parity is on record for any other model")


def _defence_in_depth(directive: Directive) -> Verdict:
    offered = list(directive.told("safeguards") or [])
    if offered:
        return Verdict(5, MET, "; ".join(offered))
    if any(c.kind is ClauseKind.OBLIGE for c in directive.clauses):
        return Verdict(5, MET, "an obligation stands in place of a block")
    return Verdict(5, NOT_MET, "it offers no safeguard, no monitoring and no narrower switch")
