"""The tables of a run as Markdown, with what they rest on: date, machine, versions, what is inside the clock."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date

from benchmarks.peers.clock import Measured
from benchmarks.peers.field import FIELD
from benchmarks.peers.peer import Peer
from benchmarks.peers.run import AGREE, AGREE_SCALED, RULES, SIZES, Run
from benchmarks.peers.with_abac import Abac
from benchmarks.peers.workload import ACTION


def report(run: Run, day: date) -> str:
    """Return the whole page."""
    parts = [heading(run, day), speed(run), tail(run), scale(run), notes(run)]
    return "\n\n".join(parts) + "\n"


def heading(run: Run, day: date) -> str:
    """Say what was compared, when and where."""
    missing = sorted({peer.distribution for peer in FIELD} - {peer.distribution for peer in run.timed})
    left_out = f" Not installed, so left out: {', '.join(missing)}." if missing else ""
    return f"""# Peers

Written by `make bench-peers`; measured {day.day} {day:%B %Y} on {os.cpu_count()} cores ({platform.machine()}),
Python {platform.python_version()}, {platform.system()}.

One seeded policy of {RULES:,} rules under deny-overrides with a default deny: three to five conjuncts a rule over
eight attributes and the action `{ACTION}` (strings, ints, a float, a bool, a set, an ordered tier), a quarter of
the rules denying. All {len(run.timed)} rows of the table gave the same answers to the same {AGREE:,} random
requests, every attribute known: {run.permitted} permitted, {AGREE - run.permitted} not.{left_out}"""


def speed(run: Run) -> str:
    """Return the table of medians, the slowest first."""
    ours = run.timed[Abac].nanoseconds
    rows = [
        [
            f"**{peer.name}**" if peer is Abac else peer.name + (" (floor, no engine)" if peer.floor else ""),
            run.versions[peer],
            duration(measured.nanoseconds),
            "1" if peer is Abac else times(measured.nanoseconds / ours),
            f"{measured.decisions:,}",
        ]
        for peer, measured in sorted(run.timed.items(), key=lambda item: -item[1].nanoseconds)
    ]
    return table(["engine", "version", "median per decision", "times abac", "requests timed"], rows)


def tail(run: Run) -> str:
    """Say how abac's single calls spread."""
    ratio = run.tail.p99 / run.tail.median
    return (
        f"abac call by call, wall time, {Abac.timed:,} other requests: median {duration(run.tail.median)}, "
        f"99th percentile {duration(run.tail.p99)}, {ratio:.1f} times the median."
    )


def scale(run: Run) -> str:
    """Return the table by number of rules."""
    rows = [
        [peer.name, *(duration(by[size].nanoseconds) for size in SIZES), f"{_growth(by):.1f}"]
        for peer, by in sorted(run.scaled.items(), key=lambda item: -item[1][RULES].nanoseconds)
    ]
    head = ["rules", *(f"{size:,}" for size in SIZES), f"{SIZES[-1]:,} over {SIZES[0]}"]
    said = f"Medians by number of rules; at each other size the answers to {AGREE_SCALED} requests agree."
    return f"{said}\n\n{table(head, rows)}"


def notes(run: Run) -> str:
    """Say what is inside the clock."""
    shares = [measured.share for measured in run.timed.values()]
    lines = [
        "What is timed. Requests are distinct and each is decided once, after a few others to warm up. Times are",
        "processor time, so that what else the machine did does not count (the run had the processor for",
        f"{min(shares):.0%} to {max(shares):.0%} of the wall time); garbage collection is on. A figure is the",
        "median of readings of the clock, each over one decision, or where so stated over a chunk, of which it",
        "is the mean. All but abac answer a bare permit or deny here, and get requests in their own form, made",
        "outside the clock. abac was timed in portions before each of the others, so that all ratios see the same",
        "machine.",
        "",
    ]
    lines += [f"- {peer.name}: {peer.how}{_chunk(peer)}." for peer in FIELD if peer in run.timed]
    return "\n".join(lines)


def duration(nanoseconds: float) -> str:
    """Return a time to three digits.

    >>> duration(940), duration(1_254), duration(93_210), duration(38_400_000)
    ('0.940 µs', '1.25 µs', '93.2 µs', '38.4 ms')
    """
    value, unit = (nanoseconds / 1e6, "ms") if nanoseconds >= 1e6 else (nanoseconds / 1e3, "µs")
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} {unit}"


def times(ratio: float) -> str:
    """Return a ratio to two digits, or three from a hundred on.

    >>> times(1.234), times(56.7), times(1234.5), times(43_217)
    ('1.2', '57', '1,230', '43,200')
    """
    if ratio < 10:
        return f"{ratio:.1f}"
    return f"{int(float(f'{ratio:.3g}')):,}" if ratio >= 100 else f"{ratio:.0f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, all columns but the first aligned to the right.

    >>> print(table(["a", "b"], [["x", "1"]]))
    | a | b |
    |---|---:|
    | x | 1 |
    """
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join([_line(head), rule, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _growth(by: dict[int, Measured]) -> float:
    return by[SIZES[-1]].nanoseconds / by[SIZES[0]].nanoseconds


def _chunk(peer: type[Peer]) -> str:
    return f"; {peer.chunk} decisions a reading" if peer.chunk > 1 else ""
