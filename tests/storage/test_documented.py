"""docs/storage.md names every fault there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from abac.storage import migrate  # noqa: F401  # one fault is declared there
from abac.storage.faults import StorageError

PAGE = Path(__file__).parents[2] / "docs" / "storage.md"


def every(kind):
    return {kind} | {deeper for child in kind.__subclasses__() for deeper in every(child)}


def test_every_fault_has_a_line_and_a_next_step():
    kinds = every(StorageError)
    lines = re.findall(r"^\| `(storage[a-z-]*)` \| .+ \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(lines) == sorted({kind.code for kind in kinds})
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.next != StorageError.next for kind in kinds - {StorageError})
