"""Casbin's keys: paths matched by patterns with `*` and named segments, and what the names stand for.

pycasbin 2.8 (`casbin/util/builtin_operators.py`) edits such a pattern into a regular expression; here it is cut
into pieces. Answers are pycasbin's, but for these, each with a test:

- a dot stands for itself, where pycasbin's stands for any character;
- what only a regular expression can mean (`+`, brackets, `*` not after `/`) is refused, and has no value;
- a line feed is a character like others: pycasbin's `*` stops at one, and it overlooks one at the end of a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from abac.condition.functions.linear import MAX_KEPT, PatternError, bounded, captor, quoted, tester

_COLON = r":[^/]+"
_BRACES = r"\{[^/]+\}"
_BRACES_LAZY = r"\{[^/]+?\}"
_REST, _ONE = r"(?s:.*)", r"[^/]+"

_PIECES = {named: re.compile(rf"/\*|{named}") for named in (_COLON, _BRACES, _BRACES_LAZY)}
_ONLY_REGULAR = re.compile(r"[\\^$|?+()\[\]*]|\{[0-9,]+\}")
"""What is left of a pattern and stands for itself in no reading of pycasbin's."""


def key_match(key: str, pattern: str) -> bool:
    """Casbin's keyMatch: `*` in the pattern stands for any rest.

    >>> key_match("/models/fable-5", "/models/*"), key_match("/models", "/models/*")
    (True, False)
    """
    head, star, _ = pattern.partition("*")
    return key.startswith(head) if star else key == pattern


def key_get(key: str, pattern: str) -> str:
    """Casbin's keyGet: what the first `*` of the pattern stands for, or the empty text.

    >>> key_get("/models/fable-5", "/models/*")
    'fable-5'
    """
    head, star, _ = pattern.partition("*")
    return key[len(head) :] if star and key.startswith(head) else ""


def key_match2(key: str, pattern: str) -> bool:
    """Casbin's keyMatch2: `:name` stands for the rest of one segment, `/*` for any rest, `*` alone for everything.

    >>> key_match2("/orgs/a/keys", "/orgs/:org/keys"), key_match2("/orgs/a/b", "/orgs/:org")
    (True, False)
    >>> key_match2("/orgs/a/b/keys", "/orgs/*/keys"), key_match2("/orgs", "/orgs/*")
    (True, False)
    """
    return _test(pattern, _COLON)(key)


def key_match3(key: str, pattern: str) -> bool:
    """Casbin's keyMatch3: as keyMatch2, with names written `{name}`, and no `*` alone.

    >>> key_match3("/proj_a/keys", "/proj_{project}/*")
    True
    """
    return _test(pattern, _BRACES_LAZY)(key)


def key_match4(key: str, pattern: str) -> bool:
    """Casbin's keyMatch4: as keyMatch3, and one name stands for one text wherever it is written.

    >>> key_match4("/a/1/b/1", "/a/{id}/b/{id}"), key_match4("/a/1/b/2", "/a/{id}/b/{id}")
    (True, False)
    """
    names, capture = _capture(pattern, _BRACES, _ONE)
    if len(set(names)) == len(names):
        return _test(pattern, _BRACES)(key)
    found = capture(key)
    if found is None:
        return False
    first: dict[str, str] = {}
    return all(first.setdefault(name, text) == text for name, text in zip(names, found, strict=True))


def key_match5(key: str, pattern: str) -> bool:
    """Casbin's keyMatch5: as keyMatch3, on the key without its query (`?` and what follows).

    >>> key_match5("/orgs/a?page=2", "/orgs/{org}")
    True
    """
    return _test(pattern, _BRACES)(key.partition("?")[0])


def key_get2(key: str, pattern: str, name: str) -> str:
    """Casbin's keyGet2: what `:name` stands for where keyMatch2 holds, else the empty text.

    >>> key_get2("/orgs/a/keys", "/orgs/:org/keys", "org")
    'a'
    """
    return _named(_capture(pattern, _COLON, _ONE), key, name)


def key_get3(key: str, pattern: str, name: str) -> str:
    """Casbin's keyGet3: what `{name}` stands for where keyMatch3 holds, else the empty text.

    >>> key_get3("project/proj_a_admin/", "project/proj_{project}_admin/", "project")
    'a'
    """
    return _named(_capture(pattern, _BRACES_LAZY, _ONE + "?"), key, name)


def inspect_colon(pattern: str) -> None:
    """Refuse a pattern that keyMatch2 and keyGet2 cannot take. Raises `PatternError`."""
    _test(pattern, _COLON)


def inspect_lazy(pattern: str) -> None:
    """Refuse a pattern that keyMatch3 cannot take. Raises `PatternError`."""
    _test(pattern, _BRACES_LAZY)


def inspect_lazy_names(pattern: str) -> None:
    """Refuse a pattern that keyGet3 cannot take. Raises `PatternError`."""
    _capture(pattern, _BRACES_LAZY, _ONE + "?")


def inspect_braces(pattern: str) -> None:
    """Refuse a pattern that keyMatch4 and keyMatch5 cannot take. Raises `PatternError`."""
    _test(pattern, _BRACES)


def _named(pattern: tuple[tuple[str, ...], Callable[[str], tuple[str, ...] | None]], key: str, name: str) -> str:
    names, capture = pattern
    found = capture(key)
    return "" if found is None or name not in names else found[names.index(name)]


@lru_cache(maxsize=MAX_KEPT)
def _test(pattern: str, named: str) -> Callable[[str], bool]:
    """Compile to the cheapest test: equality, a prefix, or RE2."""
    if pattern == "*" and named == _COLON:
        return lambda _: True
    pieces = _cut(pattern, named)
    if not any(written for _, written in pieces):
        return pattern.__eq__
    if len(pieces) == 2 and pieces[0][1] == "/*" and not pieces[1][0]:  # noqa: PLR2004  # a text, and any rest below it
        start = pieces[0][0] + "/"
        return lambda key: key.startswith(start)
    return tester(_regular(pieces, _ONE))


@lru_cache(maxsize=MAX_KEPT)
def _capture(
    pattern: str, named: str, one: str
) -> tuple[tuple[str, ...], Callable[[str], tuple[str, ...] | None]]:
    """Compile to the names in a pattern and what gives the texts they stand for."""
    if pattern == "*" and named != _BRACES:
        return (), lambda _: ()
    pieces = _cut(pattern, named)
    names = tuple(w[1:] if named == _COLON else w[1:-1] for _, w in pieces if w not in ("", "/*"))
    return names, captor(_regular(pieces, f"({one})"))


def _cut(pattern: str, named: str) -> list[tuple[str, str]]:
    """Cut a pattern into texts that stand for themselves, each followed by `/*`, a named part, or the end."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for match in _PIECES[named].finditer(bounded(pattern)):
        pieces.append((_plain(pattern, at, match.start()), match.group()))
        at = match.end()
    return [*pieces, (_plain(pattern, at, len(pattern)), "")]


def _plain(pattern: str, start: int, end: int) -> str:
    odd = _ONLY_REGULAR.search(pattern, start, end)
    if odd is None:
        return pattern[start:end]
    hint = "write `/*`" if odd.group() == "*" else "write regexMatch"
    raise PatternError(f"`{odd.group()}` in a key would be read as a regular expression; {hint}", odd.start())


def _regular(pieces: list[tuple[str, str]], one: str) -> str:
    written = {"": "", "/*": "/" + _REST}
    return "".join(quoted(text) + written.get(mark, one) for text, mark in pieces) + r"\z"
