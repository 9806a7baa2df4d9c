"""docs/storage.md names every fault of a database, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from abac.storage import faults, migrate
from abac.storage.faults import StorageError

PAGE = Path(__file__).parents[2] / "docs" / "storage.md"


OURS = (faults.__name__, migrate.__name__)
"""Where faults of a database are declared; other modules may have errors of their own."""


def every(kind):
    below = {deeper for child in kind.__subclasses__() for deeper in every(child)}
    return {one for one in {kind} | below if one.__module__ in OURS}


def test_every_fault_has_a_line_and_a_next_step():
    kinds = every(StorageError)
    lines = re.findall(r"^\| `(storage[a-z-]*)` \| .+ \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(lines) == sorted({kind.code for kind in kinds})
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.next != StorageError.next for kind in kinds - {StorageError})
