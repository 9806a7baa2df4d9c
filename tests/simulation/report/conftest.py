"""Reports to show: one of known truth, one of bounds, one of bounds with estimates."""

from __future__ import annotations

import polars as pl
import pytest

from tests.simulation.report import fixture

collect_ignore = ["conftest.py"]
"""Doctests import modules by their bare name; two of this name would clash."""


@pytest.fixture
def known():
    return fixture.known()


@pytest.fixture
def bounded():
    return fixture.bounded()


@pytest.fixture
def estimated():
    return fixture.bounded(point=True)


@pytest.fixture
def people():
    subjects = ["=cmd|' /C calc'!A0", "s-1", "@x", "+1", "https://example.org"]
    return pl.DataFrame(
        {
            "subject": subjects * 2,
            "directive": ["d1-foreign-nationals"] * 5 + ["t2-end-users"] * 5,
            "before": ["PERMIT"] * 10,
            "after": ["INDETERMINATE"] * 10,
            "models": ["Fable 5, Mythos 5"] * 10,
            "reason": ["=1+1", "{=SUM(A1)}", "", None, "citizenships unknown"] * 2,
            "kind": ["person"] * 10,
            "relation": ["customer"] * 10,
        }
    )
