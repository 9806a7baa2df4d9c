r"""Read a regular expression as Python's `re` does and write it for RE2, or refuse it with its place.

Syntax that both have but mean differently is written out: `\d \w \s` are of Unicode, `\Z` is the very end, `{,3}`
starts at none. What RE2 has not is refused: look-around, back-references, conditional and atomic groups, and
possessive repetition. So are octal and `\N` escapes, comments, `[:` in a class, negated classes with `\W` beside
anything but `\d` and `_`, the flags `a L u x`, flags that are not at the start, and what RE2 alone would accept
(`\z`, `\pL`, `\Q`, `\C`). Which characters `\w` and its like are is the part of `functions.classes`, matching that
of `functions.regex`.
"""

from __future__ import annotations

import re
import sys
from typing import NoReturn

from abac.condition.functions.classes import EXCEPT_NOT_WORD, INSIDE, OUTSIDE, WORD
from abac.condition.functions.linear import FOLDED_APART, WHY, Pattern, PatternError, bounded, quoted

_CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_HEX = {"x": 2, "u": 4, "U": 8}

_QUANTITY = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_FLAGS = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])")
_NAME = re.compile(r"\?P<([^\W\d]\w*)>")
_REFUSED = {
    "?=": "look-ahead",
    "?!": "look-ahead",
    "?<": "look-behind",
    "?>": "an atomic group",
    "?(": "a conditional group",
    "?#": "a comment",
    "?P": "a back-reference",
}


def read(pattern: str) -> Pattern:
    r"""Return the pattern for RE2. Raises `PatternError` at what it refuses.

    >>> read(r"\d{,3}$").text
    '[\\p{Nd}]{0,3}$'
    """
    return _Reader(bounded(pattern)).whole()


class _Reader:
    """Goes over a pattern once, from left to right; nothing recurses."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0
        self._out: list[str] = []
        self._lines = [False]
        self._ends = self._bounds = self._folds = False

    def whole(self) -> Pattern:
        while self._at < len(self._pattern):
            self._out.append(self._next())
        if self._folds and not FOLDED_APART.isdisjoint(self._pattern):
            self._refuse("a dotless or dotted i, or U+0345, where case is ignored", -1)
        return Pattern("".join(self._out), self._ends, self._bounds, self._folds)

    def _next(self) -> str:
        at, one = self._at, self._pattern[self._at]
        self._at += 1
        match one:
            case "\\":
                return self._escape(at)
            case "[":
                return self._class(at)
            case "(":
                return self._group(at)
            case ")":
                if len(self._lines) > 1:
                    self._lines.pop()
            case "{":
                return self._quantity(at)
            case "*" | "+" | "?":
                return self._repeated(one)
            case "$":
                self._ends = self._ends or not self._lines[-1]
            case "^" | "." | "|":
                pass
            case _:
                return quoted(one)
        return one

    # --- repetition and groups -------------------------------------------------------------------------

    def _repeated(self, mark: str) -> str:
        if self._peek() == "+":
            self._refuse("a possessive repetition", self._at)
        return mark

    def _quantity(self, at: int) -> str:
        found = _QUANTITY.match(self._pattern, at)
        if found is None or found.group() == "{}":
            return quoted("{")
        self._at = found.end()
        least, comma, most = found.groups()
        if not comma:
            return self._repeated(f"{{{least}}}")
        return self._repeated(f"{{{least or 0},{most}}}")

    def _group(self, at: int) -> str:
        rest = self._pattern[self._at : self._at + 2]
        if rest[:1] != "?":
            self._lines.append(self._lines[-1])
            return "(?:"
        if (named := _NAME.match(self._pattern, self._at)) is not None:
            self._at = named.end()
            self._lines.append(self._lines[-1])
            return "(?:"
        if (flags := _FLAGS.match(self._pattern, self._at)) is not None:
            return self._flags(at, flags)
        return self._refuse(_REFUSED.get(rest, f"`({rest}`"), at)

    def _flags(self, at: int, found: re.Match[str]) -> str:
        on, off, end = found.group(1), found.group(2) or "", found.group(3)
        odd = next((flag for flag in on + off if flag not in "ims"), None)
        if odd is not None:
            self._refuse(f"the flag `{odd}`", at)
        if end == ")" and (at or off or not on):
            self._refuse("a flag that is not at the start of the pattern", at)
        self._folds = self._folds or "i" in on
        lines = "m" in on or (self._lines[-1] and "m" not in off)
        if end == ")":
            self._lines = [lines]
        else:
            self._lines.append(lines)
        self._at = found.end()
        return f"({found.group()}"

    # --- escapes ---------------------------------------------------------------------------------------

    def _escape(self, at: int) -> str:
        """Write what a backslash outside a class means."""
        mark = self._peek()
        if mark in OUTSIDE:
            self._at += 1
            return OUTSIDE[mark]
        if mark in ("A", "Z"):
            self._at += 1
            return r"\A" if mark == "A" else r"\z"
        if mark in ("b", "B"):
            self._at += 1
            self._bounds = True
            return f"\\{mark}"
        return quoted(self._character(at))

    def _character(self, at: int) -> str:
        """Return the one character that the escape at `at` stands for, wherever it stands."""
        mark = self._peek()
        self._at += 1
        if mark in _CONTROL:
            return chr(_CONTROL[mark])
        if mark in _HEX:
            return self._code(at, _HEX[mark])
        if not mark:
            self._refuse("a backslash at the end", at)
        if mark.isascii() and mark.isalnum():
            back = mark.isdigit() and mark != "0"
            self._refuse("a back-reference or octal escape" if back else f"the escape `\\{mark}`", at)
        return mark

    def _code(self, at: int, digits: int) -> str:
        written = self._pattern[self._at : self._at + digits]
        if len(written) < digits or not all(c in "0123456789abcdefABCDEF" for c in written):
            self._refuse(f"an escape without its {digits} digits", at)
        code = int(written, 16)
        if code > sys.maxunicode or 0xD800 <= code < 0xE000:  # noqa: PLR2004  # the surrogates
            self._refuse("an escape that is no character", at)
        self._at += digits
        return chr(code)

    # --- classes ---------------------------------------------------------------------------------------

    def _class(self, at: int) -> str:
        negated = self._accept("^")
        items: list[str] = []
        kinds: set[str] = set()
        while not (items or kinds) or self._peek() != "]":
            self._item(at, items, kinds)
        self._at += 1
        if "W" not in kinds:
            return f"[{'^' if negated else ''}{''.join(items)}{''.join(INSIDE[k] for k in sorted(kinds))}]"
        others = "".join(INSIDE[k] for k in sorted(kinds - {"W"})) + "".join(items)
        if not negated:
            return f"(?:[{others}]|[^{WORD}])" if others else f"[^{WORD}]"
        left = EXCEPT_NOT_WORD.get("".join(sorted({*(kinds - {"W"}), *items})).replace(quoted("_"), "_"))
        if left is None:
            self._refuse(r"a negated class with `\W`", at)
        return left

    def _item(self, start: int, items: list[str], kinds: set[str]) -> None:
        """Read one character, range or kind of characters of the class that began at `start`."""
        at = self._at
        low = self._member(start)
        if self._peek() != "-" or self._pattern[self._at + 1 : self._at + 2] in ("]", ""):
            if len(low) > 1:
                kinds.add(low[1])
            else:
                items.append(quoted(low))
            return
        self._at += 1
        high = self._member(start)
        if len(low) > 1 or len(high) > 1 or high < low:
            self._refuse("a range that is none", at)
        items.append(f"{quoted(low)}-{quoted(high)}")

    def _member(self, start: int) -> str:
        r"""Return one character of a class, or `\d` and its like."""
        at, one = self._at, self._peek()
        self._at += 1
        if not one:
            self._refuse("a class that does not end", start)
        if one == "[" and self._peek() == ":":
            self._refuse("`[:` in a class", at)
        if one != "\\":
            return one
        mark = self._peek()
        if mark in OUTSIDE:
            self._at += 1
            return f"\\{mark}"
        if mark == "b":
            self._at += 1
            return "\b"
        return self._character(at)

    # --- moving ----------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _accept(self, mark: str) -> bool:
        found = self._peek() == mark
        self._at += found
        return found

    def _refuse(self, what: str, at: int) -> NoReturn:
        raise PatternError(f"{what} is refused: {WHY}", at)
