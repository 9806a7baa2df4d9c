"""One exchange with a PostgreSQL server for many statements, COPYs among them: a single simple query.

The server runs such a query as one transaction of its own, or as a part of one that was begun before (PostgreSQL's
manual, "Multiple Statements in a Simple Query"). `Connection.execute` cannot feed a COPY amid other statements and
a pipeline cannot have one, so the protocol is spoken here, through psycopg's own generators. What is said is
`copying`'s part.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from psycopg import Connection, generators
from psycopg.errors import error_from_result
from psycopg.pq import Escaping, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

from abac.storage.turn import outcome_told

CHUNK = 1 << 20
"""Bytes handed to the driver at a time."""

Steps = Generator[Wait, Ready | int, None]


def exchange(connection: Connection[Any], statements: Sequence[str], copies: Sequence[bytes]) -> None:
    """Run statements of which as many as there are `copies` are COPYs from us; the last COPY is fed last of all.

    Where no transaction was begun, all of it commits or none. Raises psycopg's errors; `StorageUnknownError` where
    the connection broke once the server had all that it needs to commit.
    """
    connection.wait(_said(connection.pgconn, ";\n".join(statements).encode(), copies))
    with outcome_told():
        connection.wait(_heard(connection.pgconn))


def literal(connection: Connection[Any], value: int | str | bytes) -> str:
    """Return a value as it is written in a statement."""
    match value:
        case int():
            return str(value)
        case str():
            return Escaping(connection.pgconn).escape_literal(value.encode()).decode()
        case bytes():
            return f"'\\x{value.hex()}'::bytea"


def _said(server: PGconn, query: bytes, copies: Sequence[bytes]) -> Steps:
    """Send the query, and all that it copies, but not the word that the last copy is whole."""
    server.send_query(query)
    yield from generators.send(server)
    for number, data in enumerate(copies):
        if number:
            yield from _ended(server)
        yield from _until_copying(server)
        for start in range(0, len(data), CHUNK):
            yield from generators.copy_to(server, data[start : start + CHUNK], flush=False)


def _heard(server: PGconn) -> Steps:
    """End the last copy, and hear how it all went."""
    yield from _ended(server)
    while (result := (yield from generators.fetch(server))) is not None:
        yield from _unless_refused(server, result)


def _until_copying(server: PGconn) -> Steps:
    while (result := (yield from generators.fetch(server))) is not None:
        if result.status == ExecStatus.COPY_IN:
            return
        yield from _unless_refused(server, result)


def _ended(server: PGconn) -> Steps:
    while server.put_copy_end() == 0:
        yield Wait.W
    yield from generators.send(server)


def _unless_refused(server: PGconn, result: PGresult) -> Steps:
    """Raise what the server refused, with the connection ready for the next query."""
    if result.status == ExecStatus.FATAL_ERROR:
        while (yield from generators.fetch(server)) is not None:
            pass
        raise error_from_result(result)
