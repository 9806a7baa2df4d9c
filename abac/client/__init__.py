"""Ask a decision point, over HTTP or in this process, and enforce its answer (the PEP of XACML 3.0, section 3.1).

    >>> import abac.client
    >>> bool(abac.client.Answer.refused("unreachable", "nobody answers"))
    False

Whatever goes wrong between the question and a well-formed answer, nothing is permitted. What is heavy (httpx,
Starlette) loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abac.client.answer import Answer
from abac.client.ask import UNGUARDED, Asks
from abac.client.refusal import Refusal, refusal
from abac.client.wire import Action, Evaluation, Resource, Semantic, Subject

if TYPE_CHECKING:
    from abac.client.asgi import Guard
    from abac.client.asynchronous import AsyncClient
    from abac.client.changes import Change, ChangesError
    from abac.client.dependency import Permitted
    from abac.client.guarding import SessionGuard
    from abac.client.holding import Flip, OpenSession, SessionEndedError
    from abac.client.in_process import InProcess
    from abac.client.searching import SearchError
    from abac.client.sessions import Session
    from abac.client.streaming import StreamGuard
    from abac.client.synchronous import Client

__all__ = [
    "UNGUARDED",
    "Action",
    "Answer",
    "Asks",
    "AsyncClient",
    "Change",
    "ChangesError",
    "Client",
    "Evaluation",
    "Flip",
    "Guard",
    "InProcess",
    "OpenSession",
    "Permitted",
    "Refusal",
    "Resource",
    "SearchError",
    "Semantic",
    "Session",
    "SessionEndedError",
    "SessionGuard",
    "StreamGuard",
    "Subject",
    "refusal",
]

_ON_USE = {
    "AsyncClient": "abac.client.asynchronous",
    "Change": "abac.client.changes",
    "ChangesError": "abac.client.changes",
    "Client": "abac.client.synchronous",
    "Flip": "abac.client.holding",
    "Guard": "abac.client.asgi",
    "InProcess": "abac.client.in_process",
    "OpenSession": "abac.client.holding",
    "Permitted": "abac.client.dependency",
    "SearchError": "abac.client.searching",
    "Session": "abac.client.sessions",
    "SessionEndedError": "abac.client.holding",
    "SessionGuard": "abac.client.guarding",
    "StreamGuard": "abac.client.streaming",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module `abac.client` has no attribute `{name}`")
    from importlib import import_module  # noqa: PLC0415  # only on first use

    value = globals()[name] = getattr(import_module(_ON_USE[name]), name)
    return value
