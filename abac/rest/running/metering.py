"""What `/metrics` counts: decisions by effect and revision, how long they took, failures, and what others add.

Counting is plain integers on the one thread of the event loop, since prometheus-client's own counters cost a
microsecond each; they become Prometheus's families when somebody asks. What others know (the recorder's queue and
lag) is read then. Where several workers serve, `sharing` hands each what the others counted, and all add up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from abac.policy.decision import Extended, Outcome
from abac.service.deciding import Answer

BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""Upper bounds of the latency histogram, in seconds."""

REVISIONS = 50
"""How many revisions are counted apart; decisions under older ones are summed under `older`."""

OLDER = "older"

Labels = tuple[str, ...]
Values = Mapping[Labels, float]
"""The values of a family by its labels' values."""


class Family(NamedTuple):
    """One family: what it tells, its labels, how it is read, and how the values of several workers are joined."""

    told: str
    labels: Labels
    read: Callable[[], Values]
    join: Callable[[Sequence[float]], float] = sum
    counter: bool = True


class Counted(msgspec.Struct, frozen=True):
    """What one process counted; `gauges` hold only while it lives."""

    counters: dict[str, list[tuple[Labels, float]]]
    gauges: dict[str, list[tuple[Labels, float]]]
    took: list[int]
    seconds: float


class Meter:
    """Counts for one process. Not to be shared between threads."""

    def __init__(self) -> None:
        self.answered: dict[tuple[str, Extended, bool], int] = {}
        self.took = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.problems: dict[Labels, float] = {}
        self.source_failures: dict[Labels, float] = {}
        self.disputed: dict[Labels, float] = {}
        self.others: Callable[[], Iterable[Counted]] = tuple
        """Returns what other workers counted."""
        self._families: dict[str, Family] = {}
        told = "Decisions, by effect, whether permitted, and revision."
        self.counter("abac_decisions", told, ("effect", "permitted", "revision"), self._decisions)
        self.counter(
            "abac_problems", "Requests answered with an error.", ("status", "code"), lambda: self.problems
        )
        told = "Failures of sources of attributes."
        self.counter("abac_source_failures", told, ("source", "kind"), lambda: self.source_failures)
        told = "Attributes that are unknown because sources disagree."
        self.counter("abac_source_disputes", told, ("attribute",), lambda: self.disputed)
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def decided(self, outcome: Outcome, *, permitted: bool) -> None:
        """Count one decision."""
        key = (outcome.revision, outcome.extended, permitted)
        try:
            self.answered[key] += 1
        except KeyError:
            self._first(key)

    def decided_all(self, answers: Sequence[Answer]) -> None:
        """Count many decisions."""
        counted = Counter([(one.outcome.revision, one.outcome.extended, one.permitted) for one in answers])
        for key, count in counted.items():
            if key not in self.answered:
                self._first(key)
                count -= 1  # noqa: PLW2901  # that was one of them
            self.answered[key] += count

    def lasted(self, seconds: float) -> None:
        """Count how long one request for decisions took, from its body's arrival to its answer."""
        self.took[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def refused(self, status: int, code: str) -> None:
        """Count one request that was answered with an error."""
        _count(self.problems, str(status), code)

    def source_failed(self, name: str, kind: str) -> None:
        """Count one failure of a source of attributes."""
        _count(self.source_failures, name, kind)

    def source_disputed(self, path: str) -> None:
        """Count one attribute on which sources disagreed."""
        _count(self.disputed, path)

    def counter(self, name: str, told: str, labels: Labels, read: Callable[[], Values]) -> None:
        """Add counters that are read when somebody asks."""
        self._families[name] = Family(told, labels, read)

    def gauge(self, name: str, told: str, read: Callable[[], float], *, most: bool = False) -> None:
        """Add a figure that is read when somebody asks, such as the audit log's queue.

        Of several workers' the sum is told, or with `most` the largest.
        """
        self.gauges(name, told, (), lambda: {(): float(read())}, most=most)

    def gauges(
        self, name: str, told: str, labels: Labels, read: Callable[[], Values], *, most: bool = False
    ) -> None:
        """Add figures by labels, as `gauge` does one."""
        self._families[name] = Family(told, labels, read, max if most else sum, counter=False)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def counted(self) -> Counted:
        """Return everything, for other workers."""
        read = {name: list(family.read().items()) for name, family in self._families.items()}
        return Counted(
            {name: values for name, values in read.items() if self._families[name].counter},
            {name: values for name, values in read.items() if not self._families[name].counter},
            list(self.took),
            self.seconds,
        )

    def collect(self) -> Iterator[Metric]:
        """Yield the families, as prometheus-client asks for them."""
        every = [self.counted(), *self.others()]
        for name, family in self._families.items():
            found: dict[Labels, list[float]] = {}
            for one in every:
                for labels, value in (one.counters if family.counter else one.gauges).get(name, ()):
                    found.setdefault(tuple(labels), []).append(value)
            made = (CounterMetricFamily if family.counter else GaugeMetricFamily)(
                name, family.told, labels=family.labels
            )
            for labels, values in found.items():
                made.add_metric(labels, family.join(values))
            yield made
        yield _latency(every)

    def _decisions(self) -> Values:
        return {
            (extended.name, str(permitted).lower(), revision): count
            for (revision, extended, permitted), count in self.answered.items()
        }

    def _first(self, key: tuple[str, Extended, bool]) -> None:
        revisions = dict.fromkeys(revision for revision, _, _ in self.answered)
        if key[0] not in revisions and len(revisions) >= REVISIONS:
            oldest = next(revision for revision in revisions if revision != OLDER)
            for old in [k for k in self.answered if k[0] == oldest]:
                merged = (OLDER, old[1], old[2])
                self.answered[merged] = self.answered.pop(old) + self.answered.get(merged, 0)
        self.answered[key] = self.answered.get(key, 0) + 1


def _count(counts: dict[Labels, float], *labels: str) -> None:
    counts[labels] = counts.get(labels, 0) + 1


def _latency(every: Sequence[Counted]) -> Metric:
    total, buckets = 0, []
    for bound, *counts in zip((*map(str, BUCKETS), "+Inf"), *(one.took for one in every), strict=True):
        total += sum(counts)
        buckets.append((bound, total))
    told = "Seconds a request for decisions took, network apart."
    return HistogramMetricFamily(
        "abac_decision_seconds", told, buckets=buckets, sum_value=sum(one.seconds for one in every)
    )
