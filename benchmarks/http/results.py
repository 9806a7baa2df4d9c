"""Write the tables of a run."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence

from abac.service.recording.point import WAIT
from benchmarks.http.run import BATCH, CHECKED, PAIRS, RECORDING, SECONDS, SENT, SIZES, Batches, Row
from benchmarks.peers.results import table

OPA = {10: "92 to 112", 100: "92 to 112", 1_000: "176 to 195"}
"""µs of processor time per request, measured elsewhere on two cores; no registry package carries OPA."""

MOST = SIZES[-1]
PLAIN, RECORDED = 1.6, 2.8
"""Times the floor's processor time that a request may take, without audit and with required audit."""

BATCHED = 5.0
"""µs that an evaluation of a batch may take."""

TAIL = 3.0
"""Times the floor's p99 that ours may be at 64 connections."""


def written(rows: Sequence[Row], batches: Batches) -> str:
    """Return `RESULTS.md`."""
    head = [
        "server",
        "rules",
        "connections",
        "CPU µs a request",
        "times the floor",
        "requests a second",
        "p50",
        "p99",
    ]
    lines = [line for row in rows for line in _lines(row)]
    ours = {(r.rules, r.connections): r for r in rows if r.name == "abac"}
    theirs = {(r.rules, r.connections): r for r in rows if r.name == "Cerbos"}
    load = os.getloadavg()[2]
    return f"""\
# The decision point over HTTP, and its peers

Written by `make bench-peers-http`; measured {time.strftime("%d %B %Y").lstrip("0")} on {os.cpu_count()} cores
({platform.machine()}), Python {platform.python_version()}, {platform.system()}; load average over 15 minutes
{load:.1f}.

The policy and requests of `benchmarks/peers`: {SENT:,} distinct requests sent in turn by `wrk` on one thread,
every attribute known; {CHECKED} answers of each server checked beforehand against what the policy means.
Processor time is the server's own, user and system, from its process; `wrk` and whatever else runs share the
cores, so throughput and latency say less. The floor is a bare ASGI endpoint on the same uvicorn (uvloop,
httptools) that decodes the body in C and answers a constant. abac has no audit log where nothing else is said,
and all else: an API key, full validation, metrics, the request's id, reasons. With required audit an answer leaves
once its entry, sealed, hashed into the tree and signed with its group, is committed to SQLite with
`synchronous=FULL`.

{table(head, lines)}

Floor and abac are loaded in turn, {PAIRS} times {SECONDS} s each; a row is the quietest of them by processor
time, since what else the machine does can only add to it. In brackets the median of the {PAIRS} ratios.

A batch of {BATCH:,} evaluations at 1,000 rules: {batches.whole:.1f} µs an evaluation with every entity whole,
{batches.shared:.1f} with the subject shared, {batches.recorded:.1f} whole with required audit.

## What was asked of it, and what this run says

{_bars(rows, batches)}

Of {PAIRS} times {SECONDS} s, p99 is that of the load with the least processor time, so it is one sample; what else
the machine does tells most in it.

{_cerbos(ours, theirs)}

OPA is in no package registry. Measured elsewhere on two cores it takes {OPA[10]} µs at
10 to 100 rules and {OPA[1_000]} at 1,000; beside a floor of 22 µs measured there, that is 4.2 to 5.1 and 8.0 to
8.9 times the floor.
"""


def _lines(row: Row) -> list[list[str]]:
    load = row.load
    ratio = ""
    found = []
    if row.floor is not None:
        ratio = f"{load.cpu / row.floor.cpu:.2f} ({row.ratio:.2f})"
        found.append(_line("floor", "", row.connections, row.floor, "1"))
    return [*found, _line(row.name, f"{row.rules:,}", row.connections, load, ratio)]


def _line(name: str, rules: str, connections: int, load: object, ratio: str) -> list[str]:
    rate, cpu, p50, p99, _ = load  # type: ignore[misc]  # a Load
    return [name, rules, str(connections), f"{cpu:.1f}", ratio, f"{rate:,.0f}", f"{p50:,.0f} µs", f"{p99:,.0f} µs"]


def _cerbos(ours: dict[tuple[int, int], Row], theirs: dict[tuple[int, int], Row]) -> str:
    both = sorted(set(ours) & set(theirs))
    if not both:
        return "Cerbos did not run here."
    by: dict[int, list[str]] = {}
    for at in both:
        by.setdefault(at[0], []).append(f"{theirs[at].load.cpu / ours[at].load.cpu:.0f}")
    times = "; ".join(f"{', '.join(found)} at {rules:,} rules" for rules, found in by.items())
    return f"Cerbos takes, times the processor time of abac and by connections: {times}."


# --- the bars ----------------------------------------------------------------------------------------------


def _bars(rows: Sequence[Row], batches: Batches) -> str:
    """Return the table of what issue 5 asks for: the bar, what was measured, and whether that holds."""
    beside = {(r.name, r.rules, r.connections): (r.load, r.floor) for r in rows if r.floor is not None}
    theirs = {(r.rules, r.connections): r.load for r in rows if r.name == "Cerbos"}
    lines = []
    for name, bar in (("abac", PLAIN), (RECORDING, RECORDED)):
        found = {f"{c}": own.cpu / of.cpu for (who, n, c), (own, of) in beside.items() if (who, n) == (name, MOST)}
        asked = f"{name}: at {MOST:,} rules at most {bar} times the floor's processor time"
        lines.append(_bar(asked, found, bar, "{:.2f} at {}", "connections"))
    shares = {"every entity whole": batches.whole, "the subject shared": batches.shared}
    lines.append(_bar(f"a batch at most {BATCHED} µs an evaluation", shares, BATCHED, "{:.1f} with {}", ""))
    tails = {f"{n:,}": own.p99 / of.p99 for (who, n, c), (own, of) in beside.items() if (who, c) == ("abac", 64)}
    lines.append(
        _bar(f"abac: p99 at 64 connections at most {TAIL} times the floor's", tails, TAIL, "{:.1f} at {}", "rules")
    )
    if (RECORDING, MOST, 64) in beside:
        own, of = beside[RECORDING, MOST, 64]
        most = TAIL * of.p99 + 2 * WAIT * 1e6
        asked = (
            f"{RECORDING}: p99 at 64 connections at most that and two group-commit windows of {WAIT * 1e3:g} ms"
        )
        lines.append([asked, f"{own.p99:,.0f} of {most:,.0f} µs", "yes" if own.p99 <= most else "no"])
    if theirs:
        parts = {
            f"{n:,} rules, {c} connections": beside["abac", n, c][0].p99 / of.p99 for (n, c), of in theirs.items()
        }
        worst = max(parts.values())
        verdict = _verdict({name: part < 1 for name, part in parts.items()}, "")
        lines.append(["abac: p99 below Cerbos's", f"at most {worst:.2f} of it", verdict])
    return table(["asked", "measured", "holds"], lines)


def _bar(asked: str, found: Mapping[str, float], bar: float, told: str, unit: str) -> list[str]:
    measured = ", ".join(told.format(value, name) for name, value in found.items())
    holds = {name: value <= bar for name, value in found.items()}
    return [asked, f"{measured} {unit}".rstrip(), _verdict(holds, unit)]


def _verdict(holds: Mapping[str, bool], unit: str) -> str:
    good, bad = ([name for name, one in holds.items() if one is wanted] for wanted in (True, False))
    if not bad:
        return "yes"
    if not good:
        return "no"
    return f"with {', '.join(good)}; not with {', '.join(bad)} {unit}".rstrip()
