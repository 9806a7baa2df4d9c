"""Resources in a table of a database: a search asks for all rows at once, by `listing`, and not one by one.

The table's rows are resources of one type; a column has their ids. Where SQL cannot say everything that the
policies do, candidates are decided one by one. The engine is asked in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.listing import Everything, Nothing, list_permitted
from abac.policy.request import Request
from abac.rest.authzen.entities import Found


class EntitiesInTable:
    """The rows of `table` as resources of the type `kind`. `columns` says where it holds which attribute."""

    def __init__(
        self,
        engine: sa.Engine,
        table: sa.Table,
        kind: str,
        identity: str,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._engine, self._table, self._kind = engine, table, kind
        self._identity, self._columns = table.c[identity], dict(columns or {})
        self._columns.setdefault("id", identity)

    def types(self, category: Category) -> Iterable[str]:
        """Return the types of which there are entities."""
        return (self._kind,) if category is Category.RESOURCE else ()

    async def find(self, category: Category, kind: str, identity: str) -> Found | None:
        """Return the entity of that type and id, or None."""
        if not self._is(category, kind):
            return None
        rows = await self._rows(sa.select(self._table).where(self._identity == identity))
        return self._found(rows[0]) if rows else None

    async def page(self, category: Category, kind: str, after: str, count: int) -> Sequence[Found]:
        """Return at most `count` entities of a type, in the order of their ids, those up to `after` left out."""
        if not self._is(category, kind):
            return ()
        return [
            self._found(row) for row in await self._rows(self._after(sa.select(self._table), after).limit(count))
        ]

    async def permitted(
        self, program: Program, request: Request, kind: str, discharges: frozenset[str], after: str, count: int
    ) -> Sequence[str] | None:
        """Return at most `count` permitted ids in order, those up to `after` left out; None for another type."""
        if not self._is(Category.RESOURCE, kind):
            return None
        listed = list_permitted(
            program,
            request.subject,
            request.action,
            self._table,
            environment=request.environment,
            columns=self._columns,
            discharges=discharges,
            source=request.source,
        )
        if isinstance(listed, Nothing):
            return ()
        if isinstance(listed, Everything) or listed.exact:
            only = sa.select(self._identity)
            if not isinstance(listed, Everything):
                only = only.where(listed.clause)
            return [str(row[0]) for row in await self._rows(self._after(only, after).limit(count))]
        rows = await self._rows(self._after(sa.select(self._table).where(listed.candidates), after))
        return [str(row._mapping[self._identity]) for row in rows if listed.recheck(row)][:count]  # noqa: SLF001  # public in SQLAlchemy

    def _is(self, category: Category, kind: str) -> bool:
        return category is Category.RESOURCE and kind == self._kind

    def _after(self, query: sa.Select[Any], after: str) -> sa.Select[Any]:
        return (query.where(self._identity > after) if after else query).order_by(self._identity)

    async def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        def ask() -> Sequence[sa.Row[Any]]:
            with self._engine.connect() as connection:
                return connection.execute(query).all()

        return await asyncio.to_thread(ask)

    def _found(self, row: sa.Row[Any]) -> Found:
        held = row._mapping  # noqa: SLF001  # public in SQLAlchemy
        own = {name: column for name, column in self._columns.items() if name != "id"}
        own = own or {column.name: column.name for column in self._table.c}
        return Found(
            str(held[self._identity]), {name: held[self._table.c[column]] for name, column in own.items()}
        )
