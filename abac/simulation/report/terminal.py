"""Show a report in a terminal: the sentence, the table of options, the directives side by side.

Takes a report and gives rich renderables; prints nothing and asks nothing of the terminal. Fits 80 columns and
reads well up to 120. Everything else is on the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from abac.simulation.report import entries, figures

MILLION = 1_000_000


def show(report: entries.Entry, posture: str | None = None) -> Group:
    """Return the whole: sentence, options, then the directives under one posture (strict unless given)."""
    chosen = posture or entries.main_posture(report)
    blank = Text()
    tables: list[RenderableType] = [options_table(report), blank, directives_table(report, chosen)]
    tables += [blank, beside_table(report)] if entries.beside(report) else []
    return Group(sentence(report), blank, *tables, *(layer_lines(report) if report.get("layers") else ()))


def beside_table(report: entries.Entry) -> Table:
    """Return what each directive does to those who asked, beside what it does to everybody."""
    found = entries.beside(report) or {"posture": "", "rows": ()}
    table = plain_table(f"Those who asked (log), and everybody (all): posture {found['posture']}")
    table.add_column("directive", no_wrap=True)
    for side in ("log", "all"):
        for name in ("people\nblocked", "requests\nblocked", "can be\ndecided"):
            table.add_column(f"{side}:\n{name}", justify="right", no_wrap=True)
    for name, *sides in found["rows"]:
        cells = [
            text
            for one in sides
            for text in (
                _tight(one["blocked"]["people"]),
                _tight(one["blocked"]["requests"]),
                _percent(one["decidable_share"]),
            )
        ]
        table.add_row(Text(name, style="bold" if name == entries.in_force(report) else ""), *cells)
    return table


def layer_lines(report: entries.Entry) -> list[Text]:
    """Return a line per layer: what it found, or that it is not given; each proof's answer below the last."""
    lines = [Text("\nFour layers", "bold")]
    for one in report["layers"]:
        counts = [f"{name.replace('_', ' ')} {_layer_count(n)}" for name, n in one["counts"].items()]
        counts = counts[:4] if one["layer"] == "boundaries" else counts
        lines.append(Text(f"  {one['layer']}: ", "bold").append(", ".join(counts) or one["covers"], "not bold"))
        lines += [
            Text(f"    {answer['answer']}: ", "cyan").append(answer["question"], "dim")
            for answer in one.get("proofs", ())
            if answer["directive"] == entries.in_force(report)
        ]
    return lines


def _layer_count(figure: figures.Figure | entries.Entry) -> str:
    people = isinstance(figure, Mapping) and "people" in figure
    return f"{_short(figure['people'])} people" if people else _short(figure)  # type: ignore[index]  # a mapping


def sentence(report: entries.Entry) -> Text:
    """Return the headline, marked SYNTHETIC where the data is generated."""
    text = Text()
    if entries.is_synthetic(report):
        text.append("SYNTHETIC", style="bold reverse")
        text.append(" generated data, no real person\n\n", style="dim")
    return text.append(str(report["headline"]), style="bold")


def options_table(report: entries.Entry) -> Table:
    """Return what the provider can do about the directive in force, one row per posture."""
    table = plain_table(f"What the provider can do about {entries.in_force(report)}")
    table.add_column("posture", no_wrap=True)
    for name in (
        "permitted\nthough\nforbidden",
        "US persons\ndenied",
        "sessions\ncut",
        "cannot\nbe\ndecided",
        "reach it\nelsewhere,\nby parity",
        "min-\nutes",
        "undo",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for option in entries.options(report):
        denied, reach = option["us_persons_denied"], option["reachable_elsewhere"]
        table.add_row(
            Text(option["posture"], style="bold"),
            _short(option["permitted_though_forbidden"]),
            f"{_short(denied['customers'])}\n{_short(denied['staff'])} staff",
            _short(option["sessions_cut"]),
            _percent(option["undecidable_share"]),
            f"{_short(reach['parity_shown'])} shown\n{_short(reach['parity_not_shown'])} not",
            "?" if option["minutes_to_enforce"] is None else figures.count(option["minutes_to_enforce"]),
            "yes" if option["reversible"] else "no",
        )
    return table


def directives_table(report: entries.Entry, posture: str) -> Table:
    """Return all directives side by side under one posture, a line for each yardstick; counts are people."""
    table = plain_table(f"All directives side by side: people, posture {posture}")
    table.add_column("directive", no_wrap=True)
    for name in ("blocked", "un-\ndecided"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("by", no_wrap=True)
    for name in ("over-\nblock", "under-\nblock", "preci-\nsion", "recall"):
        table.add_column(name, justify="right", no_wrap=True)
    for directive in entries.ids(report):
        lines = [e for y in entries.YARDSTICKS if (e := entries.entry(report, directive, posture, y))]
        if lines:
            table.add_row(*_directive(lines, current=directive == entries.in_force(report)))
    return table


def _directive(lines: list[entries.Entry], *, current: bool) -> list[RenderableType]:
    one = lines[0]
    name = Text(str(one["id"]), style="bold" if current else "")
    name.append("\n" + entries.reach(one) + (", in force" if current else ""), style="dim")

    def both(figure: Callable[[entries.Entry], str]) -> str:
        return "\n".join(figure(line) for line in lines)

    return [
        name,
        _tight(one["blocked"]["people"]),
        _tight(one["undecided"]["people"]),
        both(lambda line: str(line["yardstick"])),
        both(lambda line: _tight(line["over_block"]["people"])),
        both(lambda line: _tight(line["under_block"]["people"])),
        both(lambda line: _percent(line["precision"])),
        both(lambda line: _percent(line["recall"])),
    ]


def plain_table(title: str) -> Table:
    """Return an empty table in the style that all of ours have."""
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,  # the box leaves one space between columns already
        pad_edge=False,
        show_edge=False,
        header_style="dim",
    )


def _short(figure: figures.Figure) -> str:
    """Write an exact count in full, a range compactly: there is no room for two long numbers."""
    return figures.compact(figure) if figures.is_range(figure) else figures.count(figure)


def _tight(figure: figures.Figure) -> str:
    """Write a count in at most seven characters; the page has all the digits."""
    return figures.compact(figure) if figures.high(figure) >= MILLION else _short(figure)


def _percent(figure: figures.Figure) -> str:
    """Write a share; the ends of a range in whole percents, rounded outward."""
    if figures.is_range(figure):
        ends = math.floor(figures.low(figure) * 100), math.ceil(figures.high(figure) * 100)
        return f"{ends[0]}\N{EN DASH}{ends[1]}%"
    return figures.share(figure).replace("\N{NO-BREAK SPACE}", "")
