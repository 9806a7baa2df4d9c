import pytest

from abac.condition.schema import Category
from abac.pip.ownership import Claim, Ownership, OwnershipError


def claim(source, *owns, attests=(), type="", category=Category.SUBJECT):  # noqa: A002  # AuthZEN's word
    return Claim(source, category, frozenset(owns), frozenset(attests), type)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ([claim("a", "subject.tier"), claim("b", "subject.tier")], "source `a` owns it"),
        ([claim("a", "subject.tier"), claim("b", "subject.tier", type="user")], "source `a` owns it"),
        ([claim("a", "subject.tier", type="user"), claim("b", "subject.tier")], "source `a` owns it"),
        ([claim("a", "subject.id")], "the caller says it"),
        ([claim("a", "resource.tier")], "not looked up by the id of a subject"),
        ([claim("a", "environment.now", category=Category.ENVIRONMENT)], "not looked up by the id of anything"),
        ([claim("a", attests=("subject.tier",))], "only where another source owns it"),
        ([claim("a", "subject.tier", attests=("subject.tier",))], "only where another source owns it"),
    ],
)
def test_claims_that_cannot_stand_together_are_refused(claims, why):
    with pytest.raises(OwnershipError, match=why):
        Ownership(claims)


def test_sources_of_different_types_may_each_own_the_attribute():
    ownership = Ownership([claim("a", "subject.tier", type="user"), claim("b", "subject.tier", type="agent")])
    assert ownership.owned == {"subject.tier"}
    assert [c.covers("user") for c in ownership.claims] == [True, False]
    assert all(c.covers("") for c in ownership.claims)
