"""One run: every peer answers the same requests, then each is timed; a disagreement ends the run.

The answers are held to the meaning of the neutral policy (`Workload.answer`). Writing the tables is `results`'.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.peers.clock import WARM, Measured, Spread, measure, spread
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


def contest(peer: type[Peer], workload: Workload, agreed: int) -> tuple[Measured, Peer]:
    """Load the policy into a peer, compare `agreed` answers, and time it on other requests."""
    loaded = peer(workload)
    agree(loaded, workload, workload.requests(agreed, "agree"))
    warm = [loaded.hold(asked) for asked in workload.requests(min(WARM, peer.timed // 10), "warm")]
    held = [loaded.hold(asked) for asked in workload.requests(peer.timed, "timed")]
    measured = measure(loaded, held, warm, SECONDS)
    say(f"{peer.name} at {workload.count} rules: {measured.nanoseconds / 1000:.2f} µs, {agreed} answers agree")
    return measured, loaded


def run() -> Run:
    """Compare and time everybody. Takes some minutes; progress goes to standard error."""
    peers = present()
    workloads = {size: Workload(size) for size in SIZES}
    timed: dict[type[Peer], Measured] = {}
    scaled: dict[type[Peer], dict[int, Measured]] = {peer: {} for peer in peers if peer.scales}
    for peer in peers:
        timed[peer], loaded = contest(peer, workloads[RULES], AGREE)
        if peer is Abac:
            tail = tail_of(loaded, workloads[RULES])
        if peer.scales:
            scaled[peer][RULES] = timed[peer]
    for peer, size in ((p, s) for p in scaled for s in SIZES if s != RULES):
        scaled[peer][size] = contest(peer, workloads[size], AGREE_SCALED)[0]
    permitted = sum(map(workloads[RULES].answer, workloads[RULES].requests(AGREE, "agree")))
    return Run(timed, scaled, tail, permitted, {peer: installed(peer) or "" for peer in peers})


def tail_of(loaded: Peer, workload: Workload) -> Spread:
    """Time abac call by call on requests that it has not seen."""
    held = [[loaded.hold(asked)] for asked in workload.requests(loaded.timed, "tail")]
    return spread(loaded.over, held)


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def _word(permitted: bool) -> str:
    return "PERMIT" if permitted else "DENY"
