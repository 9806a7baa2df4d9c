"""Place labels beside dots so that no label covers another label, a dot or a line.

Greedy and deterministic: dots at the same place share one label of several lines; each label tries the spots
around its dot, nearest first, and takes the first free one. Widths are estimated a little too wide on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LINE = 15.0
ROOM = 26.0
GLYPH = 6.5
EDGE = 4.0
"""Labels stay this many pixels off the axes."""
NEAR = 12.0
"""Dots closer than this many pixels share one label."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels from the upper left corner of the plot."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A named dot."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Label:
    """A placed label: its lines, its left edge, the middle of its first line, and the dot it belongs to."""

    lines: tuple[str, ...]
    x: float
    y: float
    dot: Dot

    @property
    def box(self) -> Box:
        """The room the label takes."""
        wide, tall = _size(self.lines)
        return self.x, self.y - LINE / 2, self.x + wide, self.y - LINE / 2 + tall

    @property
    def lead(self) -> tuple[float, float]:
        """Where a leader from the dot ends: the point of the label's box nearest to the dot."""
        left, top, right, bottom = self.box
        return min(max(self.dot.x, left), right), min(max(self.dot.y, top), bottom)


def labels(dots: Sequence[Dot], lines: Sequence[Box], width: float, height: float) -> list[Label]:
    """Return one label per group of dots, none over another, over a dot or over `lines`.

    A dot takes 8 px to each side; above and below it 26 px stay free of the labels of others, for its own.
    """
    drawn = [(min(a, c) - 2, min(b, d) - 2, max(a, c) + 2, max(b, d) + 2) for a, b, c, d in lines]
    placed: list[Label] = []
    for group in _groups(dots):
        own = {dot.name for dot in group}
        taken = [*drawn, *(label.box for label in placed)]
        taken += [(d.x - 8, d.y - 8, d.x + 8, d.y + 8) for d in group]
        taken += [(d.x - 8, d.y - ROOM, d.x + 8, d.y + ROOM) for d in dots if d.name not in own]
        spots = list(_spots(tuple(dot.name for dot in group), group[0], width, height))
        clear = [spot for spot in spots if not any(_meet(spot.box, box) for box in taken)]
        tidy = (spot for spot in clear if not _tangled(spot, placed))
        placed.append(next(tidy, clear[0] if clear else spots[-1]))
    return placed


def _tangled(spot: Label, placed: Sequence[Label]) -> bool:
    """Return whether its leader would run through another label, or another's through it."""
    return any(_crosses(spot, other.box) or _crosses(other, spot.box) for other in placed)


def _crosses(label: Label, box: Box) -> bool:
    """Return whether the label's leader runs through the box, looked at every twentieth of its length."""
    (x0, y0), (x1, y1) = (label.dot.x, label.dot.y), label.lead
    steps = ((x0 + (x1 - x0) * n / 20, y0 + (y1 - y0) * n / 20) for n in range(21))
    return any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in steps)


def _groups(dots: Sequence[Dot]) -> list[list[Dot]]:
    groups: list[list[Dot]] = []
    for dot in dots:
        for group in groups:
            if abs(group[0].x - dot.x) < NEAR and abs(group[0].y - dot.y) < NEAR:
                group.append(dot)
                break
        else:
            groups.append([dot])
    return groups


def _size(lines: tuple[str, ...]) -> tuple[float, float]:
    return max(map(len, lines)) * GLYPH + 6, len(lines) * LINE


def _spots(names: tuple[str, ...], dot: Dot, width: float, height: float) -> Iterator[Label]:
    """Give the spots inside the plot from the nearest outward; last, one to the right of the plot."""
    wide, tall = _size(names)
    for away in range(12, int(max(width, height)), 6):
        beside = (
            (dot.x + away, dot.y - tall / 2),
            (dot.x - away - wide, dot.y - tall / 2),
        )
        aslant = (
            (dot.x - wide / 2, dot.y - away - tall),
            (dot.x - wide / 2, dot.y + away),
            (dot.x + away / 2, dot.y - away - tall),
            (dot.x - away / 2 - wide, dot.y - away - tall),
            (dot.x + away / 2, dot.y + away),
            (dot.x - away / 2 - wide, dot.y + away),
        )
        for at, (x, y) in enumerate((*beside, *aslant)):
            inside = min(max(x, EDGE), width - wide)
            if at >= len(beside) or inside == x:
                yield Label(names, inside, min(max(y, 0), height - tall - EDGE) + LINE / 2, dot)
    yield Label(names, width + 12, min(max(dot.y, 0), height - tall), dot)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
