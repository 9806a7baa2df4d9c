"""Draw who stands behind an entity: its owners above it, level by level, and the share of every stake.

The part of the graph that the answer rests on is drawn (`ownership.chains`), up to `MOST` entities, nearest first.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from abac.ownership.chains import chains
from abac.ownership.standing import Answer, Standing
from abac.simulation.report.charts.style import (
    HAIR,
    INK,
    MUTED,
    OPEN,
    RIGHTLY,
    SMALL,
    UNDECIDED,
    WRONGLY,
    Drawing,
    drawing,
    heading,
    rows,
)

MOST = 30
"""Entities drawn."""
CHAINS = 12
WORDS = ("listed", *(str(a) for a in reversed(Answer)))
COLOURS = (WRONGLY, RIGHTLY, UNDECIDED, OPEN, HAIR)
SHAPES = ("square", "circle", "triangle-up", "diamond", "circle")


def owners(found: Standing, entity: int, called: dict[str, str]) -> Drawing:
    """Return the picture of an entity and who is behind it; `called` are names for people by id."""
    graph = found.graph
    stakes = list(dict.fromkeys(s for chain in chains(found, entity, CHAINS) for s in reversed(chain.stakes)))
    if not stakes:
        stakes = graph.stakes_in(entity)[:MOST]
    level = {entity: 0}
    for stake in stakes:
        owner, owned = int(graph.owner[stake]), int(graph.owned[stake])
        if owned in level and owner not in level and len(level) < MOST:
            level[owner] = level[owned] + 1
    places = _places(level)
    name = called.get(graph.names[entity], graph.names[entity])
    nodes = [_node(found, e, x, y, called) for e, (x, y) in places.items()]
    links = [
        _link(places[int(graph.owner[s])], places[int(graph.owned[s])], graph.share(s))
        for s in stakes
        if int(graph.owner[s]) in places and int(graph.owned[s]) in places
    ]
    says = f"{name}: {Answer(int(found.answer[entity]))}, by {found.reading.name}."
    title = f"Who stands behind {name}"
    chart = _chart(nodes, links, max(level.values()) + 1, max(2, _widest(level)))
    return drawing("owners", says, chart.properties(title=heading(title, says)), title)


def _places(level: dict[int, int]) -> dict[int, tuple[float, float]]:
    """Return where every entity stands: owners above what they own, evenly spread."""
    found: dict[int, tuple[float, float]] = {}
    for height in range(max(level.values()) + 1):
        members = [e for e, at in level.items() if at == height]
        for i, member in enumerate(members):
            found[member] = ((i + 0.5) / len(members), float(height))
    return found


def _widest(level: dict[int, int]) -> int:
    heights = list(level.values())
    return max(heights.count(h) for h in heights)


def _node(found: Standing, entity: int, x: float, y: float, called: dict[str, str]) -> dict[str, Any]:
    name = found.graph.names[entity]
    word = "listed" if found.listed[entity] else str(Answer(int(found.answer[entity])))
    return {"x": x, "y": y, "name": called.get(name, name), "answer": word}


def _link(owner: tuple[float, float], owned: tuple[float, float], share: str) -> dict[str, Any]:
    return {
        "x": owner[0],
        "y": owner[1],
        "x2": owned[0],
        "y2": owned[1],
        "mx": (owner[0] + owned[0]) / 2,
        "my": (owner[1] + owned[1]) / 2,
        "share": share,
    }


def _chart(nodes: list[dict[str, Any]], links: list[dict[str, Any]], levels: int, widest: int) -> Any:
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.6, levels - 0.4]))
    lines = alt.Chart(rows(links)).mark_rule(color=MUTED, strokeWidth=1.2).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    shares = (
        alt.Chart(rows(links))
        .mark_text(fontSize=SMALL, color=INK, dx=6, align="left")
        .encode(x=alt.X("mx:Q", axis=None), y=alt.Y("my:Q", axis=None), text="share:N")
    )
    points = (
        alt.Chart(rows(nodes))
        .mark_point(filled=True, size=220, opacity=1, stroke=INK, strokeWidth=0.8)
        .encode(
            x=x,
            y=y,
            color=alt.Color("answer:N", scale=alt.Scale(domain=list(WORDS), range=list(COLOURS))),
            shape=alt.Shape("answer:N", scale=alt.Scale(domain=list(WORDS), range=list(SHAPES))),
        )
    )
    names = (
        alt.Chart(rows(nodes))
        .mark_text(fontSize=SMALL, color=INK, dy=20, limit=240)
        .encode(x=x, y=y, text="name:N")
    )
    layers = [lines, shares, points, names] if links else [points, names]
    return alt.layer(*layers).properties(width=max(420, 230 * widest), height=110 * levels)
