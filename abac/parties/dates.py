"""When a stake is held or an entry stands: dates as registers write them, perhaps only a year or a month.

What is held is so from its start to the day before its end. Where a day lies within what is not said, it may
be held and may not.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ].*)?)?)?")
DECEMBER = 12


class DateError(ValueError):
    """A text that is no date."""


def read_date(text: str) -> tuple[date, date]:
    """Return the first and the last day that a date can mean. Raises `DateError`.

    >>> [day.isoformat() for day in read_date("2024-02")]
    ['2024-02-01', '2024-02-29']
    """
    found = DATE.fullmatch(text.strip())
    if not found:
        raise DateError(f"`{text[:40]}` is not a date such as 2024, 2024-02 or 2024-02-29")
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        if year is None or month is None:
            return date(int(found[1]), 1, 1), date(int(found[1]), DECEMBER, 31)
        if day is None:
            after = date(year + month // DECEMBER, month % DECEMBER + 1, 1)
            return date(year, month, 1), after - timedelta(days=1)
        return date(year, month, day), date(year, month, day)
    except ValueError:
        raise DateError(f"`{text[:40]}` is no day of the calendar") from None


def held(since: str, until: str, day: date) -> bool | None:
    """Return whether a stake is held on a day; None where its dates leave that open. Raises `DateError`."""
    if since:
        first, last = read_date(since)
        if day < first:
            return False
        started = day >= last
    else:
        started = True
    if until:
        first, last = read_date(until)
        if day >= last and (first != last or day >= first):
            return False
        ended = day >= first
    else:
        ended = False
    return True if started and not ended else None
