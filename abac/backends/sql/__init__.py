"""Lower a policy tree to SQL over a table's columns: the rows of which the decision is a PERMIT that owes nothing.

Two clauses come out, neither ever NULL: `sure` holds only of rows that are permitted, `possible` of all that are.
They are one where SQL can say everything the rows' answer depends on. Exact on SQLite and PostgreSQL. Needs
SQLAlchemy, the extra `listing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BindParameter
from sqlalchemy.sql import visitors

from abac.backends.sql.atoms import Atoms
from abac.backends.sql.combine import Combination
from abac.backends.sql.formula import Formula, Opaque, bound, clause, every, leaves, opaque
from abac.backends.sql.held import Held, Store, store_of
from abac.backends.sql.sound import sound
from abac.backends.sql.terms import Terms
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.policy.rule import Policy, PolicySet

__all__ = ["MOST", "Held", "Lowered", "Opaque", "Store", "clause", "lower", "store_of"]


MOST = 15_000
"""How many parameters a clause may have: SQLite takes 32,766 to a statement, and a caller may ask for both."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """Two bounded formulas (`clause` makes SQL of them), and what lies between them: what SQL cannot say."""

    sure: Formula
    possible: Formula
    opaque: tuple[Opaque, ...]


def lower(
    root: Policy | PolicySet,
    columns: Mapping[str, Held],
    stated: Mapping[str, Assertion],
    functions: Mapping[str, Function],
    discharges: frozenset[str] = frozenset(),
) -> Lowered:
    """Return where `root` permits, over the attributes held in `columns` and those `stated` for all rows.

    An attribute of neither is unknown. A row whose value of an attribute that the answer reads is none that a
    request may carry is in neither clause.
    """
    permitted = Combination(Atoms(Terms(columns, stated, functions)), discharges).permitted(root)
    if _parameters(permitted) > MOST:
        permitted = Opaque("the policies", f"what is left of them has more than {MOST:,} values")
    unsaid = tuple(dict.fromkeys(opaque(permitted)))
    sure, possible = (_guarded(bound(permitted, upper=upper), columns) for upper in (False, True))
    return Lowered(sure, possible, unsaid if sure != possible else ())


def _parameters(formula: Formula) -> int:
    found = (part for leaf in leaves(formula) for part in visitors.iterate(leaf.clause))
    values = (part.value if part.expanding else None for part in found if isinstance(part, BindParameter))
    return sum(1 if many is None else len(many) for many in values)


def _guarded(formula: Formula, columns: Mapping[str, Held]) -> Formula:
    """Let only rows through whose values that the formula reads are sound; asked last, of those that hold."""
    read = sorted({path for leaf in leaves(formula) for path in leaf.reads})
    return every([formula, *(sound(path, columns[path]) for path in read)])
