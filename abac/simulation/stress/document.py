"""Read a stress test from its document: the base, the sweeps, the distributions, and every assumption's source.

The published schema is `language/schemas/stress.schema.json`. What a schema cannot say is said here, with the
place; what the values do is `filed`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

from abac.condition.schema import Schema
from abac.condition.types import BOOL, SetType
from abac.errors import Findings, did_you_mean
from abac.language import document
from abac.language.yaml_source import Document
from abac.simulation.choice import Choice
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption
from abac.simulation.stress.setting import MISDECLARABLE, MISDECLARED, names, parameter

LEFT_OUT = "none"
"""The column of a confusion matrix for a value that is left out."""
OTHER = "other"
"""The row of a confusion matrix for values that have none of their own."""

Matrix = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Distribution:
    """How likely each value is; `at` turns a uniform number into a value (the inverse of the distribution)."""

    kind: str
    of: Any

    def at(self, uniform: float) -> Any:
        """Return the value below which this share (0 to below 1) of the draws falls.

        >>> Distribution("triangular", [0, 1, 3]).at(0.0), Distribution("uniform", [2, 4]).at(0.25)
        (0.0, 2.5)
        """
        match self.kind:
            case "uniform":
                return self.of[0] + uniform * (self.of[1] - self.of[0])
            case "log_uniform":
                low, high = log(self.of[0]), log(self.of[1])
                return exp(low + uniform * (high - low))
            case "triangular":
                low, mode, high = map(float, self.of)
                return _triangular(low, mode, high, uniform)
            case _:
                left = uniform * sum(self.of.values())
                for name, weight in self.of.items():
                    left -= weight
                    if left < 0:
                        return name
                return next(n for n in reversed(self.of) if self.of[n] > 0)


def _triangular(low: float, mode: float, high: float, uniform: float) -> float:
    width = high - low
    if width == 0:
        return low
    if uniform < (mode - low) / width:
        return low + sqrt(uniform * width * (mode - low))
    return high - sqrt((1 - uniform) * width * (high - mode))


@dataclass(frozen=True)
class Varied:
    """One parameter as it is varied: the values of its sweep in order, and its distribution (None: it stays)."""

    name: str
    values: tuple[Any, ...]
    distribution: Distribution | None


@dataclass(frozen=True)
class StressTest:
    """A stress test, checked. `base` names only what differs from the population's own values."""

    title: str
    subjects: int
    draws: int
    studies: tuple[str, ...]
    base: Mapping[str, Any]
    varied: tuple[Varied, ...]
    confusion: Mapping[str, Matrix]
    costs: Mapping[str, float]
    choice: Choice
    margin: float
    grid: int
    assumptions: tuple[Assumption, ...]
    digest: str


def read_stress(source: Document, schema: Schema, findings: Findings) -> StressTest | None:
    """Return the stress test of a document; None with every breach noted."""
    if not document.validate(source, "stress", findings):
        return None
    before = len(findings.errors)
    reader = _Reader(source, schema, findings)
    found = reader.read()
    return None if len(findings.errors) > before else found


class _Reader:
    def __init__(self, source: Document, schema: Schema, findings: Findings) -> None:
        self._source, self._schema, self._findings = source, schema, findings
        self._value: dict[str, Any] = source.value

    def read(self) -> StressTest:
        value, steps = self._value, self._value.get("steps", 5)
        for name, given in value["base"]["values"].items():
            self._check(("base", "values", name), name, given)
        even, chosen = value.get("break_even", {}), value.get("choice", {})
        return StressTest(
            title=value.get("title", ""),
            subjects=value.get("subjects", 100_000),
            draws=value.get("draws", 200),
            studies=tuple(value.get("studies", ())),
            base=value["base"]["values"],
            varied=tuple(self._varied(name, body, steps) for name, body in value["parameters"].items()),
            confusion={p: self._matrix(p, b["matrix"]) for p, b in value.get("misdeclared", {}).items()},
            costs={path: self._cost(path, body) for path, body in value.get("collect", {}).items()},
            choice=Choice(**{k: float(chosen[k]) for k in ("stickiness", "elasticity") if k in chosen}),
            margin=even.get("margin", 0.01),
            grid=even.get("steps", 41),
            assumptions=tuple(self._assumptions()),
            digest=digest_of(value),
        )

    def _check(self, path: tuple[Any, ...], name: str, value: Any) -> bool:
        known = parameter(name)
        if known is None:
            message = f"`{name}` is not a parameter of a stress test"
            self._error(path, "unknown-parameter", message, did_you_mean(name, names()))
            return False
        wrong = known.wrong(value)
        if wrong:
            self._error(path, "parameter", f"`{name}`: {wrong}")
        if name.startswith(MISDECLARED) and f"subject.{name.removeprefix(MISDECLARED)}" not in self._value.get(
            "misdeclared", {}
        ):
            self._error(path, "no-matrix", f"`{name}` multiplies a matrix, and `misdeclared` has none for it")
        return not wrong

    def _varied(self, name: str, body: dict[str, Any], steps: int) -> Varied:
        path = ("parameters", name)
        if "values" in body:
            values: list[Any] = list(body["values"])
            for i, value in enumerate(values):
                self._check((*path, "values", i), name, value)
        else:
            low, high = float(body["low"]), float(body["high"])
            sound = self._check((*path, "low"), name, low) and self._check((*path, "high"), name, high)
            if sound and low >= high:
                self._error((*path, "high"), "parameter", f"`{name}`: `high` is not above `low`")
            values = [low + (high - low) * i / (steps - 1) for i in range(steps)]
        return Varied(name, tuple(values), self._distribution(name, body.get("distribution")))

    def _distribution(self, name: str, body: dict[str, Any] | None) -> Distribution | None:
        if body is None:
            return None
        ((kind, of),) = body.items()
        path = ("parameters", name, "distribution", kind)
        for end in of if kind == "choice" else (of[0], of[-1]):
            self._check(path, name, end)
        if kind == "choice" and not sum(of.values()) > 0:
            self._error(path, "distribution", f"`{name}`: the weights sum to nothing")
        if kind != "choice" and list(of) != sorted(of):
            self._error(path, "distribution", f"`{name}`: the numbers are not in ascending order")
        if kind == "log_uniform" and not of[0] > 0:
            self._error(path, "distribution", f"`{name}`: a logarithm needs numbers above 0")
        return Distribution(kind, of)

    def _matrix(self, path: str, matrix: dict[str, dict[str, float]]) -> Matrix:
        at = ("misdeclared", path)
        if path not in MISDECLARABLE or path not in self._schema:
            hint = did_you_mean(path, MISDECLARABLE)
            self._error(at, "confusion", f"`{path}` cannot be misdeclared in a stress test", hint)
            return matrix
        kind = self._schema[path].type
        scalar = kind.element if isinstance(kind, SetType) else kind
        known = ("false", "true") if scalar == BOOL else scalar.values
        for row, columns in matrix.items():
            for word in (row, *columns):
                extra = OTHER if word is row else LEFT_OUT
                if word not in known and word != extra:
                    self._error((*at, "matrix", row), "confusion", f"{path}: no value `{word}`")
            if row in columns:
                self._error((*at, "matrix", row), "confusion", f"{path}: `{row}` is no error for itself")
            if sum(columns.values()) > 1:
                self._error((*at, "matrix", row), "confusion", f"{path}: the row `{row}` sums to more than 1")
        return matrix

    def _cost(self, path: str, body: dict[str, Any]) -> float:
        if path not in self._schema:
            hint = did_you_mean(path, self._schema.attributes)
            self._error(("collect", path), "unknown-attribute", f"no attribute `{path}` in the schema", hint)
        return float(body["cost"])

    def _assumptions(self) -> list[Assumption]:
        value, found = self._value, []

        def told(name: str, of: Any, body: dict[str, Any]) -> None:
            found.append(Assumption(name, of, body["source"], body["firmness"]))

        told("stress base", value["base"]["values"], value["base"])
        for name, body in value["parameters"].items():
            told(f"stress {name}", {k: v for k, v in body.items() if k not in ("source", "firmness")}, body)
        for path, body in value.get("misdeclared", {}).items():
            told(f"stress misdeclared {path}", body["matrix"], body)
        for path, body in value.get("collect", {}).items():
            told(f"stress cost of {path}", body["cost"], body)
        if "choice" in value:
            numbers = {k: value["choice"][k] for k in ("stickiness", "elasticity")}
            told("stress choice", numbers, value["choice"])
        if "break_even" in value:
            told("stress margin", value["break_even"]["margin"], value["break_even"])
        return found

    def _error(self, path: tuple[Any, ...], code: str, message: str, hint: str = "") -> None:
        self._findings.error(self._source.span(*path), code, message, hint)
