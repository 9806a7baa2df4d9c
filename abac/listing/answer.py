"""What a listing answers: every row, no row, or those where a clause holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from abac.backends.sql import Opaque
from abac.errors import RequestError
from abac.pdp.residual import Residual
from abac.policy.decision import Outcome
from abac.policy.request import Request


@dataclass(frozen=True, slots=True)
class Everything:
    """Every row is permitted, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No row is permitted, whatever is in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """The rows where `clause` holds are permitted; it is never NULL, and lists no row that `decide` would refuse.

    Where `exact`, they are all that are. Else `unlowered` says what SQL cannot say and why, `candidates` holds of
    every permitted row and of some that are not, and `recheck` decides of one candidate: a caller who forgets to
    ask for candidates lists too little, never too much.
    """

    clause: ColumnElement[bool]
    candidates: ColumnElement[bool]
    unlowered: tuple[Opaque, ...]
    residual: Residual
    discharges: frozenset[str]
    read: Callable[[Any], Mapping[str, Any]]

    @property
    def exact(self) -> bool:
        """Whether `clause` holds of every row that is permitted."""
        return not self.unlowered

    def decide(self, row: Any) -> Outcome:
        """Return the outcome for one row: a mapping, a SQLAlchemy row, or an instance of the mapped class.

        Raises `RequestError` for a value in it that no request may carry.
        """
        return self.residual.decide(Request(resource=self.read(row)), discharges=self.discharges)

    def recheck(self, row: Any) -> bool:
        """Return whether one row is permitted; a row that `decide` refuses is not."""
        try:
            return self.decide(row).permitted
        except RequestError:
            return False


Listing = Everything | Nothing | Where
