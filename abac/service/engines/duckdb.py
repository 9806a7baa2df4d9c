"""DuckDB as an engine: a query over Parquet files, in this process and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from abac.backends.query import DUCKDB, callable_of
from abac.condition.functions import Function

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def register(connection: DuckDBPyConnection, called: Mapping[str, Function]) -> None:
    """Let the engine call our functions, by the names that a query calls them."""
    options: dict[str, Any] = {"null_handling": "special", "side_effects": False}
    known = connection.execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
    for name, function in called.items():
        if (name.lower(),) in known:
            connection.remove_function(name)
        parameters = [DUCKDB.type(kind.kind) for kind in function.parameters]
        result = DUCKDB.type(function.result.kind)
        connection.create_function(name, callable_of(function), parameters, result, **options)
