"""Every line of the ledger: what is refused raises the named error; the rest is held by the agreement tests."""

from __future__ import annotations

import builtins

import polars as pl
import pytest

from abac.backends import closure
from abac.backends.columnar import Frame, truths
from abac.backends.ledger import LEDGER, Standing, gaps
from abac.backends.query import DUCKDB, Query
from abac.backends.smt import World
from abac.condition.expr import Definition, Field, Holds
from abac.condition.functions import SHIPPED
from tests.agreement.strategies import SCHEMA

NODES = {"Definition": Definition("person test", "x"), "Field": Holds(Field("sub"))}


def lower(backend, condition):
    if backend == "closure":
        return closure.lower(condition, {})
    if backend == "query":
        return Query("subjects", {}, {}, DUCKDB).truths([condition], {})
    if backend == "smt":
        return World([condition], SHIPPED)
    return truths([condition], Frame.encode(pl.DataFrame({"subject.flag": [True]}), SCHEMA), {}, {})


@pytest.mark.parametrize(
    "gap", [g for g in LEDGER if g.standing is Standing.REFUSED], ids=lambda g: f"{g.backend}-{g.node}"
)
def test_what_is_refused_raises_the_named_error(gap):
    with pytest.raises(getattr(builtins, gap.error)):
        lower(gap.backend, NODES[gap.node])


def test_every_detour_has_a_reason_and_no_error():
    detours = [g for g in LEDGER if g.standing is Standing.DETOUR]
    assert all(g.reason and not g.error for g in detours)
    assert {g.backend for g in detours} == {"columnar", "query"}
    assert {gap for backend in ("closure", "columnar", "query", "smt") for gap in gaps(backend)} == set(LEDGER)
