"""The parameters of a stress test: a closed list, each with what it means and the values it may have.

A setting gives every one of them a value. What a setting does to a population is `filed`'s part, which values are
tried and how likely each is `document`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from abac.simulation.population.parameters import Parameters
from abac.simulation.scenario import POSTURES, Scenario

MISDECLARED = "misdeclared."
"""Before an attribute's name: by how much its confusion matrix is multiplied."""

OWN = "own"
"""The reading of a directive's person test that the directive itself names."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what it is in words, its least and most value, and whether the population draws it."""

    name: str
    words: str
    low: float = 0.0
    high: float = 1.0
    drawn: bool = False
    start: float | str = 0.0

    def wrong(self, value: Any) -> str:
        """Return what is wrong with a value, or nothing."""
        if isinstance(self.start, str):
            known = POSTURES if self.name == "posture" else ()
            if not isinstance(value, str) or (known and value not in known):
                return f"expected one of {', '.join(known)}" if known else "expected a name"
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return f"expected a number from {self.low:g} to {self.high:g}"
        return ""


_LISTED = (
    Parameter("coverage", "persons whose nationality is verified"),
    Parameter("attesting", "organisations attesting for their users"),
    Parameter("dual.native", "natives with a second citizenship", drawn=True),
    Parameter("dual.retained", "naturalised persons who keep their first citizenship", drawn=True),
    Parameter("location.wrong", "persons whose IP address shows another country", drawn=True),
    Parameter("employer.concealed", "people of listed parties who sign up as individuals", drawn=True),
    Parameter("ownership.screened", "organisations whose owners are screened", drawn=True),
    Parameter("ownership.hidden", "stakes of unknown size"),
    Parameter("ownership.width", "how far a known stake may be off, on either side"),
    Parameter("completion", "those asked who bring evidence, under step-up"),
    Parameter("mix.person", "requests of persons, as a multiple", high=1000.0, start=1.0),
    Parameter("mix.organisation_key", "requests of organisation keys, as a multiple", high=1000.0, start=1.0),
    Parameter("mix.agent", "requests of agents, as a multiple", high=1000.0, start=1.0),
    Parameter("mix.capability", "requests for the capability itself, as a multiple", high=1000.0, start=1.0),
    Parameter("bypass.breadth", "requests that get past a model's own safeguard: 0 none, 1 all (universal)"),
    Parameter("parity", "denied use that an open substitute does as well"),
    Parameter("safeguard.single", "what an added safeguard stops of a bypass as narrow as can be"),
    Parameter("safeguard.universal", "what an added safeguard stops of a universal bypass"),
    Parameter("reading", "the person test that decides who is foreign", start=OWN),
    Parameter("posture", "what the provider does with what it cannot decide", start="strict"),
)
PARAMETERS: dict[str, Parameter] = {p.name: p for p in _LISTED}

MISDECLARABLE = (
    "subject.citizenships_current",
    "subject.citizenships_ever",
    "subject.residencies_permanent",
    "subject.latest_citizenship_or_residency",
    "subject.protected_individual",
    "subject.identity_verified",
    "subject.organisation_country",
)
"""The attributes whose value on file may be false; location and ownership have parameters of their own."""


def parameter(name: str) -> Parameter | None:
    """Return the parameter of that name, or None."""
    if name.startswith(MISDECLARED) and f"subject.{name.removeprefix(MISDECLARED)}" in MISDECLARABLE:
        return Parameter(name, f"errors in {name.removeprefix(MISDECLARED)}, as a multiple", high=100.0)
    return PARAMETERS.get(name)


def names() -> list[str]:
    """Return the names of all parameters."""
    return [*PARAMETERS, *(MISDECLARED + path.removeprefix("subject.") for path in MISDECLARABLE)]


@dataclass(frozen=True)
class Setting(Mapping[str, Any]):
    """A value for every parameter."""

    pairs: tuple[tuple[str, Any], ...]
    _found: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_found", dict(self.pairs))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Setting:
        """Return the setting of these values; the rest have their starts. Raises `ValueError` for a wrong one."""
        for name, value in values.items():
            known = parameter(name)
            wrong = known.wrong(value) if known else "no such parameter"
            if wrong:
                raise ValueError(f"{name}: {wrong}")
        starts: dict[str, Any] = {p.name: p.start for p in _LISTED}
        starts |= dict.fromkeys((MISDECLARED + p.removeprefix("subject.") for p in MISDECLARABLE), 0.0)
        return cls(tuple(sorted({**starts, **values}.items())))

    def but(self, **values: Any) -> Setting:
        """Return this setting with other values; dots in names are written as two underscores."""
        return self.with_values({name.replace("__", "."): value for name, value in values.items()})

    def with_values(self, values: Mapping[str, Any]) -> Setting:
        """Return this setting with other values."""
        return Setting.of({**self, **values})

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and self.pairs == other.pairs


def on_file(parameters: Parameters, scenario: Scenario) -> dict[str, Any]:
    """Return what the scenario's own population says of the parameters: the file as it is."""
    found: dict[str, Any] = {p.name: parameters[p.name] for p in _LISTED if p.drawn}
    found["coverage"] = parameters["nationality.on_file"]
    found["attesting"] = parameters["organisation_country.on_file"]
    found["completion"] = scenario.postures["step-up"].completion
    return found
