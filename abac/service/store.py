"""Everything that is kept, opened together: the database, its log, its policies, and the subjects' keys.

Which settings it is opened with is `bootstrap`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from abac.storage.database import Database
from abac.storage.keys import SubjectKeys
from abac.storage.log import DecisionLog
from abac.storage.policies import Policies


@dataclass(frozen=True, slots=True)
class Store:
    """A database with its log and its policies, and the subjects' keys, which have a database of their own."""

    database: Database
    log: DecisionLog
    keys: SubjectKeys
    policies: Policies
    journal: Path | None = None
    """The folder where workers keep journals of decisions that the log has not yet; None for none."""

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
        self.keys.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
