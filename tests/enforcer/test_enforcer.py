import asyncio
import copy
import logging
import threading

import casbin
import pytest
import sqlalchemy
import sqlalchemy_adapter
from casbin.model import FastModel, Model
from casbin.persist.adapters import FilteredFileAdapter
from casbin.persist.adapters.asyncio import AsyncFileAdapter
from casbin.persist.adapters.filtered_file_adapter import Filter
from hypothesis import given
from hypothesis import strategies as st

from abac.enforcer import AsyncEnforcer, Enforcer, SyncedEnforcer
from abac.enforcer.watched import MUTATORS
from abac.errors import CompileError, RequestError
from abac.policy.decision import Decision
from tests.enforcer.building import RULES, answer, built, compiled, pair
from tests.enforcer.worlds import BOTH, NO_DENY, ROLES, text

SEVERAL = """\
[request_definition]
r = sub, obj
r2 = user, path, env
[policy_definition]
p = sub, obj
p2 = rule, path, eft
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj
m2 = eval(p2.rule) && r2.path == p2.path && r2.env.level > 1
"""
SEVERAL_ROWS = 'p, ann, o\np2, r2.user.age > 3, /a, allow\np2, r2.user.name == "ann", /b, allow'
RBAC = text("sub, obj", "sub, obj", "g(r.sub, p.sub) && r.obj == p.obj", roles=ROLES)
RBAC_ROWS = "p, admin, o\ng, ann, admin"


def test_a_context_chooses_the_definitions():
    stock, ours = pair(SEVERAL, SEVERAL_ROWS)
    requests = [
        ({"age": a, "name": n}, p, {"level": v})
        for a in (1, 5)
        for n in ("ann", "x")
        for p in ("/a", "/b")
        for v in (1, 2)
    ]
    for enforcer in (stock, ours):
        enforcer.second = enforcer.new_enforce_context("2")
    for request in requests:
        assert answer(ours, ours.second, *request) == answer(stock, stock.second, *request)
    assert answer(ours, "ann", "o") == answer(stock, "ann", "o")
    assert ours.decide(ours.second, {"age": 5}, "/a", {}).unknown == ("environment.env.level",)
    assert compiled(ours, ("r2", "p2", "m2")).program is not None
    assert answer(ours, ours.new_enforce_context("3"), "x") == answer(stock, stock.new_enforce_context("3"), "x")
    with pytest.raises(RequestError, match="does not define r3, p3, m3"):
        ours.decide(ours.new_enforce_context("3"), "x")


def test_decide_names_what_is_missing_and_enforce_raises_as_stock():
    stock, ours = pair(RULES, 'p, r.sub.age > 3 && r.sub.team == "x", o, allow')
    found = ours.decide({"team": "x"}, "o")
    assert (found.decision, found.unknown, found.permitted) == (Decision.INDETERMINATE, ("subject.age",), False)
    assert ours.decide({"age": None, "team": "x"}, "o").unknown == ("subject.age",)
    assert answer(ours, {"team": "x"}, "o") == answer(stock, {"team": "x"}, "o") == "AttributeDoesNotExist"
    found = ours.decide({"age": 5, "team": "x"}, "o")
    assert (found.decision, found.permitted, found.reasons[0].citation.line) == (Decision.PERMIT, True, 1)
    with pytest.raises(RequestError, match=r"subject\.age"):
        ours.decide({"age": "old"}, "o")
    with pytest.raises(RequestError, match="expected 2 values, got 1"):
        ours.decide({"age": 5})


@pytest.mark.parametrize(
    "rule",
    ["r.sub.age > 3 && False", "(r.sub.age > 3 || True)", "!(r.sub.age > 3 || True)", "r.sub.age == 3 && true"],
)
def test_what_a_rule_reads_must_be_there_though_it_does_not_matter(rule):
    rule = rule.replace("true", "1 == 1")
    stock, ours = pair(RULES, f"p, {rule}, o, allow")
    assert answer(ours, {}, "o") == answer(stock, {}, "o") == "AttributeDoesNotExist"
    for age in (3, 5):
        assert answer(ours, {"age": age}, "o") == answer(stock, {"age": age}, "o")


def test_tokens_edited_in_place_are_seen():
    stock, ours = pair(RBAC, RBAC_ROWS)
    for enforcer in (stock, ours):
        assert answer(enforcer, "ann", "o")[0]
        tokens = enforcer.model["r"]["r"].tokens
        tokens[0], tokens[1] = tokens[1], tokens[0]
    assert answer(ours, "ann", "o") == answer(stock, "ann", "o") == (False, [])
    assert answer(ours, "o", "ann") == answer(stock, "o", "ann")
    for enforcer in (stock, ours):
        enforcer.model["p"]["p"].tokens.append("p_eft")
    assert answer(ours, "o", "ann") == answer(stock, "o", "ann") == "RuntimeError"


def test_a_role_function_that_stock_leaves_behind_is_left_behind_here_too():
    for undo in (lambda e: e.rm_map.clear(), lambda e: e.model.model.pop("g")):
        stock, ours = pair(RBAC, RBAC_ROWS)
        for enforcer in (stock, ours):
            assert answer(enforcer, "ann", "o")[0]
            undo(enforcer)
        for who in ("ann", "admin", "eve"):
            assert answer(ours, who, "o") == answer(stock, who, "o")


def test_a_reason_cites_its_row_by_where_it_stands_now():
    _, ours = pair(text("sub", "sub", "r.sub == p.sub"), "p, ann\np, bob\np, cid")
    assert ours.decide("cid").reasons[0].citation.line == 3
    rule = ours.decide("cid").reasons[0].rule
    ours.get_policy().pop(0)
    found = ours.decide("cid").reasons[0]
    assert (found.rule, found.citation.line) == (rule, 2)
    ours.get_policy().insert(0, ["dan"])
    ours.get_policy().append(["cid"])
    assert [r.citation.line for r in ours.decide("cid").reasons] == [3, 4]
    assert ours.enforce_ex("dan") == (True, ["dan"])
    assert len({r.rule for who in ("bob", "cid", "dan") for r in ours.decide(who).reasons}) == 4


VALUES = {
    "age": st.sampled_from([1, 5, 20, 3.5]),
    "team": st.sampled_from(["x", "y"]),
    "groups": st.sampled_from([[], ["a"], ["a", "b"]]),
    "boss": st.booleans(),
}
PARTS = ["r.sub.age > 3", 'r.sub.team == "x"', '"a" in r.sub.groups', "r.sub.boss", "!(r.sub.age == 5)"]
RULE = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(" && ".join) | st.tuples(
    st.sampled_from(PARTS), st.sampled_from(PARTS)
).map(lambda two: f"({two[0]}) || !({two[1]})")


@given(
    effect=st.sampled_from(["some(where (p.eft == allow))", NO_DENY, BOTH, "priority(p.eft) || deny"]),
    rows=st.lists(st.tuples(RULE, st.sampled_from(["allow", "deny"])), min_size=1, max_size=4),
    known=st.fixed_dictionaries(VALUES),
    gone=st.sets(st.sampled_from(sorted(VALUES))),
)
def test_knowing_less_never_permits_more(effect, rows, known, gone):
    stock, ours = pair(text("sub, obj", "rule, eft", "eval(p.rule)", effect))
    for enforcer in (stock, ours):
        enforcer.model["p"]["p"].policy = [list(row) for row in rows]
    assert answer(ours, known, "o") == answer(stock, known, "o")
    full = ours.decide(known, "o")
    assert full.permitted == stock.enforce(known, "o")
    assert full.decision in (Decision.PERMIT, Decision.DENY)
    less = ours.decide({name: value for name, value in known.items() if name not in gone}, "o")
    assert full.permitted or not less.permitted
    if less.decision is not Decision.INDETERMINATE:
        assert less.decision is full.decision
    else:
        assert set(less.unknown) <= {f"subject.{name}" for name in gone}


# --- adapters and the other two ---------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    conf, rows = tmp_path / "m.conf", tmp_path / "rows.csv"
    conf.write_text(RBAC)
    rows.write_text(RBAC_ROWS)
    return str(conf), str(rows)


def test_the_file_adapter_loads_saves_and_filters(files):
    conf, rows = files
    for kind in (casbin.Enforcer, Enforcer):
        enforcer = kind(conf, rows)
        assert enforcer.enforce("ann", "o")
        enforcer.add_policy("ann", "x")
        enforcer.save_policy()
        again = kind(conf, rows)
        assert again.enforce("ann", "x")
        filtered = kind(conf, FilteredFileAdapter(rows))
        wanted = Filter()
        wanted.P = ["ann"]
        wanted.G = [""]
        filtered.load_filtered_policy(wanted)
        assert [filtered.enforce("ann", o) for o in ("o", "x")] == [False, True]
        enforcer.remove_policy("ann", "x")
        enforcer.save_policy()


def test_a_database_by_sqlalchemy(tmp_path, files):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    first, second = (Enforcer(files[0], sqlalchemy_adapter.Adapter(engine)) for _ in range(2))
    assert not first.enforce("ann", "o")
    first.add_policies([["admin", "o"], ["bob", "x"]])
    first.add_role_for_user("ann", "admin")
    assert first.enforce("ann", "o")
    assert not second.enforce("ann", "o")
    second.load_policy()
    assert second.enforce_ex("ann", "o") == (True, ["admin", "o"])
    second.update_policy(["admin", "o"], ["admin", "y"])
    first.load_policy()
    assert [first.enforce("ann", o) for o in "oy"] == [False, True]
    with sqlalchemy.orm.Session(engine) as session:
        session.execute(sqlalchemy.text("update casbin_rule set v1 = 'z' where v0 = 'admin' and ptype = 'p'"))
        session.commit()
    first.load_policy()
    assert [first.enforce("ann", o) for o in "yz"] == [False, True]


def test_hostile_text_in_a_database_is_refused_when_it_is_loaded(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    conf = tmp_path / "m.conf"
    conf.write_text(RULES)
    loose = casbin.Enforcer(str(conf), sqlalchemy_adapter.Adapter(engine))
    loose.add_policy("True) or (True", "o", "allow")
    with pytest.raises(CompileError, match="brackets do not pair up in the row `p, True"):
        Enforcer(str(conf), sqlalchemy_adapter.Adapter(engine))


def test_the_synced_enforcer_decides_and_changes_under_its_locks(files):
    enforcer = SyncedEnforcer(*files)
    assert enforcer.enforce("ann", "o")
    assert enforcer.enforce_ex("ann", "o") == (True, ["admin", "o"])
    assert enforcer.batch_enforce([("ann", "o"), ("bob", "o")]) == [True, False]
    assert enforcer.decide("ann", None).unknown == ("resource.id",)
    enforcer.add_function("is", lambda a, b: a == b, pure=True)
    enforcer.add_role_for_user("bob", "admin")
    assert enforcer.enforce("bob", "o")
    enforcer.delete_roles_for_user("bob")
    assert not enforcer.enforce("bob", "o")


def test_the_async_enforcer(files):
    async def run():
        enforcer = AsyncEnforcer(files[0], AsyncFileAdapter(files[1]))
        await enforcer.load_policy()
        seen = [enforcer.enforce("ann", "o"), enforcer.enforce("bob", "o")]
        await enforcer.add_role_for_user("bob", "admin")
        seen.append(enforcer.enforce("bob", "o"))
        await enforcer.remove_policy("admin", "o")
        seen.append(enforcer.enforce("bob", "o"))
        return seen, enforcer.decide("bob", None).decision

    assert asyncio.run(run()) == ([True, False, True, False], Decision.DENY)


def test_the_async_enforcer_refuses_rule_text_too():
    async def run():
        enforcer = built(AsyncEnforcer, RULES)
        await enforcer.add_policy("r.sub.age > 3", "o", "allow")
        with pytest.raises(CompileError):
            await enforcer.add_policy("True) or (True", "o", "allow")
        return enforcer.get_policy()

    assert asyncio.run(run()) == [["r.sub.age > 3", "o", "allow"]]


# --- everything else that is stock's ----------------------------------------------------------------------


def test_a_disabled_enforcer_permits_as_stock_does():
    stock, ours = pair(RBAC, RBAC_ROWS)
    for enforcer in (stock, ours):
        enforcer.enable_enforce(False)
    assert answer(ours, "nobody", "x") == answer(stock, "nobody", "x") == [True, []]
    assert ours.decide("nobody", "x").permitted
    ours.enable_enforce()
    assert not ours.decide("nobody", "x").permitted


def test_it_logs_what_stock_logs(caplog):
    stock, ours = pair(RBAC, RBAC_ROWS)
    lines = []
    for enforcer in (stock, ours):
        enforcer.logger.disabled = False
        enforcer.logger.propagate = True
        with caplog.at_level(logging.INFO, "casbin.enforcer"):
            caplog.clear()
            enforcer.enforce("ann", "o")
            enforcer.enforce("bob", "o")
            lines.append([(r.levelname, r.getMessage()) for r in caplog.records])
    stock.logger.disabled = True
    assert lines[0] == lines[1]
    assert len(lines[0]) == 2


def test_a_copy_of_an_enforcer_goes_its_own_way():
    _, ours = pair(RBAC, RBAC_ROWS)
    model = copy.deepcopy(ours.get_model())
    assert type(model["p"]["p"].policy) is type(ours.get_policy())
    model["p"]["p"].policy.append(["bob", "x"])
    assert not ours.enforce("bob", "x")
    ours.set_model(model)
    assert ours.enforce("bob", "x")
    assert [type(row) for row in copy.deepcopy(ours.get_policy())] == [list, list]
    twin = copy.deepcopy(ours)
    twin.enable_auto_save(False)
    twin.remove_policy("bob", "x")
    assert [e.enforce("bob", "x") for e in (ours, twin)] == [True, False]


def test_a_model_shared_by_two_enforcers_is_watched_by_both():
    model = Model()
    model.load_model_from_text(text("sub", "sub", "r.sub == p.sub"))
    one, other = Enforcer(model), Enforcer(model)
    assert not one.enforce("ann")
    assert not other.enforce("ann")
    one.add_policy("ann")
    assert one.enforce("ann")
    assert other.enforce("ann")


def test_a_policy_that_is_no_list_is_compared_whole():
    model = FastModel([1, 0])
    model.load_model_from_text(text("sub, obj", "sub, obj, note", "r.sub == p.sub && r.obj == p.obj"))
    enforcer = Enforcer(model)
    enforcer.model["p"]["p"].policy.append(["ann", "o", "-"])
    assert enforcer.enforce("ann", "o")
    enforcer.model["p"]["p"].policy.append(["bob", "o", "-"])
    assert enforcer.enforce("bob", "o")
    enforcer.model["p"]["p"].policy.remove(["ann", "o", "-"])
    assert not enforcer.enforce("ann", "o")


CHANGES = {
    "__setitem__": ((0, "x"), (0, ["x"])),
    "__delitem__": ((0,), (0,)),
    "__iadd__": ((["x"],), ([["x"]],)),
    "__imul__": ((2,), (2,)),
    "append": (("x",), (["x"],)),
    "extend": ((["x"],), ([["x"]],)),
    "insert": ((0, "x"), (0, ["x"])),
    "remove": (("ann",), (["ann"],)),
    "pop": ((), ()),
    "clear": ((), ()),
    "sort": ((), ()),
    "reverse": ((), ()),
}


@pytest.mark.parametrize("name", MUTATORS)
def test_every_method_that_changes_a_list_is_noticed(name):
    assert set(dir(list)) - set(dir(tuple)) - {"copy", "__reversed__"} == set(MUTATORS)
    _, ours = pair(text("sub", "sub", "r.sub == p.sub"), "p, ann")
    of_row, of_rows = CHANGES[name]
    for at, arguments in ((lambda: ours.get_policy()[0], of_row), (ours.get_policy, of_rows)):
        ours.enforce("ann")
        before = ours.model["p"]["p"].stamp
        getattr(at(), name)(*arguments)
        assert ours.model["p"]["p"].stamp is not before
        ours.model["p"]["p"].policy = [["ann"]]


def test_readers_in_other_threads_see_one_policy_or_the_next():
    """Two rows change together; nobody sees an answer that neither policy gives."""
    _, ours = pair(text("sub, obj", "sub, obj", "r.sub == p.sub && r.obj == p.obj"))
    policies = [[["ann", "o"], ["bob", "o"]], [["cid", "o"], ["bob", "o"]]]
    ours.model["p"]["p"].policy = policies[0]
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            if not ours.enforce("bob", "o") or ours.enforce("dan", "o"):
                wrong.append(1)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(60):
        ours.model["p"]["p"].policy = policies[turn % 2]
        assert ours.enforce("ann", "o") is (turn % 2 == 0)
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong
