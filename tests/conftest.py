"""Hypothesis profiles, and which tests are long laws.

`default` is quick and draws the same examples every time, so that what lands does not hang on luck; `laws` is
thorough, draws anew, and is chosen by ABAC_LAWS=1 or `-m law`. Tests marked `law` are left out
of a plain run: deselected, not skipped, so that a skip always means something.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("laws", parent=settings.get_profile("default"), max_examples=3_000, derandomize=False)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("laws" if _thorough(config) else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _thorough(config):
        return
    long = [item for item in items if item.get_closest_marker("law")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def _thorough(config: pytest.Config) -> bool:
    chosen = config.getoption("-m") or ""
    return os.environ.get("ABAC_LAWS") == "1" or ("law" in chosen and "not law" not in chosen)
