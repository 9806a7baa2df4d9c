"""An entry must be in the log first wherever a binding directive's scope is TRUE or UNKNOWN, and nowhere else."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import abac
from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Comparison, Constant, Order
from abac.condition.reference import Reference
from abac.condition.schema import Assurance, Category
from abac.condition.truth import FALSE
from abac.condition.types import STRING
from abac.policy.directive import Clause, ClauseKind, Directive, Event, Exemption, Interval, StatusEvent
from abac.policy.request import Request, assertions
from abac.policy.rule import Algorithm, PolicySet
from abac.service.recording.answer import Recorded
from abac.service.recording.scope import Scope
from tests.agreement import strategies as drawn
from tests.service.recording.worlds import ALWAYS, FRENCH, NOW, SINCE, asking, directive, model, program

RESCINDED = StatusEvent(Event.RESCINDED, NOW, NOW)
STARTED = StatusEvent(Event.EFFECTIVE, SINCE, SINCE)
BEFORE = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("held", "request_", "expected"),
    [
        (directive(), asking(what="fable"), True),
        (directive(), asking(what="other"), False),
        (directive(binding=False), asking(what="fable"), False),
        (directive(subject=FRENCH), asking(what="fable", born="FR"), True),
        (directive(subject=FRENCH), asking(what="fable", born="US"), False),
        (directive(subject=FRENCH), asking(what="fable", born=None), True),
        (directive(kind=ClauseKind.OBLIGE), asking(what="fable"), True),
        (directive(exemptions=(Exemption("all", ALWAYS),)), asking(what="fable"), True),
        (directive(events=(STARTED, RESCINDED)), asking(what="fable", now=BEFORE), True),
        (directive(events=(STARTED, RESCINDED)), asking(what="fable", now=NOW), False),
        (directive(), asking(what="fable", now=SINCE - timedelta(seconds=1)), False),
        (directive(), Request({"id": "ada"}, "invoke", {"id": "fable"}), True),
        (directive(), Request({"id": "ada"}, "invoke", {"id": "other"}), False),
        (directive(), Request({"id": "ada"}, "invoke", {}, {"now": NOW}), True),
    ],
    ids=[
        *(
            "in scope",
            "another model",
            "not binding",
            "the subject in scope",
            "the subject not",
            "the subject unknown",
        ),
        *("an obliging clause", "exempted all the same", "before it is rescinded", "after", "before it begins"),
        *("no time", "no time, another model", "no model"),
    ],
)
def test_where_a_binding_directive_is_in_scope(held, request_, expected):
    assert Scope(program(held)).holds(request_) is expected


def test_what_is_asserted_too_weakly_is_in_scope():
    demanding = Comparison(
        Order.EQUAL, Attribute(Category.SUBJECT, "birthplace", STRING, Assurance.VERIFIED), Constant("FR", STRING)
    )
    scope = Scope(program(directive(subject=demanding)))
    assert scope.holds(asking(what="fable", born="US"))
    assert not scope.holds(asking(what="fable", born={"value": "US", "assurance": "verified"}))


@given(st.lists(st.tuples(drawn.conditions, drawn.conditions, st.booleans()), max_size=4), drawn.assertions())
def test_the_question_is_the_reference_s(scopes, asserted):
    directives = tuple(
        Directive(
            f"d{n}", "k", binding, (Clause("c", ClauseKind.DENY, subject, resource, ALWAYS),), (), (STARTED,)
        )
        for n, (subject, resource, binding) in enumerate(scopes)
    )
    held = assemble(
        drawn.SCHEMA, PolicySet("root", Algorithm.DENY_OVERRIDES), drawn.FUNCTIONS, directives=directives
    )
    request = drawn.as_request(asserted)
    reference = Reference(assertions(request, drawn.SCHEMA), drawn.FUNCTIONS)
    in_force = Interval(SINCE).condition()
    expected = any(
        FALSE not in [reference.truth(c) for c in (in_force, d.clauses[0].subject, d.clauses[0].resource)]
        for d in directives
        if d.binding
    )
    assert Scope(held).holds(request) is expected


@pytest.mark.parametrize("own", [model("vip"), 'r.obj.id == "vip"', lambda resource: resource.get("id") == "vip"])
@pytest.mark.parametrize("mode", ["auto", "spill", "buffered"])
def test_the_caller_s_own_scope(store, own, mode):
    with abac.RecordedPoint(program(), store, mode=mode, required_for=own) as point:
        assert point.decide(asking(what="vip")).recorded is Recorded.LOG
        assert point.decide(asking(what="other")).recorded is not Recorded.LOG


def test_a_scope_that_cannot_be_answered_is_required(store):
    with abac.RecordedPoint(program(), store, required_for=lambda resource: resource["none"]) as point:
        assert point.decide(asking()).recorded is Recorded.LOG


def test_a_text_that_is_no_condition_is_refused(store):
    with pytest.raises(abac.CompileError, match="required_for:1:"):
        abac.RecordedPoint(program(), store, required_for="r.obj.ide == 'x'")


def test_spill_alone_does_not_ask_directives(store):
    with abac.RecordedPoint(program(directive()), store, mode="spill") as point:
        assert point.decide(asking(what="fable")).recorded is Recorded.JOURNAL
