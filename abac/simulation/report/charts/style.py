"""Say how every chart looks, and turn a specification into SVG for the page.

Colours are from the Okabe-Ito and Tol sets, told apart by every common colour blindness, and never carry meaning
alone: shape, dash, order or a written number says it too. No text is under 11 px at the size the page shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import vl_convert

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK, MUTED, HAIR, PAPER = "#1a1d23", "#565b64", "#d9d8d3", "#ffffff"
RIGHTLY, WRONGLY, OPEN, UNDECIDED = "#0a5c9e", "#d4551a", "#d8cfb8", "#7d828b"
SERIES = ("#0a5c9e", "#b3451a", "#2f7d5b", "#7a4f9a")
SMALL, TEXT = 11.5, 12.5


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart: its name (an anchor), its title, what it shows in a sentence, and its SVG."""

    name: str
    title: str
    says: str
    svg: str


def rows(values: list[dict[str, Any]]) -> alt.InlineData:
    """Return the values as data that stands inside the specification."""
    return alt.InlineData(values=values)


def heading(text: str, *lines: str) -> alt.TitleParams:
    """Return a chart's title with its subtitles, the mark of generated data among them; empty ones left out."""
    return alt.TitleParams(text, subtitle=[line for line in lines if line])


def mark(synthetic: bool) -> str:
    """Return the words that stand on every chart made from generated data; else nothing."""
    return "SYNTHETIC: generated data, no real person" if synthetic else ""


def drawing(name: str, says: str, chart: Any, title: str) -> Drawing:
    """Render a chart. The same chart gives the same bytes: no ids, no scripts, no references outside."""
    spec = _styled(chart).to_dict()
    spec.pop("$schema", None)
    svg = vl_convert.vegalite_to_svg(spec)
    label = escape(f"{title}. {says}", quote=True)
    return Drawing(name, title, says, svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))


def _styled(chart: Any) -> Any:
    return (
        chart.configure(font=FONT, background=PAPER, padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            labelFontSize=SMALL,
            titleColor=MUTED,
            titleFontSize=SMALL,
            titleFontWeight="normal",
            titlePadding=10,
            gridColor="#ecebe7",
            domainColor=HAIR,
            tickColor=HAIR,
            labelPadding=6,
        )
        .configure_legend(
            orient="top",
            title=None,
            labelFontSize=TEXT,
            labelColor=INK,
            symbolStrokeWidth=2,
            columnPadding=22,
            labelLimit=400,
            padding=2,
            offset=14,
        )
        .configure_title(
            anchor="start",
            fontSize=13.5,
            fontWeight=600,
            color=INK,
            subtitleFontSize=SMALL,
            subtitleColor=MUTED,
            subtitlePadding=4,
            offset=14,
        )
        .configure_text(fontSize=SMALL, color=INK)
    )
