"""One run: every peer answers the same requests, then each is timed; a disagreement ends the run.

The answers are held to the meaning of the neutral policy (`Workload.answer`). Writing the tables is `results`'.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.peers.clock import WARM, Measured, Spread, measure, pooled, spread
from benchmarks.peers.field import FIELD, OPTIONAL, installed
from benchmarks.peers.peer import Peer
from benchmarks.peers.with_abac import Abac
from benchmarks.peers.workload import Asked, Workload

RULES = 1_000
SIZES = (10, 100, 1_000, 10_000)
AGREE = 1_000
AGREE_SCALED = 200
SECONDS = 15.0
"""The most processor time that one peer is timed for."""


class DisagreementError(Exception):
    """A peer answers otherwise than the policy means, so its time would mean nothing."""


class Run(NamedTuple):
    """Everything a run found out."""

    timed: dict[type[Peer], Measured]
    scaled: dict[type[Peer], dict[int, Measured]]
    tail: Spread
    permitted: int
    versions: dict[type[Peer], str]


def present() -> list[type[Peer]]:
    """Return who can take part; raises `ModuleNotFoundError` for one that must and is not installed."""
    missing = [peer.distribution for peer in FIELD if installed(peer) is None]
    if required := sorted(set(missing) - OPTIONAL):
        raise ModuleNotFoundError(f"not installed: {', '.join(required)}; `make bench-peers` installs them")
    return [peer for peer in FIELD if peer.distribution not in missing]


def agree(peer: Peer, workload: Workload, requests: Sequence[Asked]) -> None:
    """Raise `DisagreementError`, with the request and both answers, at the first that is not the policy's."""
    for asked in requests:
        theirs, meant = peer.permits(peer.hold(asked)), workload.answer(asked)
        if theirs is not meant:
            raise DisagreementError(
                f"{peer.name} at {workload.count} rules: {_word(theirs)} instead of {_word(meant)} for {asked}"
            )


def contest(peer: type[Peer], workload: Workload, agreed: int) -> Measured:
    """Load the policy into a peer, compare `agreed` answers, and time it on other requests."""
    loaded = peer(workload)
    agree(loaded, workload, workload.requests(agreed, "agree"))
    held = [loaded.hold(asked) for asked in workload.requests(peer.timed, "timed")]
    measured = measure(loaded, held, warm(loaded, workload), SECONDS)
    say(f"{peer.name} at {workload.count} rules: {measured.nanoseconds / 1000:.2f} µs, {agreed} answers agree")
    return measured


def run() -> Run:
    """Compare and time everybody. Takes some minutes; progress goes to standard error.

    abac, which all ratios rest on, is timed in portions before each of its peers, so that a machine that is faster
    now and slower then is so for both.
    """
    peers = present()
    workloads = {size: Workload(size) for size in SIZES}
    timed, tail = beside(peers, workloads[RULES])
    scaled = {peer: {RULES: timed[peer]} for peer in peers if peer.scales}
    for peer, size in ((p, s) for p in scaled for s in SIZES if s != RULES):
        scaled[peer][size] = contest(peer, workloads[size], AGREE_SCALED)
    permitted = sum(map(workloads[RULES].answer, workloads[RULES].requests(AGREE, "agree")))
    return Run(timed, scaled, tail, permitted, {peer: installed(peer) or "" for peer in peers})


def beside(peers: Sequence[type[Peer]], workload: Workload) -> tuple[dict[type[Peer], Measured], Spread]:
    """Time the peers at one size, and abac between them."""
    ours = Abac(workload)
    agree(ours, workload, workload.requests(AGREE, "agree"))
    held = [ours.hold(asked) for asked in workload.requests(ours.timed, "timed")]
    timed: dict[type[Peer], Measured] = {}
    parts: list[Measured] = []
    others = [peer for peer in peers if peer is not Abac]
    for n, peer in enumerate(others):
        portion = held[n * len(held) // len(others) : (n + 1) * len(held) // len(others)]
        parts.append(measure(ours, portion, warm(ours, workload), SECONDS))
        timed[peer] = contest(peer, workload, AGREE)
    timed[Abac] = pooled(parts)
    say(f"abac at {workload.count} rules: {timed[Abac].nanoseconds / 1000:.2f} µs, {AGREE} answers agree")
    return timed, tail_of(ours, workload)


def warm(loaded: Peer, workload: Workload) -> list[object]:
    """Return requests to warm up on."""
    return [loaded.hold(asked) for asked in workload.requests(min(WARM, loaded.timed // 10), "warm")]


def tail_of(loaded: Peer, workload: Workload) -> Spread:
    """Time abac call by call on requests that it has not seen."""
    held = [[loaded.hold(asked)] for asked in workload.requests(loaded.timed, "tail")]
    return spread(loaded.over, held)


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def _word(permitted: bool) -> str:
    return "PERMIT" if permitted else "DENY"
