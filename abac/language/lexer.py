"""Cut condition text into tokens, each with its span, and move over them.

The alphabet is Casbin's matcher text. What to make of the tokens is `language.parser`'s part.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from abac.errors import Span
from abac.language.yaml_source import Text

MAX_LENGTH = 100_000
"""The longest condition text read, in characters."""


class Sort(Enum):
    """What a token is."""

    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    MARK = "mark"
    END = "end of text"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its sort, its text as written, and its place."""

    sort: Sort
    text: str
    span: Span

    def __str__(self) -> str:
        return "end of text" if self.sort is Sort.END else f"`{self.text[:40]}`"


class TextError(Exception):
    """A text that is not exactly one condition: where and why. Caught by the parser's caller, never escapes."""

    def __init__(self, span: Span, code: str, message: str, hint: str = "") -> None:
        self.span, self.code, self.message, self.hint = span, code, message, hint
        super().__init__(message)


_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<name>[^\W\d]\w*)
  | (?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
  | (?P<mark>&&|\|\||==|!=|<=|>=|[-+*/<>!(){}\[\],.])
    """,
    re.VERBOSE,
)


_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Bidirectional controls: they show a reader another text than the one that is parsed (CVE-2021-42574)."""

_ESCAPES = re.compile(
    r"""
    (?:[^\\]
      | \\(?:[\\'"abfnrtv] | [0-3]?[0-7]{1,2}(?![0-7]) | [0-3][0-7]{2} | x[0-9a-fA-F]{2}
        | u[0-9a-fA-F]{4} | U[0-9a-fA-F]{8} | N\{[^{}]+\})
    )*+
    """,
    re.VERBOSE | re.DOTALL,
)
"""Python's escapes, less those that Python itself only warns of."""


def tokens(text: Text) -> list[Token]:
    """Return the tokens of `text`, ended by one of sort END. Raises `TextError` at what is no token."""
    source = text.value
    if len(source) > MAX_LENGTH:
        raise TextError(text.span, "too-long", f"condition of {len(source):,} characters; at most {MAX_LENGTH:,}")
    places = _Places(text)
    hidden = _REORDERING.search(source)
    if hidden is not None:
        message = (
            f"the character U+{ord(hidden.group()):04X} reorders what is read; in a string write it as an escape"
        )
        raise TextError(places.span(hidden.start()), "refused", message)
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _PATTERN.match(source, at)
        if match is None:
            raise TextError(places.span(at), "syntax", _no_token(source, at))
        if match.lastgroup != "space":
            sort = Sort(match.lastgroup)
            found.append(Token(sort, match.group(), places.span(at, match.end() - at)))
        at = match.end()
    found.append(Token(Sort.END, "", places.span(at)))
    return found


def _no_token(source: str, at: int) -> str:
    character = source[at]
    if character in "\"'":
        return "string that does not end on its line"
    if character in "&|=":
        return f"unexpected `{character}`; write `{character * 2}`"
    if character == "#":
        return "unexpected `#`; conditions have no comments"
    return f"unexpected character {character!r}"


class _Places:
    """Turns offsets in a text into places in its file."""

    def __init__(self, text: Text) -> None:
        self._file = text.span.file
        self._pieces = text.pieces or _by_lines(text)
        self._offsets = [offset for offset, _, _ in self._pieces]

    def span(self, offset: int, length: int = 1) -> Span:
        start, line, column = self._pieces[bisect_right(self._offsets, offset) - 1]
        return Span(self._file, line, column + offset - start, length)


def _by_lines(text: Text) -> list[tuple[int, int, int]]:
    first = (0, text.span.line, text.span.column)
    return [first, *((m.end(), text.span.line + n, 1) for n, m in enumerate(re.finditer(r"\n", text.value), 1))]


def string_value(token: Token) -> str:
    """Return what a string token stands for, escapes as in Python; what Python would only warn of is refused."""
    if "\\" not in token.text:
        return token.text[1:-1]
    bad = TextError(token.span, "syntax", f"string with a bad escape: {token.text[:40]}")
    if not _ESCAPES.fullmatch(token.text):
        raise bad
    try:
        value = str(ast.literal_eval(token.text))
        value.encode()  # an escape can name half a surrogate pair
    except (SyntaxError, ValueError):
        raise bad from None
    return value


def number_value(token: Token) -> int | float:
    """Return an int where the token has neither point nor exponent, else a finite float."""
    if token.text.isdecimal():
        if token.text != "0" and token.text.startswith("0"):
            raise TextError(token.span, "syntax", f"a number does not start with 0: {token.text[:40]}")
        if len(token.text) > 19:  # noqa: PLR2004  # a 64-bit integer has at most 19 digits
            raise TextError(token.span, "number-range", f"integer outside 64 bits: {token.text[:40]}")
        return int(token.text)
    value = float(token.text)
    if value == float("inf"):
        raise TextError(token.span, "number-range", f"number beyond the range of a double: {token.text[:40]}")
    return value


class Cursor:
    """Moves over tokens; a parser is one that knows what to make of them."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._now
        self._at += token.sort is not Sort.END
        return token

    def _is(self, *texts: str) -> bool:
        return self._now.text in texts and self._now.sort in (Sort.MARK, Sort.NAME)

    def _accept(self, *texts: str) -> Token | None:
        return self._take() if self._is(*texts) else None

    def _expect(self, text: str) -> Token:
        return self._accept(text) or self._fail(f"expected `{text}`, found {self._now}")

    def _fail(self, message: str, hint: str = "", span: Span | None = None, code: str = "syntax") -> NoReturn:
        raise TextError(span or self._now.span, code, message, hint)
