"""Compare an outcome with what a test case expects of it, and word the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from abac.policy.decision import Outcome, Reason


def failures(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[str]:
    """Yield one sentence for every expectation that does not hold; none where all do."""
    if "refused" in expect:
        yield f"expected to be refused at `{expect['refused']}`, got {outcome.decision.value}"
    if "decision" in expect and expect["decision"] != outcome.decision.value:
        yield f"expected {expect['decision']}, got {outcome.decision.value}{_because(outcome)}"
    if "permitted" in expect and expect["permitted"] is not outcome.permitted:
        yield f"expected permitted: {_yes(expect['permitted'])}, got {_yes(outcome.permitted)}{_because(outcome)}"
    if "reasons" in expect:
        yield from _reasons(expect["reasons"], outcome)
    yield from _same("unknown", expect, outcome.unknown)
    yield from _same("obligations", expect, [o.id for o in outcome.obligations])
    yield from _same("advice", expect, [o.id for o in outcome.advice])


def _reasons(expected: list[Any], outcome: Outcome) -> Iterator[str]:
    if not expected and outcome.reasons:
        yield f"expected no reason{_because(outcome)}"
    for one in expected:
        wanted = {"rule": one} if isinstance(one, str) else one
        if not any(_matches(reason, wanted) for reason in outcome.reasons):
            told = ", ".join(f"{key} {value}" for key, value in wanted.items())
            yield f"expected the reason {told}{_because(outcome)}"


def _matches(reason: Reason, wanted: Mapping[str, str]) -> bool:
    cited = reason.citation
    told = {
        "rule": reason.rule,
        "directive": cited.directive,
        "clause": cited.clause,
        "person_test": cited.person_test,
        "truth": reason.truth.name,
    }
    return all(told[key] == value for key, value in wanted.items())


def _same(key: str, expect: Mapping[str, Any], found: Iterable[str]) -> Iterator[str]:
    names = sorted(found)
    if key in expect and sorted(expect[key]) != names:
        yield f"expected {key} {_listed(sorted(expect[key]))}, got {_listed(names)}"


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _because(outcome: Outcome) -> str:
    parts = [str(reason) for reason in outcome.reasons]
    if outcome.unknown:
        parts.append(f"unknown {', '.join(outcome.unknown)}")
    return f"; got {'; '.join(parts)}" if parts else ""
