"""A scenario: which directives are studied over which population, each at its own time, and on which assumptions.

Read from one YAML document. Opening the files it names is `service.simulate`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from abac.condition.types import DATETIME, TypeClash, admit
from abac.errors import Findings
from abac.language import document
from abac.language.yaml_source import Document, Text
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption

POSTURES = ("strict", "step-up", "shutdown", "lenient")


@dataclass(frozen=True, slots=True)
class Posture:
    """What a posture costs: minutes to enforce (None: nobody can say), whether it can be undone, who completes."""

    name: str
    minutes_to_enforce: float | None
    reversible: bool
    completion: float = 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """One study: a directive's id, the time it is decided at, and rules added to its before and after."""

    id: str
    at: datetime
    title: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A date of the timeline, and what happened on it."""

    as_of: datetime
    event: str


@dataclass(frozen=True)
class Scenario:
    """A scenario document, checked. `value` keeps the paths it names, relative to it."""

    id: str
    title: str
    digest: str
    value: dict[str, Any]
    cut: datetime
    in_force: str
    purpose: Text
    purpose_text: str
    us_person_is_not: str
    person_tests: tuple[str, ...]
    readings: tuple[str, ...]
    capability: str
    tiers: tuple[int, ...]
    items: tuple[Item, ...]
    timeline: tuple[Moment, ...]
    timeline_directives: tuple[str, ...]
    voluntary: str
    coverage: tuple[float, ...]
    tolerated_error: float
    discharges: frozenset[str]
    postures: dict[str, Posture]
    assumptions: tuple[Assumption, ...]
    team: str = ""
    """The attribute whose values are teams within an employer, if any is."""

    @property
    def tests(self) -> tuple[str, ...]:
        """The person tests that the scenario names."""
        return tuple(dict.fromkeys((self.us_person_is_not, *self.person_tests, *self.readings)))


def read_scenario(source: Document, findings: Findings) -> Scenario | None:
    """Return the scenario of a document; None with every breach noted."""
    if not document.validate(source, "scenario", findings):
        return None
    value: dict[str, Any] = source.value
    reader = _Reader(source, findings)
    timeline, sweep = value.get("timeline", {}), value.get("sweep", {})
    return Scenario(
        id=value["scenario"],
        title=value["title"],
        digest=digest_of(value),
        value=value,
        cut=reader.instant("cut"),
        in_force=value["in_force"],
        purpose=source.text("purpose", "condition"),
        purpose_text=value["purpose"]["text"],
        us_person_is_not=value["us_person_is_not"],
        person_tests=tuple(value.get("person_tests", ())),
        readings=tuple(value.get("readings", value.get("person_tests", ()))),
        capability=value["capability"],
        tiers=tuple(value.get("tiers", ())),
        items=reader.items(),
        timeline=tuple(
            Moment(reader.instant("timeline", "dates", i, "as_of"), m["event"])
            for i, m in enumerate(timeline.get("dates", ()))
        ),
        timeline_directives=tuple(timeline.get("directives", ())),
        voluntary=timeline.get("voluntary", ""),
        coverage=tuple(float(c) for c in sweep.get("coverage", ())),
        tolerated_error=float(sweep.get("tolerated_error", 0.0)),
        discharges=frozenset(value.get("discharges", ())),
        postures={name: _posture(name, value["postures"][name]) for name in POSTURES},
        assumptions=tuple(_assumptions(value)),
        team=value.get("team", ""),
    )


class _Reader:
    def __init__(self, source: Document, findings: Findings) -> None:
        self._source, self._findings = source, findings

    def instant(self, *path: Any) -> datetime:
        value: Any = self._source.value
        for key in path:
            value = value[key]
        try:
            return admit(value, DATETIME)  # type: ignore[return-value]  # a date-time type admits date-times
        except TypeClash as clash:
            self._findings.error(self._source.span(*path), "date-time", str(clash))
            return datetime.min  # noqa: DTZ901  # never used: the finding fails the load

    def items(self) -> tuple[Item, ...]:
        found: list[Item] = []
        for i, item in enumerate(self._source.value["studies"]):
            if any(item["id"] == other.id for other in found):
                span = self._source.span("studies", i, "id")
                self._findings.error(span, "duplicate-id", f"study `{item['id']}` stands twice")
            at = self.instant("studies", i, "at")
            found.append(Item(item["id"], at, item.get("title", ""), tuple(item.get("rules", ()))))
        if self._source.value["in_force"] not in [item.id for item in found]:
            message = f"`in_force` names `{self._source.value['in_force']}`, which is not studied"
            self._findings.error(self._source.span("in_force"), "unknown-directive", message)
        return tuple(found)


def _posture(name: str, body: dict[str, Any]) -> Posture:
    return Posture(name, body["minutes_to_enforce"], body["reversible"], body.get("completion", 0.0))


def _assumptions(value: dict[str, Any]) -> list[Assumption]:
    purpose = value["purpose"]
    found = [Assumption(a["name"], a["value"], a["source"], a["firmness"]) for a in value.get("assumptions", ())]
    source, firmness = purpose.get("source", "the scenario"), purpose.get("firmness", "assumption")
    found.append(Assumption("purpose", purpose["text"], source, firmness))
    for name, body in value["postures"].items():
        numbers = {k: body[k] for k in ("minutes_to_enforce", "reversible", "completion") if k in body}
        found.append(Assumption(f"posture {name}", numbers, body["source"], body["firmness"]))
    return found
