"""Write numbers for people: thousands separators, percentages with sensible digits, bounds as ranges.

A figure is a number, a bound `{"low", "high", "point"}` or null. A point stands only where the report names
one: a midpoint is never invented here. What the numbers mean is the schema's part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Figure: TypeAlias = "float | Mapping[str, Any] | None"

NONE = "\N{EM DASH}"
_THIN = "\N{NO-BREAK SPACE}"
_RANGE = "\N{EN DASH}"


def low(figure: Figure) -> float:
    """Return the least the figure can be; 0 for null."""
    return _end(figure, "low")


def high(figure: Figure) -> float:
    """Return the most the figure can be; 0 for null."""
    return _end(figure, "high")


def point(figure: Figure) -> float | None:
    """Return the figure itself, or a bound's point where a named prior gives one.

    >>> point({"low": 1, "high": 3, "point": None}) is None
    True
    """
    if isinstance(figure, Mapping):
        if figure["low"] == figure["high"]:
            return float(figure["low"])
        return None if figure.get("point") is None else float(figure["point"])
    return None if figure is None else float(figure)


def is_range(figure: Figure) -> bool:
    """Return whether the figure is a bound whose ends differ."""
    return isinstance(figure, Mapping) and figure["low"] != figure["high"]


def best(figure: Figure) -> float:
    """Return the point where there is one, else the least it can be: for sorting and for `at least`."""
    at = point(figure)
    return low(figure) if at is None else at


def count(figure: Figure) -> str:
    r"""Write a count.

    >>> print(ascii((count(1234567), count({"low": 1000, "high": 2000, "point": 1500}), count(None))))
    ('1,234,567', '1,000\u20132,000 (about 1,500)', '\u2014')
    """
    return _write(figure, lambda value: f"{value:,.0f}")


def compact(figure: Figure) -> str:
    r"""Write a count in at most five characters, a range in nine, for a narrow place.

    >>> compact(999), compact(12345), compact(1_250_000), compact(999_999)
    ('999', '12.3k', '1.25M', '1M')
    >>> print(ascii(compact({"low": 1234, "high": 250_000, "point": None})))
    '1.2k\u2013250k'
    """
    return _write(figure, _rough if is_range(figure) else _short, point_too=False)


def share(figure: Figure) -> str:
    r"""Write a share of one as a percentage; what is not quite 0 or 100 never reads as 0 or 100.

    >>> share(0), share(0.2163), share(0.99996), share(0.0001), share(1)
    ('0\xa0%', '21.6\xa0%', '>99.9\xa0%', '<0.1\xa0%', '100\xa0%')
    """
    if is_range(figure):
        return _write(figure, lambda value: _percent(value).removesuffix(f"{_THIN}%")) + f"{_THIN}%"
    return _write(figure, _percent)


def _end(figure: Figure, name: str) -> float:
    if isinstance(figure, Mapping):
        return float(figure[name])
    return 0.0 if figure is None else float(figure)


def _write(figure: Figure, form: Callable[[float], str], *, point_too: bool = True) -> str:
    if figure is None:
        return NONE
    if not is_range(figure):
        return form(low(figure))
    text = f"{form(low(figure))}{_RANGE}{form(high(figure))}"
    at = point(figure)
    return text if at is None or not point_too else f"{text} (about {form(at)})"


def _percent(value: float) -> str:
    hundred = value * 100
    if value in (0, 1):
        return f"{hundred:.0f}{_THIN}%"
    if hundred < 0.1:  # noqa: PLR2004 - one digit after the point is all a reader can use
        return f"<0.1{_THIN}%"
    if hundred > 99.9:  # noqa: PLR2004 - as above
        return f">99.9{_THIN}%"
    return f"{hundred:.1f}".removesuffix(".0") + f"{_THIN}%"


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}"


def _rough(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            scaled = value / size
            return (f"{scaled:.0f}" if scaled >= 9.95 else f"{scaled:.1f}".removesuffix(".0")) + letter  # noqa: PLR2004 - two digits
    return f"{value:.0f}"
