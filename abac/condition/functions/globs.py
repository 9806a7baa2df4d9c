"""Casbin's globMatch: paths matched segment by segment, in linear time.

pycasbin 2.8 asks `wcmatch` with its flags GLOBSTAR and BRACE, after an edit of its own. Answers are the same on
POSIX (on Windows wcmatch overlooks case). `*`, `?` and classes never match `/`, nor a dot that starts a segment;
`**` is any number of segments that no dot starts; a slash is one or more; `{a,b}` is either. Refused are escapes
with a backslash, `[:` and unclosed classes, `**/` at the end, and braces that are no list (`{a}`, `{1..3}`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from abac.condition.functions.linear import MAX_KEPT, PatternError, bounded, quoted, tester

MAX_ALTERNATIVES = 1_000
"""How many patterns the braces of one may come to, as in wcmatch."""
MAX_BRACES = 50
"""How many pairs of braces there may be; writing them out recurses."""

_SEEN = r"[^/.][^/]*"
"""A whole segment that no dot starts."""
_STAR = ""
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")


def glob_match(path: str, pattern: str) -> bool:
    """Return whether the path is one that the glob pattern stands for. Raises `PatternError`.

    >>> glob_match("/models/a/b.bin", "/models/**/*.bin"), glob_match("/models/a/b", "/models/*")
    (True, False)
    """
    return _compiled(pattern)(path)


def inspect_glob(pattern: str) -> None:
    """Refuse what is no pattern for globMatch. Raises `PatternError`."""
    _compiled(pattern)


@lru_cache(maxsize=MAX_KEPT)
def _compiled(pattern: str) -> Callable[[str], bool]:
    if bounded(pattern).count("{") > MAX_BRACES:
        raise PatternError(f"more than {MAX_BRACES} braces in a glob")
    odd = re.search(r"\\|\$\{|\[:", pattern)
    if odd is not None:
        raise PatternError(f"`{odd.group()}` in a glob is refused", odd.start())
    while pattern.startswith("*/"):
        pattern = pattern[1:]
    parts = [part if part == "**" else re.sub(r"\*\*+", "*", part) for part in pattern.split("/")]
    whole = "/".join(parts)
    base = whole.removesuffix("/**")
    alternatives = _alternatives(whole) if base == whole else [*_alternatives(base), *_alternatives(whole)]
    paths = [_path(one) for one in dict.fromkeys(alternatives) if one]  # an empty brace is none
    return tester(f"(?:{'|'.join(paths)})\\z")


# --- braces ------------------------------------------------------------------------------------------------


def _alternatives(pattern: str) -> list[str]:
    """Write out the braces of a pattern, left to right."""
    start = pattern.find("{")
    if start < 0:
        if "}" in pattern:
            raise PatternError("a brace in a glob that does not pair up")
        return [pattern]
    end, commas = _brace(pattern, start)
    if not commas:
        raise PatternError("braces in a glob hold two or more patterns with commas between them")
    cuts = [start, *commas, end]
    inner = [pattern[a + 1 : b] for a, b in pairwise(cuts)]
    heads = [pattern[:start] + one for part in inner for one in _alternatives(part)]
    tails = _alternatives(pattern[end + 1 :])
    if len(heads) * len(tails) > MAX_ALTERNATIVES:
        raise PatternError(f"the braces come to more than {MAX_ALTERNATIVES:,} patterns")
    return [head + tail for head in heads for tail in tails]


def _brace(pattern: str, start: int) -> tuple[int, list[int]]:
    """Return where the brace at `start` closes, and its own commas."""
    level, commas = 0, list[int]()
    for at in range(start, len(pattern)):
        match pattern[at]:
            case "{":
                level += 1
            case "}":
                level -= 1
                if level == 0:
                    return at, commas
            case "," if level == 1:
                commas.append(at)
    raise PatternError("a brace in a glob that does not pair up")


# --- paths -------------------------------------------------------------------------------------------------


def _path(pattern: str) -> str:
    """Return RE2 text for a pattern without braces."""
    segments = [s for s in pattern.split("/") if s]
    segments = [s for n, s in enumerate(segments) if s != "**" or segments[n - 1 : n] != ["**"]]
    if not segments:
        return "/+" if pattern else ""
    if segments[-1] == "**" and pattern.endswith("/"):
        raise PatternError("`**/` at the end of a glob is refused")
    below = pattern.startswith("/")
    written = ""
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment != "**":
            written += ("/+" if below else "") + _segment(segment)
        elif last:
            written += f"{'/+' if below else '/*'}(?:{_SEEN}(?:/+{_SEEN})*/*)?"
        else:
            written += f"{'/+' if below else '/*'}(?:{_SEEN}/+)*"
        below = segment != "**"
    if segments[-1] == "**":
        return written
    return written + ("/+" if pattern.endswith("/") else "/*")


def _segment(segment: str) -> str:
    """Return RE2 text for one segment, which a dot may start only where it is written."""
    parts = _parts(segment)
    if parts[0] != _STAR:
        return _written(parts, first=True)
    rest = [p for n, p in enumerate(parts) if p != _STAR or (n and parts[n - 1] != _STAR)]
    some = f"[^/.][^/]*{_written(rest, first=False)}"
    none = _written(rest, first=True) if rest and rest[0] != quoted(".") else None
    return some if none is None else f"(?:{some}|{none})"


def _parts(segment: str) -> list[str]:
    """Cut a segment into RE2 texts of one character each; a star is the empty text, a class keeps its bracket."""
    parts: list[str] = []
    at = 0
    while at < len(segment):
        match segment[at]:
            case "*":
                parts.append(_STAR)
            case "?":
                parts.append("[^/]")
            case "[":
                found = _CLASS.match(segment, at)
                if found is None:
                    raise PatternError("a class in a glob that does not end within its segment")
                parts.append(_class(found.group(1) != "", found.group(2)))
                at = found.end() - 1
            case plain:
                parts.append(quoted(plain))
        at += 1
    return parts


def _written(parts: list[str], *, first: bool) -> str:
    """Join the texts; at the first character of a segment no wildcard stands for a dot."""
    written = ["[^/]*" if p == _STAR else p for p in parts]
    if first and parts[0].startswith("["):
        written[0] = _without_dot(parts[0])
    return "".join(written)


def _class(negated: bool, inside: str) -> str:
    """Return the class without `/`, as explicit ranges."""
    ranges: list[tuple[int, int]] = []
    at = 0
    while at < len(inside):
        low = high = inside[at]
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            high = inside[at + 2]
            at += 2
        if low > high:
            raise PatternError(f"`{low}-{high}` is no range")
        ranges.append((ord(low), ord(high)))
        at += 1
    if negated:
        return f"[^/{_ranges(ranges)}]"
    slash = ord("/")
    kept = [r for low, high in ranges for r in ((low, min(high, slash - 1)), (max(low, slash + 1), high))]
    if not any(low <= high for low, high in kept):
        raise PatternError("a class of no character")
    return f"[{_ranges([r for r in kept if r[0] <= r[1]])}]"


def _ranges(ranges: list[tuple[int, int]]) -> str:
    return "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)


def _without_dot(written: str) -> str:
    """Return a class less the dot: RE2 has no difference of classes, so the ranges are cut."""
    if written.startswith("[^"):
        return written[:-1] + ".]"
    ends = [(int(a, 16), int(b, 16)) for a, b in re.findall(r"\\x\{([0-9a-f]+)\}-\\x\{([0-9a-f]+)\}", written)]
    dot = ord(".")
    kept = [r for low, high in ends for r in ((low, min(high, dot - 1)), (max(low, dot + 1), high))]
    left = [r for r in kept if r[0] <= r[1]]
    return f"[{_ranges(left)}]" if left else r"[^\x00-\x{10ffff}]"
