"""Hypothesis profiles, which tests are long laws, and in which order files are handed out.

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


LONGEST = (
    "service/recording/test_workers.py",
    "service/engines/test_spark.py",
    "agreement/test_columnar.py",
    "agreement/test_sql.py",
    "simulation/test_brought_bounds.py",
    "simulation/test_recount.py",
    "pdp/test_counterfactual.py",
    "cli/test_simulate.py",
    "simulation/test_run.py",
    "simulation/test_verify.py",
)
"""Files that take longest. They begin first, so that no worker is left alone with one at the end."""


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("laws" if _thorough(config) else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {f"tests/{file}": place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONGEST)))
    if _thorough(config):
        return
    long = [item for item in items if item.get_closest_marker("law")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def _thorough(config: pytest.Config) -> bool:
    chosen = config.getoption("-m") or ""
    return os.environ.get("ABAC_LAWS") == "1" or ("law" in chosen and "not law" not in chosen)
