"""The same changes to stock pycasbin's enforcer and to ours, and after each the same answers."""

from __future__ import annotations

import warnings

import casbin
import pytest
from casbin.effect import get_effector
from casbin.model import Model
from casbin.rbac.default_role_manager.role_manager import DomainManager, RoleManager
from casbin.util import key_match_func
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from abac.enforcer import Enforcer
from abac.enforcer.roles import WatchedRoleManager
from abac.enforcer.seen import Seen
from abac.enforcer.watched import Row, Rows
from tests.enforcer.memory import Memory, Noting
from tests.enforcer.worlds import ALLOW, BOTH, NO_DENY, PRIORITY, WORLDS

CHECKS = {
    "same": lambda a, b: a == b,
    "other": lambda a, b: a != b,
    "always": lambda _a, _b: True,
    "number": lambda _a, _b: 1,
}


def attempt(act, enforcer):
    """Return what a call gives or raises, as two enforcers can be compared by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "gave", act(enforcer)
        except Exception as error:  # noqa: BLE001  # what both raise is compared
            return "raised", type(error).__name__


class Twins(RuleBasedStateMachine):
    """Stock and ours, always changed alike."""

    def __init__(self):
        super().__init__()
        self.world = None

    @initialize(name=st.sampled_from(sorted(WORLDS)), data=st.data())
    def begin(self, name, data):
        self.world = WORLDS[name]
        rows = [("p", data.draw(self.row())) for _ in range(3)]
        rows += [("g", data.draw(self.link())) for _ in range(2 if self.world.links else 0)]
        self.pair = [self.built(kind, Memory(rows)) for kind in (casbin.Enforcer, Enforcer)]

    def built(self, kind, adapter):
        model = Model()
        model.load_model_from_text(self.world.text)
        enforcer = kind(model, adapter)
        enforcer.add_function("check", CHECKS["same"])
        enforcer.set_watcher(Noting())
        return enforcer

    def row(self):
        return st.tuples(*map(st.sampled_from, self.world.fields)).map(list)

    def link(self):
        return st.tuples(*map(st.sampled_from, self.world.links)).map(list)

    def both(self, act):
        stock, ours = (attempt(act, enforcer) for enforcer in self.pair)
        assert ours == stock
        return stock

    @invariant()
    def same_answers(self):
        if self.world is None:
            return
        for request in self.world.requests:
            stock, ours = (attempt(lambda e, r=request: e.enforce_ex(*r), enforcer) for enforcer in self.pair)
            assert ours == stock, (request, self.pair[0].get_policy())
        assert self.pair[0].get_policy() == self.pair[1].get_policy()
        assert self.pair[0].watcher.notes == self.pair[1].watcher.notes
        assert self.pair[0].adapter.rows == self.pair[1].adapter.rows

    # --- rows through the interface --------------------------------------------------------------------

    @rule(data=st.data(), many=st.integers(1, 3), how=st.sampled_from(["one", "all", "ex", "named"]))
    def add(self, data, many, how):
        rows = [data.draw(self.row()) for _ in range(many)]
        calls = {
            "one": lambda e: e.add_policy(*rows[0]),
            "all": lambda e: e.add_policies([list(r) for r in rows]),
            "ex": lambda e: e.add_policies_ex([list(r) for r in rows]),
            "named": lambda e: e.add_named_policy("p", list(rows[0])),
        }
        self.both(calls[how])

    def held(self, data):
        return list(data.draw(st.sampled_from([list(r) for r in self.pair[0].get_policy()] or [["nobody"]])))

    @rule(data=st.data(), how=st.sampled_from(["one", "all", "filtered", "user", "role", "permission"]))
    def remove(self, data, how):
        row = self.held(data)
        calls = {
            "one": lambda e: e.remove_policy(*row),
            "all": lambda e: e.remove_policies([list(row)]),
            "filtered": lambda e: e.remove_filtered_policy(len(row) - 1, row[-1]),
            "user": lambda e: e.delete_user(row[0]),
            "role": lambda e: e.delete_role("staff"),
            "permission": lambda e: e.delete_permission(*row[1:]),
        }
        self.both(calls[how])

    @rule(data=st.data(), how=st.sampled_from(["one", "all", "filtered"]))
    def update(self, data, how):
        old, new = self.held(data), data.draw(self.row())
        calls = {
            "one": lambda e: e.update_policy(list(old), list(new)),
            "all": lambda e: e.update_policies([list(old)], [list(new)]),
            "filtered": lambda e: e.update_filtered_policies([list(new)], 0, old[0]),
        }
        self.both(calls[how])

    # --- links -----------------------------------------------------------------------------------------

    def linked(self):
        return self.world is not None and bool(self.world.links)

    @precondition(linked)
    @rule(
        data=st.data(), how=st.sampled_from(["add", "all", "ex", "remove", "filtered", "delete", "build", "role"])
    )
    def relate(self, data, how):
        link = data.draw(self.link())
        calls = {
            "add": lambda e: e.add_grouping_policy(*link),
            "all": lambda e: e.add_grouping_policies([list(link)]),
            "ex": lambda e: e.add_grouping_policies_ex([list(link)]),
            "remove": lambda e: e.remove_grouping_policy(*link),
            "filtered": lambda e: bool(e.remove_filtered_grouping_policy(0, link[0])),
            "delete": lambda e: bool(e.delete_roles_for_user(link[0])),
            "build": lambda e: e.build_role_links(),
            "role": lambda e: e.add_role_for_user(*link[:2]) if len(link) == 2 else None,
        }
        self.both(calls[how])

    @precondition(linked)
    @rule(
        data=st.data(), how=st.sampled_from(["add", "delete", "clear", "level", "match", "domain", "new", "none"])
    )
    def manage(self, data, how):
        link = data.draw(self.link())
        fresh = DomainManager if len(link) > 2 else RoleManager

        def none(e):
            e.model["g"]["g"].rm = None

        def renew(e):
            e.set_role_manager(fresh(10))
            e.build_role_links()

        calls = {
            "add": lambda e: e.get_role_manager().add_link(*link),
            "delete": lambda e: e.get_role_manager().delete_link(*link),
            "clear": lambda e: e.get_role_manager().clear(),
            "level": lambda e: setattr(e.get_role_manager(), "max_hierarchy_level", 2),
            "match": lambda e: e.add_named_matching_func("g", key_match_func),
            "domain": lambda e: e.add_named_domain_matching_func("g", key_match_func),
            "new": renew,
            "none": none,
        }
        self.both(calls[how])

    # --- behind the interface --------------------------------------------------------------------------

    @rule(
        data=st.data(),
        how=st.sampled_from(["append", "insert", "extend", "iadd", "pop", "del", "reverse", "sort"]),
    )
    def edit_list(self, data, how):
        row, at = data.draw(self.row()), data.draw(st.integers(0, 2))

        def grown(e):
            e.model["p"]["p"].policy += [list(row)]

        calls = {
            "append": lambda e: e.get_policy().append(list(row)),
            "insert": lambda e: e.get_policy().insert(at, list(row)),
            "extend": lambda e: e.get_policy().extend([list(row)]),
            "iadd": grown,
            "pop": lambda e: e.get_policy().pop(at),
            "del": lambda e: e.get_policy().__delitem__(slice(at, at + 1)),
            "reverse": lambda e: e.get_policy().reverse(),
            "sort": lambda e: e.get_policy().sort(),
        }
        self.both(calls[how])

    @rule(data=st.data(), how=st.sampled_from(["field", "slice", "row", "rows", "new", "clear"]))
    def edit_rows(self, data, how):
        row, field = data.draw(self.row()), data.draw(st.integers(0, len(self.world.fields) - 1))

        def assigned(e):
            e.model["p"]["p"].policy = [list(row), *e.get_policy()]

        calls = {
            "field": lambda e: e.get_policy()[0].__setitem__(field, row[field]),
            "slice": lambda e: e.get_policy()[0].__setitem__(slice(None), row),
            "row": lambda e: e.get_policy().__setitem__(0, list(row)),
            "rows": lambda e: e.get_policy().__setitem__(slice(0, 1), [list(row), list(row)]),
            "new": assigned,
            "clear": lambda e: e.get_policy().clear(),
        }
        self.both(calls[how])

    # --- whole policies, whole models ------------------------------------------------------------------

    @rule(data=st.data(), how=st.sampled_from(["load", "save", "clear", "filtered", "increment"]))
    def reload(self, data, how):
        wanted = data.draw(st.sets(st.sampled_from(self.world.fields[0]), min_size=1))
        calls = {
            "load": lambda e: e.load_policy(),
            "save": lambda e: e.save_policy(),
            "clear": lambda e: e.clear_policy(),
            "filtered": lambda e: e.load_filtered_policy(wanted),
            "increment": lambda e: e.load_increment_filtered_policy(wanted),
        }
        self.both(calls[how])

    @rule(how=st.sampled_from(["set", "assign", "load", "rebuild"]))
    def remodel(self, how):
        def new(e):
            model = Model()
            model.load_model_from_text(self.world.text)
            if how == "assign":
                e.model = model
            else:
                e.set_model(model)
            if how in ("load", "rebuild"):
                e.load_policy()
            if how == "rebuild":
                e.init_rm_map()
                e.build_role_links()
            e.add_function("check", CHECKS["same"])

        self.both(new)

    @rule(how=st.sampled_from(["value", "definition", "tokens", "swapped"]))
    def redefine(self, how):
        def act(e):
            if how == "value":
                held = e.model["m"]["m"]
                held.value = f"({held.value})"
            elif how == "definition":
                e.model.add_def("m", "m", self.world.text.rsplit("m = ", 1)[1].strip() + " && 1 == 1")
            elif how == "swapped":
                tokens = e.model["r"]["r"].tokens
                tokens[0], tokens[-1] = tokens[-1], tokens[0]
            else:
                e.model["r"]["r"].tokens = list(e.model["r"]["r"].tokens)

        self.both(act)

    # --- switches --------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(CHECKS)))
    def function(self, name):
        self.both(lambda e: e.add_function("check", CHECKS[name]))

    @rule(effect=st.sampled_from([ALLOW, NO_DENY, BOTH, PRIORITY]))
    def effector(self, effect):
        self.both(lambda e: e.set_effector(get_effector(effect.replace("p.eft", "p_eft"))))

    @rule(
        on=st.booleans(),
        what=st.sampled_from(["enforce", "auto_save", "auto_build_role_links", "auto_notify_watcher"]),
    )
    def switch(self, on, what):
        self.both(lambda e: getattr(e, f"enable_{what}")(on))


Twins.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
TestTwins = Twins.TestCase


BROKEN = {
    "everything": lambda patch: patch.setattr(Seen, "holds", lambda *_: True),
    "rows": lambda patch: patch.setattr(Row, "changed", lambda _: None),
    "lists": lambda patch: patch.setattr(Rows, "changed", lambda _: None),
    "links": lambda patch: [
        patch.delattr(kind, name)
        for kind in (WatchedRoleManager.__mro__[1],)
        for name in ("add_link", "delete_link")
    ],
    "functions": lambda patch: patch.setattr(Seen, "rest_on", lambda seen, _: setattr(seen, "every", None)),
}


@pytest.mark.parametrize(
    "part",
    ["everything", "lists", *(pytest.param(p, marks=pytest.mark.law) for p in ("functions", "links", "rows"))],
)
def test_it_fails_where_a_kind_of_change_goes_unseen(part, monkeypatch):
    BROKEN[part](monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Twins, settings=settings(Twins.TestCase.settings, max_examples=400, report_multiple_bugs=False)
        )


@pytest.mark.law
def test_many_more_changes():
    run_state_machine_as_test(
        Twins,
        settings=settings(
            max_examples=1500,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),
        ),
    )
