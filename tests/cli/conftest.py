"""A starter folder to work in, and to spoil."""

from __future__ import annotations

import pytest

from abac.service import starter


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A fresh starter folder, with the working directory in it."""
    written = tmp_path / "start"
    starter.write(written)
    monkeypatch.chdir(written)
    return written
