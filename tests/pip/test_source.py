from abac.condition.schema import Category
from abac.pip.resolve import entities
from abac.pip.source import Answer, Entity, Failure, FailureKind
from abac.policy.request import Request


def test_a_failure_is_of_one_attribute_or_of_all():
    one = Failure("hr", FailureKind.WRONG_VALUE, "expected int", "subject.tier", "hr.yaml:3:9")
    assert str(one) == "source `hr` of `subject.tier`: hr.yaml:3:9: expected int [wrong-value]"
    answer = Answer({}, (one,))
    assert answer.failed("subject.tier")
    assert not answer.failed("subject.age")
    assert Answer({}, (Failure("hr", FailureKind.TIMEOUT, "no answer"),)).failed("subject.age")


def test_the_entities_of_a_request_are_those_with_an_id():
    request = Request({"id": {"value": "ana", "assurance": "verified"}, "kind": "person"}, "read", {"cost": 1})
    assert entities(request) == (Entity(Category.SUBJECT, "ana", "person"), Entity(Category.ACTION, "read"))
    typed = entities(request, {Category.SUBJECT: "user"})
    assert typed[0] == Entity(Category.SUBJECT, "ana", "user")
    assert entities(Request({"id": 7}, {}, {})) == ()
