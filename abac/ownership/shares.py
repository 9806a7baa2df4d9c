"""Read a share as people write it: `50`, `33,3 %`, `25%-50%`, `more than 25`, `up to 10 %`, a register's codes.

A share is a pair of bounds in millionths. `More than 25` starts one millionth above a quarter, so that what is
more than half is more than half. What cannot be read is not guessed at: the share is unknown, and the text is a
fault.
"""

from __future__ import annotations

import re

from abac.ownership.graph import UNKNOWN, WHOLE

Bounds = tuple[int, int]

NUMBER = r"(\d+(?:[.,]\d+)?)\s*(?:%|percent|per\s?cent)?"
RANGE = re.compile(rf"(?:between\s+|from\s+)?{NUMBER}\s*(?:-|\u2013|\u2014|to|and|\.\.)\s*{NUMBER}")
ONE = re.compile(NUMBER)
CODE = re.compile(r"(?:ownership-of-shares|voting-rights|right-to-share-surplus-assets)-(\d+)-to-(\d+)-percent")
WORDS: tuple[tuple[re.Pattern[str], bool, bool], ...] = (
    # the words before or after the number, whether it is the upper bound, and whether the number itself is out
    (re.compile(r"(?:more than|over|above|exceeding|greater than|>)\s*" + NUMBER), False, True),
    (re.compile(r"(?:at least|from|not less than|minimum|>=|≥)\s*" + NUMBER), False, False),
    (re.compile(NUMBER + r"\s*(?:or more|and more|\+|or over)"), False, False),
    (re.compile(r"(?:less than|under|below|<)\s*" + NUMBER), True, True),
    (re.compile(r"(?:up to|at most|not more than|no more than|maximum|<=|≤)\s*" + NUMBER), True, False),
    (re.compile(NUMBER + r"\s*(?:or less|and less)"), True, False),
)
MAJORITY = ("majority", "majority stake", "controlling majority")
MINORITY = ("minority", "minority stake")
NOTHING = ("", "unknown", "n/a", "na", "undisclosed", "not known", "?", "-")


class ShareError(ValueError):
    """A text that is no share."""


def read_share(text: str) -> Bounds:
    """Return the bounds of a share in millionths; the upper one is `UNKNOWN` where the text gives none.

    Raises `ShareError` for what cannot be read, is over 100 percent, or is back to front.

    >>> [read_share(t) for t in ("50", "25%-50%", "more than 25", "unknown")]
    [(500000, 500000), (250000, 500000), (250001, -1), (0, -1)]
    """
    words = " ".join(text.lower().split())
    if words in NOTHING:
        return 0, UNKNOWN
    if words in MAJORITY:
        return WHOLE // 2 + 1, UNKNOWN
    if words in MINORITY:
        return 0, WHOLE // 2 - 1
    if code := CODE.match(words):  # the register of significant control: more than 25 to 50, ..., 75 or more
        low, high = (_parts(n) for n in code.groups())
        return (low if high == WHOLE else low + 1), high
    if both := RANGE.fullmatch(words):
        low, high = (_parts(n) for n in both.groups())
        if low > high:
            raise ShareError(f"`{text}` is back to front")
        return low, high
    if one := ONE.fullmatch(words):
        parts = _parts(one[1])
        return parts, parts
    return _bounded(words, text)


def _bounded(words: str, text: str) -> Bounds:
    for pattern, upper, outside in WORDS:
        found = pattern.fullmatch(words)
        if found:
            parts = _parts(found[1])
            if upper:
                return 0, max(parts - outside, 0)
            return min(parts + outside, WHOLE), UNKNOWN
    raise ShareError(f"`{text[:80]}` is not a share")


def _parts(number: str) -> int:
    whole, _, rest = number.replace(",", ".").partition(".")
    parts = int(whole) * 10_000 + int((rest + "0000")[:4]) if len(whole) < 4 else WHOLE + 1  # noqa: PLR2004  # 999
    if parts > WHOLE:
        raise ShareError(f"{number} percent is more than all of it")
    return parts
