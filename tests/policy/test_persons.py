import time

import pytest

from abac.condition.expr import And, Condition, Definition, Not, Or, depth
from abac.errors import Findings
from abac.policy.persons import MAX_CHAIN, PersonTest, link, references, substitute
from tests.reading import condition

FLAG, HIDDEN = condition("r.sub.flag"), condition("r.obj.hidden")


def _person(name: str) -> Definition:
    return Definition("person", name)


def _link(**tests: Condition) -> tuple[dict[str, PersonTest], Findings]:
    findings = Findings()
    named = {f"{name}@1": PersonTest(name, 1, whole) for name, whole in tests.items()}
    return link(named, findings), findings


def test_a_reference_is_replaced_by_what_it_stands_for_through_any_others():
    linked, findings = _link(a=And((_person("b@1"), FLAG)), b=Not(_person("c@1")), c=HIDDEN)
    assert not findings.errors
    assert linked["a@1"].condition == And((Not(HIDDEN), FLAG))
    assert not any(list(references(test.condition)) for test in linked.values())


@pytest.mark.parametrize(
    ("tests", "circle"),
    [
        ({"a": _person("a@1")}, "a@1 -> a@1"),
        ({"a": _person("b@1"), "b": Not(_person("a@1"))}, "a@1 -> b@1 -> a@1"),
        (
            {"a": _person("b@1"), "b": Or((FLAG, _person("c@1"))), "c": And((_person("a@1"), FLAG))},
            "a@1 -> b@1 -> c@1 -> a@1",
        ),
        ({"a": _person("b@1"), "b": _person("c@1"), "c": _person("b@1")}, "b@1 -> c@1 -> b@1"),
    ],
)
def test_a_circle_is_found_once_and_told_in_full(tests, circle):
    _, findings = _link(**tests)
    (found,) = findings.errors
    assert found.code == "circular-person-test"
    assert found.message.endswith(circle)


def test_an_unknown_test_is_found_with_what_was_meant():
    _, findings = _link(a=_person("foreign-persn@1"), **{"foreign-person": FLAG})
    (found,) = findings.errors
    assert (found.code, found.hint) == ("unknown-person-test", "did you mean `foreign-person@1`?")


def test_tests_that_double_at_every_step_are_refused_at_once():
    doubling = {f"p{n}": And((_person(f"p{n + 1}@1"), Or((_person(f"p{n + 1}@1"), FLAG)))) for n in range(40)}
    start = time.process_time()
    _, findings = _link(**doubling, p40=FLAG)
    assert {f.code for f in findings.errors} == {"too-large"}
    assert time.process_time() - start < 20


def test_a_chain_of_tests_is_followed_so_far_and_no_further():
    def chain(length: int) -> dict[str, Condition]:
        return {f"p{n}": Not(_person(f"p{n + 1}@1")) for n in range(length)} | {f"p{length}": FLAG}

    linked, findings = _link(**chain(MAX_CHAIN))
    assert not findings.errors
    assert depth(linked["p0@1"].condition) == MAX_CHAIN + 2
    _, findings = _link(**chain(5_000))
    assert "nested-too-deep" in {f.code for f in findings.errors}


def test_substitution_leaves_other_kinds_of_definition_alone():
    whole = And((_person("a@1"), Definition("term", "a@1")))
    assert substitute(whole, {("person", "a@1"): FLAG}) == And((FLAG, Definition("term", "a@1")))
