"""What several endpoints take and answer, as pydantic models: times, revisions, publications, findings.

Times are RFC 3339 with an offset, and answered in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from abac.condition.types import DATETIME, TypeClash, admit

EXAMPLE_REVISION = "5387a757fe16"
"""A revision as examples have it."""


class Asked(BaseModel):
    """A body: a member that is not known is refused, since it was meant."""

    model_config = ConfigDict(extra="forbid")


def examples(*given: Any) -> ConfigDict:
    """Return the configuration of a body with examples; the tests send each."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(given)})


def _moment(given: Any) -> datetime:
    try:
        read = admit(given, DATETIME)
        assert isinstance(read, datetime)  # noqa: S101  # a date-time type admits date-times
        return read.astimezone(UTC)
    except (TypeClash, OverflowError) as error:
        raise ValueError(f"{error}; write it as 2026-06-12T21:21:00Z") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-06-12T21:21:00Z"]}),
]
"""A time with an offset."""

Why = Annotated[str, Field(min_length=1, max_length=4_000, description="Why, in a sentence; recorded for good.")]

RevisionName = Annotated[
    str, Field(pattern=r"^[0-9a-f]{4,64}$", description="A revision, or enough of its first digits.")
]

ExpectName = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{4,64}|none)$",
        description="The revision that was published last when you looked; `none` for an empty store.",
    ),
]


class Revision(BaseModel):
    """A program that was recorded: who, why, when, from which commit, drafted against which other revision."""

    revision: str
    seq: int
    recorded_at: str
    author: str
    why: str
    commit: str
    base: str


class Posture(BaseModel):
    """What the provider does with what cannot be decided; since when, by whom and why."""

    name: str
    since: str | None
    who: str
    approver: str
    why: str
    seq: int | None


class Publication(BaseModel):
    """A revision put in force from a time on, under two names."""

    seq: int
    kind: str
    revision: str
    effective_at: str
    recorded_at: str
    previous: str
    author: str
    approver: str
    why: str
    commit: str
    late: bool


class Published(BaseModel):
    """A publication, and others that still come; `new` is false where it was in force already."""

    publication: Publication
    pending: list[Publication]
    new: bool


class Finding(BaseModel):
    """One thing that is wrong in a file, or may be."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    message: str
    hint: str


class Difference(BaseModel):
    """What changed between two revisions, by section: parts added, removed and changed."""

    before: str | None
    after: str
    sections: dict[str, Any]
