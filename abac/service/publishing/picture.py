"""Draw a timeline: a bar for each directive while it was in force, as known then above as known now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from abac.audit.clock import stamp
from abac.service.files import refused
from abac.service.publishing.timeline import Moment

KINDS = ("html", "svg", "png")

_ANSWERS = ("as known then", "as known now")
_COLOURS = ("#9aa5b1", "#1f6feb")


def draw(rows: Sequence[Moment], target: Path) -> None:
    """Write the picture as HTML that needs no network, SVG or PNG, by the file's ending. Raises `CompileError`."""
    kind = target.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise refused(target, "option", f"`{target.suffix}` is no picture", "end it with .html, .svg or .png")
    import altair as alt  # noqa: PLC0415  # heavy, and only wanted where something is drawn

    chart = (
        alt.Chart(alt.InlineData(values=bars(rows)))
        .mark_bar(height=11)
        .encode(
            x=alt.X("from:T", title="UTC", scale=alt.Scale(type="utc")),
            x2="until:T",
            y=alt.Y("what:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
            yOffset=alt.YOffset("answer:N", sort=list(_ANSWERS)),
            color=alt.Color(
                "answer:N", title=None, sort=list(_ANSWERS), scale=alt.Scale(domain=_ANSWERS, range=_COLOURS)
            ),
            tooltip=["what:N", "answer:N", "from:N", "until:N"],
        )
        .properties(width=640, height=alt.Step(14), title="In force")
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        chart.save(str(target), **({"inline": True} if kind == "html" else {}))
    except OSError as error:
        raise refused(target, "file", error.strerror or str(error)) from None


def bars(rows: Sequence[Moment]) -> list[dict[str, Any]]:
    """Return a bar for each directive, from each moment at which it was in force until the next."""
    found: list[dict[str, Any]] = []
    for row, after in pairwise(rows):
        for answer, told in zip(_ANSWERS, (row.then, row.now), strict=True):
            found += [
                {"what": what, "answer": answer, "from": stamp(row.at), "until": stamp(after.at)}
                for what in told.names
            ]
    return found
