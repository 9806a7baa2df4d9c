import casbin
import pytest

from abac.enforcer import Enforcer
from abac.enforcer.ledger import LEDGER
from abac.errors import CompileError
from tests.enforcer.building import RULES, answer, built, pair
from tests.enforcer.worlds import ROLES, text

TESTS = {}


def line(name):
    def keep(test):
        TESTS[name] = test
        return test

    return keep


@pytest.mark.parametrize("name", [difference.name for difference in LEDGER])
def test_each_line_of_the_ledger_is_so(name):
    TESTS[name]()


def test_there_is_no_line_without_a_test_and_no_test_without_a_line():
    assert sorted(TESTS) == sorted(difference.name for difference in LEDGER)


def refused(rows, *says, model=RULES):
    stock = built(casbin.Enforcer, model, rows)
    with pytest.raises(CompileError) as caught:
        built(Enforcer, model, rows).enforce({"a": 1}, "o")
    assert all(word in str(caught.value) for word in says), caught.value
    return stock


@line("rule-text")
def rule_text():
    bad = ["False) or (True", "o", "allow"]
    stock, ours = pair(RULES)
    assert stock.add_policy(*bad)
    assert stock.enforce({"a": 1}, "o")
    with pytest.raises(CompileError, match=r"<policy p>:1:9: .*expected end of text"):
        ours.add_policy(*bad)
    assert not ours.get_policy()


@line("rule-language")
def rule_language():
    stock = refused('p, r.sub.name.startswith("a"), o, allow', "methods cannot be called")
    assert stock.enforce({"name": "ann"}, "o")


@line("mixed-types")
def mixed_types():
    stock = refused(
        'p, r.sub.a == 1, o, allow\np, r.sub.a == "x", o, deny',
        "`subject.a` meets",
        "a number",
        "text",
        "p>:1",
        "p>:2",
    )
    assert stock.enforce({"a": 1}, "o")


@line("text-in-strings")
def text_in_strings():
    stock, ours = pair(RULES, 'p, r.sub.name == "r&&d", o, allow')
    assert (answer(stock, {"name": "r&&d"}, "o")[0], answer(ours, {"name": "r&&d"}, "o")[0]) == (False, True)
    assert answer(stock, {"name": "randd"}, "o")[0]


@line("more-words")
def more_words():
    stock, ours = pair(RULES, 'p, any_of(r.sub.groups, {"a"}) && true, o, allow')
    assert answer(stock, {"groups": ["a"]}, "o") in ("FunctionNotDefined", "NameNotDefined")
    assert answer(ours, {"groups": ["a"]}, "o")[0]


@line("settled-anyway")
def settled_anyway():
    model = RULES.replace("priority(p.eft) || deny", "some(where (p.eft == allow))")
    stock, ours = pair(model, "p, r.sub.a / r.sub.b > 1, o, allow\np, r.sub.a == 1, o, allow")
    request = ({"a": 1, "b": 0}, "o")
    assert answer(stock, *request) == "ZeroDivisionError"
    assert answer(ours, *request) == (True, ["r.sub.a == 1", "o", "allow"])


@line("key-patterns")
def key_patterns():
    for function, pattern, key in (("keyMatch5", "/a.b", "/aXb"), ("keyMatch4", "/{x}.a/{x}", "/1Xa/1")):
        stock, ours = pair(text("obj", "obj", f"{function}(r.obj, p.obj)"), f"p, {pattern}")
        assert (answer(stock, key)[0], answer(ours, key)[0]) == (True, False)
        exact = key.replace("X", ".")
        assert answer(stock, exact) == answer(ours, exact) == (True, [pattern])


@line("calls-counted")
def calls_counted():
    for pure, wanted in ((True, 1), (False, 3)):
        stock, ours = pair(
            text("sub, obj", "sub, obj", "same(r.sub, p.sub) && r.obj == p.obj"), "p, ann, o\np, ann, x"
        )
        calls = {stock: 0, ours: 0}
        for enforcer in (stock, ours):

            def same(a, b, enforcer=enforcer, calls=calls):
                calls[enforcer] += 1
                return a == b

            enforcer.add_function("same", same, **({"pure": pure} if enforcer is ours else {}))
            for _ in range(3):
                assert enforcer.enforce("ann", "x")
                assert not enforcer.enforce("ann", "nowhere")
        assert calls[stock] == 12
        assert calls[ours] in (wanted, 2 * wanted)


@line("copied-lists")
def copied_lists():
    stock, ours = pair(text("sub", "sub", "r.sub == p.sub"))
    for enforcer, still in ((stock, False), (ours, True)):
        mine = ["ann"]
        enforcer.add_policy(mine)
        mine[0] = "bob"
        assert enforcer.enforce("ann") is still
        enforcer.get_policy()[0][0] = "cid"
        assert enforcer.enforce("cid")


@line("roles-themselves")
def roles_themselves():
    stock, ours = pair(
        text("sub, obj", "sub, obj", "g(r.sub, p.sub) && r.obj == p.obj", roles=ROLES),
        "p, admin, o\ng, ann, admin",
    )
    for enforcer in (stock, ours):
        assert answer(enforcer, "bob", "o") == (False, [])
        roles = enforcer.get_role_manager().all_roles
        roles.setdefault("bob", type(roles["ann"])("bob")).add_role(roles["admin"])
    assert (answer(stock, "bob", "o")[0], answer(ours, "bob", "o")[0]) == (True, False)
    for enforcer in (stock, ours):
        enforcer.get_role_manager().add_link("bob", "admin")
        assert answer(enforcer, "bob", "o")[0]


@line("whole-names")
def whole_names():
    refused("p, r.sub.__class__ == r.sub.b, o, allow", "`__class__` is nothing a policy may read")
    refused('p, r.sub.format == "x", o, allow', "`format` is nothing a policy may read")
