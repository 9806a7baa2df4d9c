"""vakt: rule-based policies in its memory storage; deny-overrides is the only way its guard knows."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import ACTION, Asked, Conjunct, Relation, Rule, Workload, number, ranked


def criterion(conjunct: Conjunct) -> Any:
    """Return a conjunct as one of vakt's rules."""
    from vakt import rules  # noqa: PLC0415  # a peer is loaded when it is its turn

    value = number(conjunct)
    match conjunct.relation:
        case Relation.EQUALS | Relation.IS:
            return rules.Eq(value)
        case Relation.IN:
            return rules.In(*value)
        case Relation.HAS:
            return rules.AnyIn(value)
        case Relation.AT_LEAST:
            return rules.GreaterOrEqual(value)
        case Relation.AT_MOST:
            return rules.LessOrEqual(value)
        case Relation.BELOW:
            return rules.Less(value)


def policy(rule: Rule) -> Any:
    """Return a rule as a policy. One without a test of the resource says that any will do."""
    import vakt  # noqa: PLC0415  # as above

    sides = {
        category: {c.attribute: criterion(c) for c in rule.conjuncts if c.category == category}
        for category in ("subject", "resource")
    }
    return vakt.Policy(
        rule.name,
        subjects=[sides["subject"]],
        resources=[sides["resource"] or vakt.rules.Any()],
        actions=[vakt.rules.Eq(ACTION)],
        effect=vakt.ALLOW_ACCESS if rule.permits else vakt.DENY_ACCESS,
    )


class Vakt(Peer):
    name = "vakt"
    distribution = "vakt"
    how = "`Guard` over a `MemoryStorage` with `RulesChecker`, requests kept as `Inquiry`"

    def __init__(self, workload: Workload) -> None:
        import vakt  # noqa: PLC0415  # as above

        self.inquiry = vakt.Inquiry
        storage = vakt.MemoryStorage()
        for rule in workload.rules:
            storage.add(policy(rule))
        self.guard = vakt.Guard(storage, vakt.RulesChecker())

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        return self.inquiry(subject=asked.subject, action=ACTION, resource=asked.resource)

    def permits(self, held: Any) -> bool:
        return bool(self.guard.is_allowed(held))
