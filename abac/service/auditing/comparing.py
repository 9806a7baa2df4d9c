"""What an entry says against what comes out when it is decided again, wholly or partly known."""

from __future__ import annotations

from typing import Any

import msgspec

from abac.audit.asserted import opened_part
from abac.audit.deciding import ADVICE, OBLIGATIONS, REASONS, UNKNOWN
from abac.audit.entry import Entry
from abac.compiler.program import Program
from abac.policy.decision import Extended, Obligation, Outcome, Reason
from abac.policy.rule import Algorithm, Policy, PolicySet


def differing(entry: Entry, opened: Any, outcome: Outcome) -> dict[str, tuple[Any, Any]]:
    """Return by field what a wholly known entry says and what comes out, where these differ."""
    ours: dict[str, Any] = {
        "decision": outcome.decision.value,
        "extended": outcome.extended.name,
        "permitted": outcome.permitted,
        REASONS: [_reason(r) for r in outcome.reasons],
        UNKNOWN: list(outcome.unknown),
        OBLIGATIONS: [_owed(o) for o in outcome.obligations],
        ADVICE: [_owed(o) for o in outcome.advice],
    }
    found = {}
    for name, value in ours.items():
        told = getattr(entry, name) if name in _PLAIN else opened_part(entry, opened or {}, name)
        said, made = msgspec.to_builtins(told), msgspec.to_builtins(value)
        if _plain(said) != _plain(made):
            found[name] = said, made
    return found


_PLAIN = ("decision", "extended", "permitted")


def contradicts(entry: Entry, outcome: Outcome, program: Program) -> bool:
    """Whether what comes out of less than was known contradicts what the entry says.

    By omission safety, what is definite stays so as more becomes known; all but a DENY of deny-unless-permit, and
    of the algorithms that break the law by name.
    """
    said = Extended[entry.extended]
    if said & outcome.extended == said:
        return False
    return outcome.extended is Extended.PERMIT or _persists(program.root)


def _persists(root: Policy | PolicySet) -> bool:
    if root.algorithm is Algorithm.DENY_UNLESS_PERMIT or root.algorithm.value.startswith("xacml-"):
        return False
    return isinstance(root, Policy) or all(_persists(child) for child in root.children)


def _reason(reason: Reason) -> list[str]:
    cited = reason.citation
    return [reason.rule, reason.effect.value, reason.truth.name, cited.directive, cited.clause, cited.person_test]


def _owed(obligation: Obligation) -> list[Any]:
    return [obligation.id, dict(obligation.parameters)]


def _plain(value: Any) -> Any:
    """Return nested lists for tuples, so that what was read equals what was made."""
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
