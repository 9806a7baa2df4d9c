"""abac decides who may use which AI model, proves later why, and shows what a change of the rules will do.

    >>> import abac
    >>> sorted(abac.__all__)[:4]
    ['AbacError', 'Assurance', 'CompileError', 'Decision']

Importing this package is light: what is heavy (columns, charts, the command line) loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abac.condition.functions import Function
from abac.condition.schema import Assurance
from abac.errors import AbacError, CompileError, PopulationError, RequestError
from abac.policy.decision import Decision, Effect, Obligation, Outcome, Reason
from abac.policy.request import EMBEDDED, UNTRUSTED, Request, Source

if TYPE_CHECKING:
    from abac.compiler.program import Program
    from abac.pdp.decide import decide
    from abac.service.load import compile_policies as compile  # noqa: A004  # the field's verb
    from abac.simulation.change import simulate
    from abac.simulation.population import Population

__version__ = "0.1.0"

__all__ = [
    "EMBEDDED",
    "UNTRUSTED",
    "AbacError",
    "Assurance",
    "CompileError",
    "Decision",
    "Effect",
    "Function",
    "Obligation",
    "Outcome",
    "Population",
    "PopulationError",
    "Program",
    "Reason",
    "Request",
    "RequestError",
    "Source",
    "compile",
    "decide",
    "simulate",
]

_ON_USE = {
    "compile": ("abac.service.load", "compile_policies"),
    "decide": ("abac.pdp.decide", "decide"),
    "simulate": ("abac.simulation.change", "simulate"),
    "Population": ("abac.simulation.population", "Population"),
    "Program": ("abac.compiler.program", "Program"),
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module `abac` has no attribute `{name}`")
    from importlib import import_module  # noqa: PLC0415  # only on first use

    module, attribute = _ON_USE[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value
