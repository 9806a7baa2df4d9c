"""`abac.enforcer.Enforcer` against stock pycasbin: the same model, rows and requests, one run, answers compared.

Attribute rules by `eval()`, roles by `g`, and a mutation between decisions, after which the program is made anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from abac.enforcer import Enforcer
from benchmarks.peers.with_pycasbin import MODEL, Pycasbin, conjunct_text, row
from benchmarks.peers.workload import Workload

casbin = pytest.importorskip("casbin")

RULES = ROLES = 1_000
USERS = 10_000
OURS = 5_000
STOCK = 30
CHUNK = 10
ROLE_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""


def attributes(folder: Path) -> tuple[str, str, list[tuple[Any, ...]]]:
    """Return a model, rows of 1,000 attribute rules, and requests of objects."""
    workload, rows = Workload(RULES), folder / "rows.csv"
    rows.write_text("".join(row(rule, conjunct_text, "True") for rule in workload.rules))
    hold = Pycasbin.hold
    return str(MODEL), str(rows), [hold(None, one) for one in workload.requests(OURS, "enforcer")]


def roles(folder: Path) -> tuple[str, str, list[tuple[Any, ...]]]:
    """Return a model, rows of 1,000 roles that 10,000 users have, and requests of names, one in two permitted."""
    model, rows = folder / "roles.conf", folder / "rows.csv"
    model.write_text(ROLE_MODEL)
    granted = [f"p, role-{n}, data-{n // 10}, read\n" for n in range(ROLES)]
    linked = [f"g, user-{n}, role-{n // 10}\n" for n in range(USERS)]
    rows.write_text("".join(granted + linked))
    users = range(0, USERS, USERS // OURS)
    return str(model), str(rows), [(f"user-{n}", f"data-{n // 100 + n // 2 % 2}", "read") for n in users]


def microseconds(enforcer: Any, requests: Sequence[tuple[Any, ...]], chunk: int) -> float:
    """Return the median per decision in processor time, `chunk` decisions to a reading."""
    enforce, times = enforcer.enforce, []
    for at in range(0, len(requests), chunk):
        before = time.process_time_ns()
        for one in requests[at : at + chunk]:
            enforce(*one)
        times.append((time.process_time_ns() - before) / chunk)
    return median(times) / 1e3


@pytest.mark.parametrize("world", [attributes, roles], ids=["1000 attribute rules", "1000 roles"])
def test_enforce(world, tmp_path, benchmark):
    model, rows, requests = world(tmp_path)
    ours, stock = Enforcer(model, rows), casbin.Enforcer(model, rows)
    answers = [stock.enforce(*one) for one in requests[:STOCK]]
    assert [ours.enforce(*one) for one in requests[:STOCK]] == answers
    assert set(answers) == {True, False}

    benchmark.pedantic(lambda: [ours.enforce(*one) for one in requests], rounds=3)
    fast = microseconds(ours, requests, CHUNK)
    slow = microseconds(stock, requests[:STOCK], 1)
    benchmark.extra_info |= {"enforce_microseconds": round(fast, 2), "times_faster": round(slow / fast)}
    print(f"\nenforce {fast:.2f} µs, stock {slow:.0f} µs, {slow / fast:.0f} times as fast")


@pytest.mark.parametrize("world", [attributes, roles], ids=["1000 attribute rules", "1000 roles"])
def test_enforce_after_a_mutation(world, tmp_path, benchmark):
    model, rows, requests = world(tmp_path)
    ours, stock = Enforcer(model, rows), casbin.Enforcer(model, rows)
    first = ours.get_policy()[0]

    def change_and_ask(enforcer: Any) -> list[bool]:
        enforcer.remove_policy(*first)
        without = enforcer.enforce(*requests[0])
        enforcer.add_policy(*first)
        return [without, enforcer.enforce(*requests[0])]

    assert change_and_ask(ours) == change_and_ask(stock)
    benchmark.pedantic(change_and_ask, args=(ours,), rounds=5)
    times = {}
    for name, enforcer in (("ours", ours), ("stock", stock)):
        before = time.process_time_ns()
        for _ in range(5):
            change_and_ask(enforcer)
        times[name] = (time.process_time_ns() - before) / 1e6 / 10
    benchmark.extra_info |= {name: round(value, 2) for name, value in times.items()}
    print(f"\na change and a decision: {times['ours']:.1f} ms, stock {times['stock']:.1f} ms")
