from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.condition.expr import Literal
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.policy.decision import Effect, Obligation
from abac.policy.directive import (
    Clause,
    ClauseKind,
    Directive,
    Event,
    Exemption,
    Interval,
    StatusEvent,
    denied_scope,
    rules,
)
from tests.reading import condition

ALWAYS = Literal(TRUE)
MICRO = timedelta(microseconds=1)


def day(number: int) -> datetime:
    return datetime(2026, 6, number, tzinfo=UTC)


def event(kind: str, at: int, recorded: int | None = None) -> StatusEvent:
    return StatusEvent(Event(kind), day(at), day(at if recorded is None else recorded))


def directive(*events: StatusEvent, exemptions=(), kind=ClauseKind.DENY, scope=ALWAYS) -> Directive:
    clause = Clause("c", kind, scope, ALWAYS, ALWAYS, (Obligation("duty"),))
    return Directive("d", "broad", binding=True, clauses=(clause,), exemptions=tuple(exemptions), events=events)


def intervals(*events: StatusEvent, as_known_at: datetime | None = None) -> list[tuple]:
    found = directive(*events).in_force(as_known_at)
    return [(i.start and i.start.day, i.end and i.end.day) for i in found]


@pytest.mark.parametrize(
    ("events", "in_force"),
    [
        ([], []),
        ([("published", 1)], []),
        ([("effective", 2)], [(2, None)]),
        ([("effective", 2), ("rescinded", 5)], [(2, 5)]),
        ([("effective", 2), ("not_enforced", 5)], [(2, 5)]),
        ([("effective", 2), ("suspended", 3), ("resumed", 4), ("rescinded", 9)], [(2, 3), (4, 9)]),
        ([("rescinded", 9), ("resumed", 4), ("suspended", 3), ("effective", 2)], [(2, 3), (4, 9)]),
        ([("effective", 2), ("effective", 3)], [(2, None)]),
        ([("suspended", 2), ("rescinded", 3)], []),
        ([("effective", 2), ("rescinded", 2)], []),
        ([("effective", 2), ("published", 3)], [(2, None)]),
        ([("effective", 2), ("rescinded", 5), ("resumed", 7)], [(2, 5)]),
        ([("effective", 2), ("rescinded", 5), ("effective", 7)], [(2, 5), (7, None)]),
    ],
)
def test_the_intervals_in_force_are_derived_from_the_events(events, in_force):
    assert intervals(*(event(*e) for e in events)) == in_force


def test_what_was_in_force_on_the_20th_depends_on_what_was_known_on_the_18th():
    late = (event("effective", 10), event("suspended", 15, recorded=19), event("resumed", 17, recorded=19))
    assert intervals(*late, as_known_at=day(18)) == [(10, None)]
    assert intervals(*late, as_known_at=day(19)) == [(10, 15), (17, None)]
    assert intervals(*late) == [(10, 15), (17, None)]
    assert intervals(*late, as_known_at=day(9)) == []


def _stands(made: Directive, now: datetime | None, as_known_at: datetime | None = None):
    denials, riders = rules(made, as_known_at)
    (rule,) = [*denials, *riders]
    held = {} if now is None else {"environment.now": Assertion(now, Assurance.VERIFIED)}
    return Reference(held, {}).truth(rule.condition)


def test_an_interval_is_half_open_to_the_microsecond():
    made = directive(event("effective", 2), event("rescinded", 5))
    assert [_stands(made, t) for t in (day(2) - MICRO, day(2), day(5) - MICRO, day(5))] == [
        FALSE,
        TRUE,
        TRUE,
        FALSE,
    ]
    assert _stands(made, day(2).astimezone(timezone(timedelta(hours=9)))) is TRUE


def test_without_the_time_it_is_unknown_whether_a_directive_is_in_force():
    assert _stands(directive(event("effective", 2)), None) is UNKNOWN
    assert _stands(directive(), None) is FALSE
    assert _stands(directive(event("effective", 9, recorded=9)), None, day(8)) is FALSE


@given(st.lists(st.tuples(st.sampled_from(list(Event)), st.integers(1, 9), st.integers(1, 9)), max_size=8))
def test_intervals_are_in_order_apart_and_not_empty(drawn):
    made = directive(*(StatusEvent(kind, day(at), day(recorded)) for kind, at, recorded in drawn))
    for known in (None, day(5)):
        edges = [edge for i in made.in_force(known) for edge in (i.start, i.end) if edge is not None]
        assert edges == sorted(edges)
        assert all(i.end is None or i.start < i.end for i in made.in_force(known))
        for number in range(1, 11):
            inside = any(
                i.start <= day(number) and (i.end is None or day(number) < i.end) for i in made.in_force(known)
            )
            assert (_stands(made, day(number), known) is TRUE) == inside


def test_an_exemption_lifts_while_it_lasts():
    lifted = Exemption("e", ALWAYS, Interval(day(3), day(4)))
    made = directive(event("effective", 2), exemptions=[lifted])
    stands = [_stands(made, t) for t in (day(3) - MICRO, day(3), day(4) - MICRO, day(4))]
    assert stands == [TRUE, FALSE, FALSE, TRUE]


def test_an_exemption_names_the_clauses_it_lifts_or_lifts_all():
    for named, stands in (((), FALSE), (("c",), FALSE), (("other",), TRUE)):
        made = directive(event("effective", 2), exemptions=[Exemption("e", ALWAYS, clauses=named)])
        assert _stands(made, day(3)) is stands


def test_an_unknown_exemption_leaves_the_denial_unknown_and_never_lifts_it():
    made = directive(event("effective", 2), exemptions=[Exemption("e", condition("r.sub.flag"))])
    assert _stands(made, day(3)) is UNKNOWN


def test_a_clause_of_denial_is_a_rule_and_the_others_ride_on_permit():
    denials, riders = rules(directive(event("effective", 2)))
    assert (len(denials), riders, denials[0].effect, denials[0].id) == (1, [], Effect.DENY, "d/c")
    for kind in (ClauseKind.OBLIGE, ClauseKind.ADVISE):
        denials, riders = rules(directive(event("effective", 2), kind=kind))
        assert (denials, riders[0].rides_on) == ([], Effect.PERMIT)


def test_whom_a_directive_means_to_deny_does_not_depend_on_the_time():
    assert denied_scope(directive(event("effective", 2))) == ALWAYS
    assert denied_scope(directive(exemptions=[Exemption("all", ALWAYS)])) == Literal(FALSE)
    assert denied_scope(directive(kind=ClauseKind.OBLIGE)) == Literal(FALSE)


def test_the_rules_cite_directive_clause_and_person_test():
    from dataclasses import replace

    made = replace(directive(event("effective", 2)), person_test="foreign@1")
    cited = rules(made)[0][0].citation
    assert (cited.directive, cited.clause, cited.person_test) == ("d", "c", "foreign@1")
