"""Write the tables of a run."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence

from benchmarks.http.run import BATCH, CHECKED, PAIRS, SECONDS, SENT, Batches, Row
from benchmarks.peers.results import table

OPA = {10: "92 to 112", 100: "92 to 112", 1_000: "176 to 195"}
"""µs of processor time per request, measured elsewhere on two cores; no registry package carries OPA."""


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

{_cerbos(ours, theirs)} OPA is in no package registry. Measured elsewhere on two cores it takes {OPA[10]} µs at
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
        return "Cerbos did not run here.\n"
    by: dict[int, list[str]] = {}
    for at in both:
        by.setdefault(at[0], []).append(f"{theirs[at].load.cpu / ours[at].load.cpu:.0f}")
    times = "; ".join(f"{', '.join(found)} at {rules:,} rules" for rules, found in by.items())
    slower = [at for at in both if ours[at].load.p99 >= theirs[at].load.p99]
    p99 = (
        "abac's p99 is below Cerbos's in every row"
        if not slower
        else f"abac's p99 is not below Cerbos's at {slower}"
    )
    return f"Cerbos takes, times the processor time of abac and by connections: {times}.\n{p99}.\n"
