"""Match in linear time: RE2 under a bound of memory, anchored at the start as `re.match` is.

Python's own `re` backtracks and cannot be interrupted, so one pattern could stall every decision; no pattern of a
policy is ever run by it. The syntax of patterns is `functions.pattern`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

MAX_PATTERN = 2_000
"""The longest pattern read, in characters."""
MAX_MEMORY = 1 << 18
"""The most memory of one compiled pattern, in bytes; one that needs more is refused."""
MAX_KEPT = 1_000
"""How many compiled patterns are kept, each kind of function for itself; older ones are compiled anew."""

WHY = "regular expressions are RE2's, so that a decision cannot be stalled"


class PatternError(ValueError):
    """A pattern that is refused; `at` is the offset of the offending character, or -1 for the whole."""

    def __init__(self, message: str, at: int = -1) -> None:
        self.at = at
        super().__init__(f"{message}, at character {at + 1} of the pattern" if at >= 0 else message)


FOLDED_APART = frozenset("\u0130\u0131\u0345")
"""Where case is ignored, RE2 folds these apart from what Python does."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """RE2 text, and of which values it has no answer."""

    text: str
    ends: bool = False
    bounds: bool = False
    folds: bool = False

    def answers(self, value: str) -> bool:
        """Whether RE2 gives Python's answer on `value`."""
        return not (
            (self.ends and value.endswith("\n"))
            or (self.bounds and not (value and value.isascii()))
            or (self.folds and not FOLDED_APART.isdisjoint(value))
        )


def bounded(pattern: str) -> str:
    """Return the pattern; raises `PatternError` where it is too long to be read."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"pattern of {len(pattern):,} characters; at most {MAX_PATTERN:,}")
    return pattern


def tester(text: str) -> Callable[[str], bool]:
    """Return what says whether a value starts with a match of RE2 `text`. Raises `PatternError`.

    >>> tester(r"a+b")("aaabc"), tester(r"a+b")("caab")
    (True, False)
    """
    match = _match(text, captures=False)

    def test(value: str) -> bool:
        return match(value.encode())[0][0] == 0

    return test


def captor(text: str) -> Callable[[str], tuple[str, ...] | None]:
    """Return what gives the groups of the match that a value starts with, or None. Raises `PatternError`.

    Every group must take part in every match.
    """
    match = _match(text, captures=True)

    def capture(value: str) -> tuple[str, ...] | None:
        encoded = value.encode()
        (start, _), *groups = match(encoded)
        return None if start else tuple(encoded[low:high].decode() for low, high in groups)

    return capture


def _match(text: str, *, captures: bool) -> Callable[[bytes], Sequence[tuple[int, int]]]:
    """Return what gives the spans of the match and its groups in bytes; -1 where there is none."""
    compiled = _compiled(text, captures=captures)
    # The public method works out where in the characters every group stands, which costs six times the match.
    match, start = compiled._regexp.Match, re2._Anchor.ANCHOR_START  # noqa: SLF001  # as just said
    return lambda value: match(start, value, 0, len(value))


def _compiled(text: str, *, captures: bool) -> re2._Regexp:
    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, not captures, MAX_MEMORY
    try:
        return re2.compile(text, options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "no regular expression"
        raise PatternError(f"{said} ({WHY})") from None


def quoted(text: str) -> str:
    """Return RE2 text that matches exactly `text`."""
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{{{ord(c):x}}}" for c in text)
