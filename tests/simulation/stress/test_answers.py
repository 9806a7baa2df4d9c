"""The plane of breadth and parity, what to verify next, and the draws: each against a plain way to find it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from abac.simulation.stress.breakeven import break_even
from abac.simulation.stress.collecting import collecting, exact, greedy
from abac.simulation.stress.document import Distribution, Varied
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.montecarlo import settings
from abac.simulation.stress.tally import effect
from tests.simulation.stress.stressed import stressed

SUBJECTS = 1_500


def small() -> Engine:
    whole = stressed(SUBJECTS)
    names = ("d1-foreign-nationals", "t2-end-users", "t3-capability")
    return Engine(replace(whole, test=replace(whole.test, studies=names, grid=5)))


def test_the_plane_is_what_every_point_of_it_comes_to_alone() -> None:
    engine = small()
    base = engine.stressed.base
    plane = break_even(engine, base)
    assert plane["broad"] == ["d1-foreign-nationals"]
    assert plane["targeted"] == ["t2-end-users", "t3-capability"]
    tallies = {name: engine.tally(name, base) for name in engine.studies}
    whole = tallies["d1-foreign-nationals"].meant.sum()
    assert whole > 0
    for i, breadth in enumerate(plane["breadth"]):
        for j, parity in enumerate(plane["parity"]):
            stopped = effect(breadth, base["safeguard.single"], base["safeguard.universal"])
            share = {n: t.contained(breadth, parity, stopped).sum() / whole for n, t in tallies.items()}
            ahead = share["d1-foreign-nationals"] - max(share["t2-end-users"], share["t3-capability"])
            assert plane["ahead"][i][j] == pytest.approx(ahead)
    inside = np.array(plane["ahead"]) > plane["margin"]
    assert plane["region_share"] == inside.mean()
    assert plane["breadth_at"] == [
        next((plane["breadth"][i] for i in range(5) if inside[i, j]), None) for j in range(5)
    ]
    assert not inside[:, -1].any()  # every substitute is open to everybody: at full parity nothing is contained
    assert not inside[0].any()  # a bypass that never works has nothing to contain


def test_a_safeguard_alone_breaks_even_where_its_closed_form_says() -> None:
    """Against a directive of recall 1, a safeguard for everybody falls behind by breadth x (1 - effect)."""
    engine = small()
    base = engine.stressed.base.with_values({"parity": 0.0})
    t3 = engine.tally("t3-capability", base)
    guarded = (t3.guarded_shut + t3.guarded_open).sum() / t3.meant.sum()
    for breadth in (0.1, 0.5, 1.0):
        stopped = effect(breadth, 0.99, 0.0)
        found = t3.contained(breadth, 0.0, stopped).sum() / t3.meant.sum()
        assert found == pytest.approx(breadth * 0.99 * (1 - breadth) * guarded)


def test_collecting_everything_read_decides_everything() -> None:
    engine = small()
    found = collecting(engine, "d1-foreign-nationals", engine.stressed.filed)
    assert found["on_file"] == 0.0
    assert found["with_everything"] == 1.0
    assert found["greedy"][-1]["decidable"] == 1.0
    assert sum(step["rise"] for step in found["greedy"]) == pytest.approx(1.0)
    names = {a for step in found["greedy"] for a in step["attributes"]}
    assert names == {
        "subject.citizenships_current",
        "subject.residencies_permanent",
        "subject.protected_individual",
        "subject.organisation_country",
    }
    best = {len(row["attributes"]): row["decidable"] for row in found["exact"]}
    for size, step in enumerate(found["greedy"], 1):
        assert best[size] >= step["decidable"]
    assert all(step["cost"] for step in found["greedy"])


def test_greedy_takes_a_pair_where_none_helps_alone() -> None:
    def decidable(held: frozenset[str]) -> float:
        return 0.8 * ({"a", "b"} <= held) + 0.2 * ({"a", "b", "c"} <= held)

    steps = greedy(["a", "b", "c", "useless"], decidable, {"a": 1.0, "b": 3.0, "c": 2.0})
    assert [step["attributes"] for step in steps] == [["a", "b"], ["c"]]
    assert steps[0]["per_cost"] == pytest.approx(0.2)
    assert [row["decidable"] for row in exact(["a", "b", "c"], decidable)] == [0.0, 0.8, 1.0]


def test_greedy_is_not_always_best_and_exact_says_so() -> None:
    worth = {"a": 0.5, "b": 0.4, "c": 0.4}

    def decidable(held: frozenset[str]) -> float:
        return max((worth[x] for x in held), default=0.0) if "a" in held else sum(worth[x] for x in held)

    assert greedy(list(worth), decidable, {})[0]["attributes"] == ["a"]
    assert exact(list(worth), decidable)[1] == {"attributes": ["b", "c"], "decidable": 0.8}


def test_a_further_parameter_changes_no_other_s_draws() -> None:
    whole = stressed(SUBJECTS)
    fewer = replace(whole.test, varied=whole.test.varied[:3])
    more = replace(
        whole.test, varied=(*fewer.varied, Varied("mix.person", (1.0, 2.0), Distribution("uniform", [1, 2])))
    )
    one, two = (settings(t, whole.base, 20, 7) for t in (fewer, more))
    for a, b in zip(one, two, strict=True):
        assert {n for n in a if a[n] != b[n]} == {"mix.person"}
    assert len({s["coverage"] for s in one}) == 20
    assert settings(fewer, whole.base, 20, 7) == one
    assert settings(fewer, whole.base, 20, 8) != one
