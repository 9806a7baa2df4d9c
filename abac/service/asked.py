"""Read a request from JSON text, and write an outcome as JSON."""

from __future__ import annotations

import json
from typing import Any

from abac.errors import CompileError, Diagnostic, Span, did_you_mean
from abac.policy.decision import Outcome
from abac.policy.request import EMBEDDED, Request, Source

CATEGORIES = ("subject", "action", "resource", "environment")


def read_request(text: str, file: str, source: Source = EMBEDDED) -> Request:
    """Return the request of a JSON text: an object with `subject`, `action`, `resource` and `environment`.

    Raises `CompileError` at the line and column where the text is not JSON, names a key twice, or an unknown one.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _error(Span(file, error.lineno, error.colno), f"not valid JSON: {error.msg}") from None
    except ValueError as error:
        raise _error(Span(file), str(error)) from None
    except RecursionError:
        raise _error(Span(file), "nested too deep") from None
    if not isinstance(value, dict):
        raise _error(Span(file), f"a request is an object with {', '.join(CATEGORIES)}")
    for key in value:
        if key not in CATEGORIES:
            raise _error(Span(file), f"unknown key `{key}`", did_you_mean(key, CATEGORIES))
    return Request(**value, source=source)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a JSON object, its reasons with what they cite."""
    return {
        "decision": outcome.decision.value,
        "permitted": outcome.permitted,
        "reasons": [
            {
                "rule": reason.rule,
                "effect": reason.effect.value,
                "truth": reason.truth.name,
                "file": reason.citation.file,
                "line": reason.citation.line,
                "directive": reason.citation.directive,
                "clause": reason.citation.clause,
                "person_test": reason.citation.person_test,
            }
            for reason in outcome.reasons
        ],
        "unknown": list(outcome.unknown),
        "obligations": [{"id": o.id, "parameters": dict(o.parameters)} for o in outcome.obligations],
        "advice": [{"id": o.id, "parameters": dict(o.parameters)} for o in outcome.advice],
        "revision": outcome.revision,
    }


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in [k for k, _ in pairs[:i]])
        raise ValueError(f"`{twice}` stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not a JSON number")


def _error(span: Span, message: str, hint: str = "") -> CompileError:
    return CompileError([Diagnostic(span, "request", message, "error", hint)])
