import pytest
from casbin.model import Model
from casbin.persist.adapters import StringAdapter
from hypothesis import given
from hypothesis import strategies as st

from abac.enforcer import Enforcer
from abac.errors import CompileError
from tests.enforcer.building import RULES, built
from tests.enforcer.memory import Memory
from tests.enforcer.worlds import text

GOOD = "r.sub.age > 3"
BAD = "True) or (True"
HOSTILE = (
    BAD,
    "__import__('os').system('true')",
    "(lambda: True)()",
    "[x for x in (1, 2)]",
    "r.sub.__class__",
    "r.sub.pop('age')",
    "r.sub.age > 3 # or",
    "r.sub.age > 3; True",
    "f'{r.sub}'",
    "eval(p.obj)",
    "",
    "r.sub.age >",
    "(" * 200 + "True" + ")" * 200,
)


class Tripped(dict):
    """A request object that notes whether anything calls it."""

    called = False

    def pop(self, *_):
        Tripped.called = True

    def __call__(self):
        Tripped.called = True


def ready(rows=(("p", (GOOD, "o", "allow")),)):
    model = Model()
    model.load_model_from_text(RULES)
    return Enforcer(model, Memory(rows))


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_rule_text_is_refused_with_its_place_and_nothing_is_stored(bad):
    enforcer = ready()
    for add in (
        lambda: enforcer.add_policy(bad, "o", "allow"),
        lambda: enforcer.add_policies([[GOOD, "x", "allow"], [bad, "o", "allow"]]),
        lambda: enforcer.add_policies_ex([[bad, "o", "allow"]]),
        lambda: enforcer.add_named_policy("p", [bad, "o", "allow"]),
        lambda: enforcer.update_policy([GOOD, "o", "allow"], [bad, "o", "allow"]),
        lambda: enforcer.update_policies([[GOOD, "o", "allow"]], [[bad, "o", "allow"]]),
        lambda: enforcer.update_filtered_policies([[bad, "o", "allow"]], 1, "o"),
        lambda: enforcer.add_permission_for_user(bad, "o", "allow"),
    ):
        with pytest.raises(CompileError, match=r"<policy p>:[12]:"):
            add()
    assert enforcer.get_policy() == [[GOOD, "o", "allow"]]
    assert enforcer.adapter.rows == [("p", [GOOD, "o", "allow"])]
    assert enforcer.enforce({"age": 5}, "o")


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_rule_text_from_a_database_or_in_the_live_list_decides_nothing(bad):
    with pytest.raises(CompileError):
        ready([("p", (bad, "o", "allow"))])
    enforcer = ready()
    enforcer.get_policy().append([bad, "o", "allow"])
    for ask in (enforcer.enforce, enforcer.enforce_ex, enforcer.decide):
        with pytest.raises(CompileError, match="<policy p>:2:"):
            ask(Tripped(age=5), "o")
    assert not Tripped.called
    enforcer.get_policy().pop()
    assert enforcer.enforce({"age": 5}, "o")


def test_the_place_is_that_in_the_file(tmp_path):
    conf, rows = tmp_path / "m.conf", tmp_path / "rows.csv"
    conf.write_text(RULES)
    rows.write_text(f"# rules\np, {GOOD}, o, allow\n\np,   r.sub.age > 3 or, o, allow\n")
    with pytest.raises(CompileError, match=rf"{rows}:4:22: error\[syntax\]: expected a value"):
        Enforcer(str(conf), str(rows))


@pytest.mark.parametrize("adapter", [str, lambda path: StringAdapter(path.read_text())])
def test_brackets_that_do_not_pair_up_have_a_place_too(tmp_path, adapter):
    conf, rows = tmp_path / "m.conf", tmp_path / "rows.csv"
    conf.write_text(RULES)
    rows.write_text(f"p, {GOOD}, o, allow\np, {BAD}, o, allow\n")
    with pytest.raises(CompileError, match=r":2:8: error\[row\]: brackets do not pair up"):
        Enforcer(str(conf), adapter(rows))


def test_an_error_of_the_adapter_itself_stays_what_it_is():
    class Failing(Memory):
        def load_policy(self, _):
            raise IndexError

    model = Model()
    model.load_model_from_text(RULES)
    with pytest.raises(IndexError):
        Enforcer(model, Failing([]))


def test_a_function_that_nobody_added_is_refused_when_it_is_asked():
    enforcer = ready()
    enforcer.add_policy("open('/etc/passwd')", "o", "allow")
    with pytest.raises(CompileError, match="no function `open`"):
        enforcer.enforce({"age": 5}, "o")
    enforcer.add_function("open", lambda _: True)
    assert enforcer.enforce({"age": 1}, "o")


@given(st.text(max_size=30))
def test_any_text_is_one_condition_or_refused_and_never_stock_s_to_evaluate(rule):
    enforcer = built(Enforcer, RULES)
    try:
        enforcer.add_policy(rule, "o", "allow")
        enforcer.enforce({"age": 5}, "o")
    except CompileError:
        return
    assert enforcer._states["r", "p", "m"].program is not None


def test_a_matcher_that_evaluates_never_falls_back(recwarn):
    model = text("sub, obj", "rule, obj", "eval(p.rule) && r.obj.startswith(p.obj)")
    enforcer = built(Enforcer, model, "p, r.sub.age > 3, o")
    with pytest.raises(CompileError, match="methods cannot be called"):
        enforcer.enforce({"age": 5}, "o")
    model = text("sub, obj", "rule, obj", "eval(r.sub.rule) && r.obj == p.obj")
    with pytest.raises(CompileError, match="`eval` takes a field of the policy row"):
        built(Enforcer, model, "p, x, o").enforce({"rule": "True"}, "o")
    assert not list(recwarn)


def test_rows_that_do_not_fit_the_model_are_refused_where_rules_are_evaluated():
    enforcer = ready()
    enforcer.get_policy().append([GOOD, "o"])
    with pytest.raises(CompileError, match="row has 2 fields; the model's rows have 3"):
        enforcer.enforce({"age": 5}, "o")
    enforcer.get_policy()[1:] = [[GOOD, 3, "allow"]]
    with pytest.raises(CompileError, match="a field of the row is not text"):
        enforcer.enforce({"age": 5}, "o")
