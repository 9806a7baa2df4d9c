r"""Casbin's regexMatch: regular expressions that start at the value's start, in linear time.

pycasbin 2.8 asks Python's `re.match`; here the pattern is written for RE2 by `functions.pattern`, which refuses
what RE2 does not have. Where the pattern is read, answers are the same, but that a few values have none, because
RE2 would give another one:

- where the pattern has `$` outside multi-line mode, a value that ends in a line feed;
- where it has `\b` or `\B`, a value beyond ASCII, and the empty one;
- where it ignores case, a value with U+0130, U+0131 or U+0345.

One difference is left: characters newer than the Unicode of the Python that runs are letters to RE2 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from abac.condition.functions.linear import MAX_KEPT, Pattern, tester
from abac.condition.functions.pattern import read


@lru_cache(maxsize=MAX_KEPT)
def _compiled(pattern: str) -> tuple[Pattern, Callable[[str], bool]]:
    found = read(pattern)
    return found, tester(found.text)


def regex_match(value: str, pattern: str) -> bool:
    """Casbin's regexMatch: whether the value *starts* with a match, as Python's `re.match` has it.

    Raises `PatternError` for a pattern that is refused, and `ValueError` for a value of which RE2 has no answer.

    >>> regex_match("fable-5", "fable"), regex_match("a fable", "fable")
    (True, False)
    """
    read_as, test = _compiled(pattern)
    if not read_as.answers(value):
        raise ValueError("RE2 and Python may answer this value differently")
    return test(value)


def inspect_regex(pattern: str) -> None:
    """Refuse what is no pattern for regexMatch. Raises `PatternError`, with the place in the pattern."""
    _compiled(pattern)
