"""The one sentence that stands above everything."""

from __future__ import annotations

from typing import Any


def headline(entry: dict[str, Any], *, known: bool) -> str:
    """Return the sentence for an entry of the directive in force; figures that are bounds are told as such."""
    decidable = entry["decidable_share"] or 0.0
    us = sum(_high(figure) for figure in entry["us_persons_denied"].values())
    cut = _high(entry["blocked"]["people"])
    lost = {parity: cut - _high(found["people"]) for parity, found in entry["displaced"].items()}
    at_most = "" if known else "at most "
    return (
        f"With what is on file {_percent(decidable)} can be decided; obeying switches off "
        f"{_told(entry['blocked']['people'])} people, of whom {at_most}{us:,} are US persons; "
        f"{lost['parity_not_shown']:,} of them lose the capability altogether, "
        f"or {lost['parity_shown']:,} if parity with other models holds."
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def _high(figure: Any) -> int:
    return int(figure["high"] if isinstance(figure, dict) else figure)


def _told(figure: Any) -> str:
    if isinstance(figure, dict) and figure["low"] != figure["high"]:
        return f"{figure['low']:,} to {figure['high']:,}"
    return f"{_high(figure):,}"
