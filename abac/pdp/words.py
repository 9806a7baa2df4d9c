"""Put an explanation into words: short paragraphs that name rule, clause, attribute, value and source.

What is said is all in the data; nothing is found out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from abac.condition.schema import Assurance
from abac.condition.text import scalar_text
from abac.condition.types import Value

if TYPE_CHECKING:
    from abac.pdp.explanation import (
        Change,
        Counterfactual,
        Explanation,
        Fallback,
        Met,
        Owed,
        Standing,
        Tested,
        Unknown,
    )

SHOWN = 6
"""Elements of a set that are written out."""

DEFAULTS = {
    "default deny": "denies what no rule of it decides",
    "deny-unless-permit": "denies unless a rule of it permits",
    "permit-unless-deny": "permits unless a rule of it denies",
    "xacml-permit-unless-deny": "permits unless a rule of it denies",
}


def text(explanation: Explanation) -> str:
    """Return the paragraphs of an explanation, the decision first."""
    return "\n\n".join("\n".join(lines) for lines in _paragraphs(explanation) if lines)


def _paragraphs(told: Explanation) -> Iterator[list[str]]:
    yield list(_decision(told))
    yield [line for rule in told.overridden for line in _overridden(rule)]
    yield [_owed(o) for o in told.owed]
    yield [_unknown(u) for u in told.unknown]
    yield list(_nearest(told))
    yield list(_counterfactual(told.counterfactual, permit=told.outcome.extended.decision.value == "PERMIT"))


# --- what decided ----------------------------------------------------------------------------------------


def _decision(told: Explanation) -> Iterator[str]:
    name = told.outcome.extended.decision.value
    if name == "INDETERMINATE":
        yield f"INDETERMINATE: what is known leaves {_and(_possible(told.outcome.extended))} open."
    elif not told.decided and not told.fallbacks:
        yield f"{name}: no rule applies."
    for rule in told.decided:
        if rule.truth.name == "TRUE":
            stands = " stands" if name == "INDETERMINATE" else ""
            yield f"{rule.effect.value}{stands} by {cited(rule)}. It applies because"
        else:
            yield f"{rule.effect.value} is possible by {cited(rule)}. It is UNKNOWN because"
        yield from _tests(rule.tests)
    for fallback in told.fallbacks:
        yield f"{name} by default{' too' if told.decided else ''}: {_fallback(fallback)}."


def _possible(extended: int) -> list[str]:
    names = {1: "PERMIT", 2: "DENY", 4: "NOT_APPLICABLE"}
    return [name for bit, name in names.items() if extended & bit]


def _fallback(fallback: Fallback) -> str:
    return f"policy `{fallback.policy}` {DEFAULTS.get(fallback.why, fallback.why)}"


def cited(rule: Standing) -> str:
    """Return what a rule is by its citation: the directive's clause, or the rule with its file and line."""
    cite = rule.citation
    if not cite.directive:
        return f"rule {rule.rule}" + (f" ({cite.file}:{cite.line})" if cite.file else "")
    letter = f" ({rule.letter})" if rule.letter else ""
    test = f", person test {cite.person_test}" if cite.person_test else ""
    return f"directive {cite.directive}, clause {cite.clause}{letter}{test}"


def _overridden(rule: Standing) -> Iterator[str]:
    yield f"{_upper(cited(rule))}, a {rule.effect.value}, holds too and is overridden. It applies because"
    yield from _tests(rule.tests)


def _tests(tests: Sequence[Tested]) -> Iterator[str]:
    if not tests:
        yield "  - it has no condition."
    for at, test in enumerate(tests):
        yield f"  - {_test(test)}{'.' if at == len(tests) - 1 else ';'}"


def _test(test: Tested) -> str:
    met = "; ".join(_met(m) for m in test.met)
    return f"{test.text} is {test.truth.name}" + (f": {met}" if met else "")


def _met(met: Met) -> str:
    if met.assurance is None:
        return f"{met.attribute} is absent"
    notes = [str(met.assurance)]
    if met.doubt.name == "ASSURANCE":
        notes.append(f"{met.least} is demanded")
    notes += [f"source {met.source}"] if met.source else []
    notes += [] if met.complete else ["perhaps not all"]
    return f"{met.attribute} is {'withheld' if met.hidden else value_text(met.value)} ({', '.join(notes)})"


def value_text(value: Value | None) -> str:
    """Return a value as it is written in a condition; a long set is cut short.

    >>> value_text(frozenset({"US", "FR"})), value_text(None)
    ('{"FR", "US"}', 'absent')
    """
    if value is None:
        return "absent"
    return set_text(value) if isinstance(value, frozenset) else scalar_text(value)


def set_text(values: frozenset[object]) -> str:
    """Return a set as it is written, cut short after a few elements.

    >>> set_text(frozenset())
    '{}'
    """
    written = sorted(scalar_text(v) for v in values)  # type: ignore[arg-type]  # a set of scalars
    more = len(written) - SHOWN
    return "{" + ", ".join(written[:SHOWN]) + (f", and {more} more" if more > 0 else "") + "}"


# --- what is owed, and what is not known -----------------------------------------------------------------


def _owed(owed: Owed) -> str:
    by = f" (by {', '.join(owed.rules)})" if owed.rules else ""
    name = owed.obligation.id
    if owed.obligation.advice:
        return f"Advice goes with it: {name}{by}."
    if owed.discharged:
        return f"The caller discharges the obligation {name}{by}."
    return (
        f"It owes the obligation {name}{by}, which the caller has not said it discharges: so it is not permitted."
    )


def _unknown(unknown: Unknown) -> str:
    met = unknown.met
    rules = f" (for {_few(unknown.rules)})"
    match unknown.doubt.name:
        case "PENDING":
            return f"{unknown.name} would settle it{rules}: its definition is pending."
        case "NO_VALUE":
            return f"{unknown.name} has no value{rules}, so that its test cannot come out."
        case "ABSENT":
            why = "it is absent"
        case "ASSURANCE":
            assert met is not None  # noqa: S101  # less assurance than demanded: something was asserted
            why = f"it is asserted as {met.assurance} by {met.source or 'the request'}; {met.least} is demanded"
        case _:
            assert met is not None  # noqa: S101  # an incomplete set was asserted
            held = "" if met.hidden else f" {value_text(met.value)}"
            why = f"the set{held} from {met.source or 'the request'} may not be all there is"
    return f"{unknown.name} would settle it{rules}: {why}."


def _few(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


# --- what nearly applied ---------------------------------------------------------------------------------


def _nearest(told: Explanation) -> Iterator[str]:
    for rule in told.nearest:
        assert rule.failed is not None  # noqa: S101  # that is what makes it near
        yield f"{_upper(cited(rule))}, a {rule.effect.value}, lacks one conjunct:"
        yield f"  - {rule.failed.text} is {rule.failed.truth.name}" + (
            f": {'; '.join(_met(m) for m in rule.failed.met)}." if rule.tests == () else ", because"
        )
        yield from (f"    - {_test(test)}." for test in rule.tests)
    if told.left_out:
        plural = "rule lacks" if told.left_out == 1 else "rules lack"
        yield f"{told.left_out:,} more {plural} one conjunct."


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- what would change it --------------------------------------------------------------------------------


def _counterfactual(found: Counterfactual, *, permit: bool) -> Iterator[str]:
    wanted = (
        "another decision than PERMIT" if permit and len(found.wanted) > 1 else _or(d.value for d in found.wanted)
    )
    if not found.finished:
        yield f"Whether {wanted} is near is not known: the search stopped at its limit."
    elif not found.changes and found.exact:
        yield f"No change of what may change gives {wanted}."
    elif not found.changes:
        yield f"No change was found that gives {wanted}; not all could be tried."
    else:
        assert found.decision is not None  # noqa: S101  # a change was found, so it was decided
        changes = _and([_change(c) for c in found.changes])
        yield f"{found.decision.value} would follow if {changes}."
        if found.obligations:
            yield f"It would owe {', '.join(found.obligations)}."
        if not found.exact:
            yield "A smaller change may exist."


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _change(change: Change) -> str:
    before = change.before
    if change.hidden:
        return f"{change.attribute} were another ({change.assurance})"
    if before.assurance is not None and before.value == change.value:
        whole = "" if before.complete else " and complete"
        return f"{change.attribute} were {value_text(change.value)} as {change.assurance}{whole}"
    instead = f" instead of {value_text(before.value)}" if before.assurance is not None else ""
    sure = f" ({change.assurance})" if change.assurance is not Assurance.INFERRED else ""
    return f"{change.attribute} were {value_text(change.value)}{sure}{instead}"
