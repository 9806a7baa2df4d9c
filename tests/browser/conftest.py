"""Find a real Chromium for the browser tests; where there is none, say how to get one."""

from __future__ import annotations

import os
import shutil

import pytest

collect_ignore = ["conftest.py"]
"""Doctests import modules by their bare name; two of this name would clash."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium_path():
    found = [
        os.environ.get("ABAC_CHROMIUM"),
        *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ]
    path = next(filter(None, found), None)
    if path is None:
        pytest.skip("no Chromium: install Debian's package `chromium`, or set ABAC_CHROMIUM to its path")
    return path


@pytest.fixture(scope="module")
def browser(chromium_path):
    """A browser for one module: Playwright's loop runs in this thread until it is closed, and no other may."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="install abac[dev]")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield started
        started.close()
