import warnings

import pytest

from abac.enforcer import FallbackWarning
from abac.policy.decision import Decision
from tests.enforcer.building import answer, compiled, pair
from tests.enforcer.worlds import HEAD, ROLES, text


@pytest.mark.parametrize(
    ("matcher", "names"),
    [
        ("r.sub.name.startswith(p.sub)", "methods cannot be called"),
        ("r.sub['name'] == p.sub", "expected end of text"),
        ("(r.sub.name if r.obj == p.obj else 'x') == p.sub", "if"),
        ("p.sub in r.sub.name and 'n' in ('ann')", "`in` needs a set"),
        ("r.sub.name == p.sub && r.sub.name == 3", "meets"),
        ("unheard(r.sub.name) == p.sub", "no function `unheard`"),
    ],
)
def test_a_construct_outside_the_grammar_is_left_to_stock_with_a_warning_that_names_it(matcher, names):
    stock, ours = pair(text("sub, obj", "sub, obj", matcher), "p, ann, o\np, bob, o")
    requests = [({"name": n}, o) for n in ("ann", "bob", "cid") for o in "ox"]
    with pytest.warns(FallbackWarning, match="matcher `m` is left to stock") as caught:
        assert [answer(ours, *q) for q in requests] == [answer(stock, *q) for q in requests]
    assert len(caught) == 1
    assert names in str(caught[0].message)


def test_a_matcher_left_to_stock_is_decided_and_a_missing_attribute_is_named():
    _, ours = pair(text("sub, obj", "sub, obj", "r.sub.name.startswith(p.sub) && r.obj == p.obj"), "p, an, o")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        found = ours.decide({"name": "ann"}, "o")
        assert (found.decision, found.permitted, found.reasons[0].rule) == (Decision.PERMIT, True, "p#1")
        assert ours.decide({"name": "bob"}, "o").decision is Decision.DENY
        for nothing in ({}, {"name": None}, None):
            found = ours.decide(nothing, "o")
            assert found.decision is Decision.INDETERMINATE
            assert not found.permitted
        assert (
            ours.decide({}, "o").unknown == ("r.sub.name.startswith",)
            or "r.sub.name" in ours.decide({}, "o").unknown
        )
        assert ours.decide({"name": 3}, "o").decision is Decision.INDETERMINATE


@pytest.mark.parametrize("effect", ["indeterminate", "", "Allow"])
def test_a_row_without_a_known_effect_is_stock_s(effect):
    stock, ours = pair(text("sub", "sub, eft", "r.sub == p.sub"), f"p, ann, {effect}\np, bob, allow")
    with pytest.warns(FallbackWarning, match="neither `allow` nor `deny`"):
        assert [answer(ours, q) for q in ("ann", "bob")] == [answer(stock, q) for q in ("ann", "bob")]


def test_an_effector_of_ones_own_is_stock_s():
    class Always:
        def intermediate_effect(self, _):
            return 1

        def final_effect(self, _):
            return 0

    stock, ours = pair(text("sub", "sub", "r.sub == p.sub"), "p, ann")
    assert not ours.enforce("bob")
    for enforcer in (stock, ours):
        enforcer.set_effector(Always())
    with pytest.warns(FallbackWarning, match="effector Always"):
        assert answer(ours, "bob") == answer(stock, "bob") == (True, [])


def test_a_request_of_other_types_or_with_a_gap_is_stock_s_and_raises_as_there():
    model = text("sub, obj", "rule, obj", "eval(p.rule) && r.obj == p.obj")
    stock, ours = pair(model, 'p, r.sub.age > 3, o\np, r.sub.name == "ann" && r.sub.gone > 1, o')

    class Equal:
        age, name, gone = 1, "bob", 2

        def __eq__(self, other):
            return True

        __hash__ = None

    for request in (
        ({"age": 5}, "o"),
        ({"age": 1}, "o"),
        ({}, "o"),
        ({"age": True, "name": "ann", "gone": 1}, "o"),
        ({"age": None, "name": "ann", "gone": 1}, "o"),
        ({"age": "5", "name": "ann", "gone": 1}, "o"),
        ({"age": 2**60, "name": "ann", "gone": 1}, "o"),
        (Equal(), Equal()),
        ({"age": 5, "name": "ann", "gone": 1},),
        (),
    ):
        assert answer(ours, *request) == answer(stock, *request), request
    assert compiled(ours).program is not None


def test_the_matcher_of_an_empty_policy_runs_once_on_empty_text():
    for effect in ("some(where (p.eft == allow))", "!some(where (p.eft == deny))"):
        for matcher in ("r.sub == p.sub", 'r.sub == "root" || r.sub == p.sub'):
            stock, ours = pair(text("sub", "sub", matcher, effect))
            assert [answer(ours, q) for q in ("", "root", "x")] == [answer(stock, q) for q in ("", "root", "x")]
    stock, ours = pair(text("sub", "rule", "eval(p.rule)"))
    assert answer(ours, {"a": 1}) == answer(stock, {"a": 1}) == "RuntimeError"
    assert ours.decide({"a": 1}).decision is Decision.DENY


def test_a_model_without_a_definition_that_is_asked_for_raises_as_in_stock():
    stock, ours = pair(
        HEAD.format(
            request="sub",
            fields="sub",
            effect="some(where (p.eft == allow))",
            matcher="r.sub == p.sub",
            roles=ROLES,
        )
    )
    for enforcer in (stock, ours):
        enforcer.model.model.pop("m")
    assert answer(ours, "ann") == answer(stock, "ann")
