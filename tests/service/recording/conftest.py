from collections.abc import Iterator
from pathlib import Path

import pytest

from abac.service.store import Store
from tests.service.recording.worlds import opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as held:
        yield held
