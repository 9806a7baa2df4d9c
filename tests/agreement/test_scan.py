"""A scanned Parquet file gives the decisions of the same rows in memory, whatever the size of the batch."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.backends.columnar import Frame, decide_many, scan
from abac.errors import PopulationError
from abac.policy.rule import Algorithm, Policy
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table
from tests.agreement.test_columnar import FIXED, FUNCTIONS, SCHEMA

SUBJECT = tuple(path for path in SCHEMA.attributes if path not in FIXED)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("scan") / "subjects.parquet"


FEW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
some_roots = st.lists(abac_st.trees(), min_size=1, max_size=2)


@FEW
@given(some_roots, abac_st.batches(12), st.sampled_from([1, 5, 12, 30]))
def test_a_scan_equals_the_frame(file, roots, rows, batch):
    check_scan(file, roots, rows, batch)


@pytest.mark.law
@settings(FEW, max_examples=300)
@given(some_roots, abac_st.batches(40), st.sampled_from([1, 7, 40, 100]))
def test_a_scan_equals_the_frame_at_length(file, roots, rows, batch):
    check_scan(file, roots, rows, batch)


def check_scan(file, roots, rows, batch):
    subjects = table(rows, SCHEMA, SUBJECT)
    subjects.write_parquet(file, row_group_size=5)
    requests = [{p: a for p, a in row.items() if p in FIXED} for row in rows[:2]]
    expected = decide_many(roots, Frame.encode(subjects, SCHEMA), requests, FUNCTIONS)
    batches = list(scan(roots, pl.scan_parquet(file), SCHEMA, requests, FUNCTIONS, keep=["row"], batch=batch))
    found = pl.concat(batches)
    assert found["row"].to_list() == list(range(len(rows)))
    for n, many in enumerate(expected):
        for m, codes in enumerate(many):
            assert found[f"{n}/{m}"].to_list() == codes.to_list()


def test_a_bad_row_is_refused_in_its_batch(file):
    pl.DataFrame({"subject.weight": [1.0, float("nan")]}).write_parquet(file)
    with pytest.raises(PopulationError, match=r"subject\.weight"):
        list(scan([], pl.scan_parquet(file), SCHEMA, [], FUNCTIONS))


def test_a_scan_may_keep_nothing(file):
    pl.DataFrame({"subject.flag": [True, None]}).write_parquet(file)
    (batch,) = scan([Policy("p", Algorithm.PERMIT_UNLESS_DENY)], pl.scan_parquet(file), SCHEMA, [{}], FUNCTIONS)
    assert batch.to_dict(as_series=False) == {"0/0": [1, 1]}
