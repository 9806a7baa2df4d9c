r"""Which characters `\d`, `\w` and `\s` are in Python's patterns, written as RE2's classes.

RE2's own are of ASCII alone. A test asks both of every character that Python's Unicode assigns.
"""

from __future__ import annotations

from collections.abc import Mapping

WORD = r"\p{L}\p{N}_"
_SPACE = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_NO_SPACE = (
    r"\x00-\x08\x0e-\x1b!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"
)
INSIDE: Mapping[str, str] = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": WORD, "s": _SPACE, "S": _NO_SPACE}
"""By letter, as it stands inside a class. `W` is no list of ranges, so it cannot."""
OUTSIDE: Mapping[str, str] = {name: f"[{inside}]" for name, inside in INSIDE.items()} | {"W": f"[^{WORD}]"}
EXCEPT_NOT_WORD: Mapping[str, str] = {
    "": f"[{WORD}]",
    "_": r"[\p{L}\p{N}]",
    "d": r"[\p{L}\p{Nl}\p{No}_]",
    "_d": r"[\p{L}\p{Nl}\p{No}]",
}
r"""What `[^\W...]` leaves: the known ways to write letters in Python."""
