"""abac decides who may use which AI model, proves later why, and shows what a change of the rules will do.

    >>> import abac
    >>> sorted(abac.__all__)[:4]
    ['AbacError', 'Answer', 'Assurance', 'AsyncEnforcer']

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
    from abac.enforcer import AsyncEnforcer, Enforcer, FallbackWarning, SyncedEnforcer
    from abac.language.casbin_out import CasbinText
    from abac.listing import Everything, HeldIn, ListingError, Nothing, Where, list_permitted
    from abac.pdp.decide import decide
    from abac.pdp.explain import explain
    from abac.pdp.explanation import Explanation
    from abac.pdp.point import DecisionPoint
    from abac.pdp.residual import Residual, residual
    from abac.service.export import export_casbin
    from abac.service.load import compile_policies as compile  # noqa: A004  # the field's verb
    from abac.service.program_file import read_program, write_program
    from abac.service.recording.answer import Answer
    from abac.service.recording.point import RecordedPoint
    from abac.simulation.change import simulate
    from abac.simulation.population import Population

__version__ = "0.1.0"

__all__ = [
    "EMBEDDED",
    "UNTRUSTED",
    "AbacError",
    "Answer",
    "Assurance",
    "AsyncEnforcer",
    "CasbinText",
    "CompileError",
    "Decision",
    "DecisionPoint",
    "Effect",
    "Enforcer",
    "Everything",
    "Explanation",
    "FallbackWarning",
    "Function",
    "HeldIn",
    "ListingError",
    "Nothing",
    "Obligation",
    "Outcome",
    "Population",
    "PopulationError",
    "Program",
    "Reason",
    "RecordedPoint",
    "Request",
    "RequestError",
    "Residual",
    "Source",
    "SyncedEnforcer",
    "Where",
    "compile",
    "decide",
    "explain",
    "export_casbin",
    "list_permitted",
    "read_program",
    "residual",
    "simulate",
    "write_program",
]

_ON_USE = {
    "Answer": ("abac.service.recording.answer", "Answer"),
    "AsyncEnforcer": ("abac.enforcer", "AsyncEnforcer"),
    "CasbinText": ("abac.language.casbin_out", "CasbinText"),
    "DecisionPoint": ("abac.pdp.point", "DecisionPoint"),
    "Enforcer": ("abac.enforcer", "Enforcer"),
    "Everything": ("abac.listing", "Everything"),
    "Explanation": ("abac.pdp.explanation", "Explanation"),
    "FallbackWarning": ("abac.enforcer", "FallbackWarning"),
    "HeldIn": ("abac.listing", "HeldIn"),
    "ListingError": ("abac.listing", "ListingError"),
    "Nothing": ("abac.listing", "Nothing"),
    "Population": ("abac.simulation.population", "Population"),
    "Program": ("abac.compiler.program", "Program"),
    "RecordedPoint": ("abac.service.recording.point", "RecordedPoint"),
    "Residual": ("abac.pdp.residual", "Residual"),
    "SyncedEnforcer": ("abac.enforcer", "SyncedEnforcer"),
    "Where": ("abac.listing", "Where"),
    "compile": ("abac.service.load", "compile_policies"),
    "decide": ("abac.pdp.decide", "decide"),
    "explain": ("abac.pdp.explain", "explain"),
    "export_casbin": ("abac.service.export", "export_casbin"),
    "list_permitted": ("abac.listing", "list_permitted"),
    "read_program": ("abac.service.program_file", "read_program"),
    "residual": ("abac.pdp.residual", "residual"),
    "simulate": ("abac.simulation.change", "simulate"),
    "write_program": ("abac.service.program_file", "write_program"),
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE and name != "client":
        raise AttributeError(f"module `abac` has no attribute `{name}`")
    from importlib import import_module  # noqa: PLC0415  # only on first use

    if name == "client":  # the one package that is used by its own name
        return import_module("abac.client")
    module, attribute = _ON_USE[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value
