"""A run over some of the subjects, and what adds up: the whole is one part and the rest, split between employers.

No organisation stands in both parts, so people, organisations, requests and sessions all add up; a ratio is
computed again from the counts beside it, or lies between those of the parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from abac.simulation.measures import Groups, Units, ratio
from abac.simulation.recount.counting import KEYS, Difference
from abac.simulation.recount.sample import Rows
from abac.simulation.run import Inputs, SweepEnd

Report = Mapping[str, Any]
SUMMED = ("directives", "options", "person_tests", "person_matrix", "frontier", "dependence", "second_sources")
BETWEEN = ("decidable_share", "undecidable_share", "permitted_share", "citizens_denied_share")
RATIOS = (*BETWEEN, "precision", "recall", "share")
CHOSEN = (
    "price",
    "exact",
    "candidates",
    "models",
    "to",
    "employers",
    "minutes_to_enforce",
    "conditions",
    "example",
    "in",
)
"""What does not add up: requests are divided whole by whole, examples are examples."""


def part(inputs: Inputs, rows: Rows) -> Inputs:
    """Return the same inputs over some rows of the population."""

    def swept(end: SweepEnd) -> SweepEnd:
        start = end.start.part(rows) if end.start else None
        return SweepEnd(end.name, end.population.part(rows), end.threshold[rows], start)

    return replace(inputs, population=inputs.population.part(rows), sweeps=tuple(map(swept, inputs.sweeps)))


def halves(units: Units, seed: int, team: Groups | None = None) -> tuple[Rows, Rows]:
    """Return two halves of the rows, no organisation in both, nor a team of those who have none."""
    random = np.random.Generator(np.random.PCG64([seed, 0x4A1F]))
    own = random.random(len(units.persons)) < 0.5  # noqa: PLR2004  # one half
    employers = random.random(len(units.names)) < 0.5  # noqa: PLR2004  # one half
    if team is not None:
        own = np.where(team.known, (random.random(len(team.names)) < 0.5)[team.of], own)  # noqa: PLR2004  # one half
    first = np.where(units.employed, employers[units.organisation], own)
    return np.flatnonzero(first).astype(np.int64), np.flatnonzero(~first).astype(np.int64)


def sums(whole: Report, first: Report, second: Report, *, exact: bool) -> Iterator[Difference | None]:
    """Yield, per figure of a report, None where two parts add up to it, else what they come to.

    `exact` says that bounds add up too; those widened by a stated error do not.
    """
    for name in SUMMED:
        sides = [dict(_figures(report[name], name)) for report in (whole, first, second)]
        for path, told in sides[0].items():
            if isinstance(told, float) and not exact:
                continue
            added = _at(sides[1], path) + _at(sides[2], path)
            yield None if told == added else Difference(path, told, added)
    for name in ("timeline", "sweeps", "directives", "options"):
        sides = [dict(_figures(report[name], name, BETWEEN)) for report in (whole, first, second)]
        for path, told in sides[0].items():
            ends = [side[path] for side in sides[1:] if path in side]
            inside = not ends or min(ends) <= told <= max(ends)
            yield None if inside else Difference(path, told, f"between {min(ends)} and {max(ends)}")


def _at(side: Mapping[str, Any], path: str) -> Any:
    """Return the figure at a path; one that is told as bounds elsewhere may be exact here."""
    return side.get(path, side.get(path.partition(" (")[0], 0))


def ratios(report: Report) -> Iterator[Difference | None]:
    """Yield, per ratio of counts that stand beside it, None where it is theirs."""
    for entry in report["directives"]:
        path = f"directives[{_key(entry)}]"
        blocked, over, under = (entry[k]["requests"] for k in ("blocked", "over_block", "under_block"))
        if not all(isinstance(n, int) for n in (blocked, over, under, entry["blocked"]["people"])):
            continue
        counted = {
            "precision": ratio(blocked - over, blocked),
            "recall": ratio(blocked - over, blocked - over + under),
            **{
                f"displaced.{parity}.share": ratio(found["people"], entry["blocked"]["people"])
                for parity, found in entry["displaced"].items()
                if isinstance(found["people"], int)
            },
        }
        told = {"precision": entry["precision"], "recall": entry["recall"]}
        told |= {f"displaced.{parity}.share": found["share"] for parity, found in entry["displaced"].items()}
        for name, own in counted.items():
            yield None if told[name] == own else Difference(f"{path}.{name}", told[name], own)
        for parity, found in entry["displaced"].items():
            went = sum(found["to"].values())
            yield None if went == blocked else Difference(f"{path}.displaced.{parity}.to", went, blocked)


def _figures(value: Any, path: str, only: tuple[str, ...] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the counts below a value by path, or only the figures of some names; a bound as its two ends."""
    match value:
        case bool() | str() | None:
            return
        case int() | float():
            name = path.rpartition(".")[2]
            if (name in only) if only is not None else (name not in RATIOS):
                yield path, value
        case {"low": low, "high": high}:
            for end, number in (("low", low), ("high", high)):
                for at, found in _figures(number, path, only):
                    yield f"{at} ({end})", found if only is not None else float(found)
        case Mapping():
            for name, inner in value.items():
                if name not in (*KEYS, *CHOSEN):
                    yield from _figures(inner, f"{path}.{name}", only)
        case list():
            for row in value:
                yield from _figures(row, f"{path}[{_key(row)}]", only)


def _key(row: Mapping[str, Any]) -> str:
    return ", ".join(str(row[k]) for k in KEYS if k in row)
