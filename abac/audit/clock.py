"""Times as entries write them: RFC 3339, UTC, always with six digits of a second. Nobody reads a clock here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stamp(moment: datetime) -> str:
    """Return a moment as text.

    >>> stamp(datetime(2026, 6, 12, 21, 21, tzinfo=UTC))
    '2026-06-12T21:21:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the moment that a text says; raises `ValueError` where it says none, or no offset."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"`{text}` has no offset")
    return read.astimezone(UTC)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970 UTC, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(number: int) -> datetime:
    """Return the moment so many microseconds after 1970 UTC."""
    return EPOCH + timedelta(microseconds=number)
