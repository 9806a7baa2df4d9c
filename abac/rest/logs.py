"""What is logged, as one JSON object a line: faults with their traceback, refusals, and what the server does.

Decisions are not logged here: they are metered, and recorded where an audit log is. No header, body or key is ever
given to a logger; `redact` is there for what slips through.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_SECRET = re.compile(r"abac_[0-9a-f]{16}_[0-9a-f]+|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]+")


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put `[secret]` in the place of whatever looks like a key or a token."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRET.sub("[secret]", value)
    return event


def configure(level: str = "info", file: TextIO | None = None) -> None:
    """Set structlog up for a server: JSON lines on standard error, secrets redacted, uvicorn's own lines too."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file or sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        own = logging.getLogger(name)
        own.handlers = [_Forward()]
        own.propagate = False
        own.setLevel(max(number, logging.WARNING))


class _Forward(logging.Handler):
    """Hands uvicorn's lines on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger("uvicorn")
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)
