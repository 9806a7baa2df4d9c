"""What is logged, as one JSON object a line: faults with their traceback, refusals, and what the server does.

Decisions are not logged here: they are metered, and recorded where an audit log is. No header, body or key is ever
given to a logger; `redact` is there for what slips through.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(r"abac_[0-9a-f]{16}_[0-9a-f]+|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]+")


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put `[secret]` in the place of whatever looks like a key or a token."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRET.sub("[secret]", value)
    return event


_PROCESSORS: tuple[Any, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
    structlog.processors.JSONRenderer(),
)


def log(name: str = "abac") -> Any:
    """Return a logger: JSON lines on standard error, secrets redacted, whatever else the process has set up."""
    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(_level[0]),
        part=name,
    )


_level = [logging.INFO]


def configure(level: str) -> None:
    """Set the least level that is logged, and take uvicorn's own warnings in as well."""
    _level[0] = logging.getLevelNamesMapping()[level.upper()]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        own = logging.getLogger(name)
        own.handlers = [_Forward()]
        own.propagate = False
        own.setLevel(max(_level[0], logging.WARNING))


class _Forward(logging.Handler):
    """Hands uvicorn's lines on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        log("uvicorn").log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)
