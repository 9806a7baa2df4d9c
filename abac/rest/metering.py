"""What `/metrics` counts: decisions by effect and revision, how long they took, failures, and what others add.

Counting is plain integers on the one thread of the event loop, since prometheus-client's own counters cost a
microsecond each; they become Prometheus's families when somebody asks. The recorder's adapter fills audit lag and
queue by `gauge`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from abac.policy.decision import Extended, Outcome

BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""Upper bounds of the latency histogram, in seconds."""

REVISIONS = 50
"""How many revisions are counted apart; decisions under older ones are summed under `older`."""

OLDER = "older"


class Meter:
    """Counts for one process. Not to be shared between threads."""

    def __init__(self) -> None:
        self.answered: dict[tuple[str, Extended, bool], int] = {}
        self.took = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.problems: dict[tuple[int, str], int] = {}
        self.source_failures: dict[str, int] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def decided(self, outcome: Outcome, *, permitted: bool) -> None:
        """Count one decision."""
        key = (outcome.revision, outcome.extended, permitted)
        try:
            self.answered[key] += 1
        except KeyError:
            self._first(key)

    def lasted(self, seconds: float) -> None:
        """Count how long one request for decisions took, from its body's arrival to its answer."""
        self.took[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def refused(self, status: int, code: str) -> None:
        """Count one request that was answered with an error."""
        self.problems[status, code] = self.problems.get((status, code), 0) + 1

    def source_failed(self, name: str) -> None:
        """Count one failure of a source of attributes."""
        self.source_failures[name] = self.source_failures.get(name, 0) + 1

    def gauge(self, name: str, told: str, read: Callable[[], float]) -> None:
        """Add a figure that is read when somebody asks, such as the audit log's queue."""
        self._gauges[name] = (told, read)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the families, as prometheus-client asks for them."""
        decisions = CounterMetricFamily(
            "abac_decisions", "Decisions, by effect, whether permitted, and revision.", labels=_DECISION
        )
        for (revision, extended, permitted), count in self.answered.items():
            decisions.add_metric([extended.name, str(permitted).lower(), revision], count)
        yield decisions
        yield self._latency()
        problems = CounterMetricFamily(
            "abac_problems", "Requests answered with an error.", labels=["status", "code"]
        )
        for (status, code), count in self.problems.items():
            problems.add_metric([str(status), code], count)
        yield problems
        failures = CounterMetricFamily(
            "abac_source_failures", "Failures of sources of attributes.", labels=["source"]
        )
        for name, count in self.source_failures.items():
            failures.add_metric([name], count)
        yield failures
        for name, (told, read) in self._gauges.items():
            yield GaugeMetricFamily(name, told, value=read())

    def _latency(self) -> Metric:
        total, buckets = 0, []
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.took, strict=True):
            total += count
            buckets.append((bound, total))
        told = "Seconds a request for decisions took, network apart."
        return HistogramMetricFamily("abac_decision_seconds", told, buckets=buckets, sum_value=self.seconds)

    def _first(self, key: tuple[str, Extended, bool]) -> None:
        revisions = dict.fromkeys(revision for revision, _, _ in self.answered)
        if key[0] not in revisions and len(revisions) >= REVISIONS:
            oldest = next(revision for revision in revisions if revision != OLDER)
            for old in [k for k in self.answered if k[0] == oldest]:
                merged = (OLDER, old[1], old[2])
                self.answered[merged] = self.answered.pop(old) + self.answered.get(merged, 0)
        self.answered[key] = self.answered.get(key, 0) + 1


_DECISION = ["effect", "permitted", "revision"]
