"""Test cases for policies: load YAML files of requests and expected answers, run them, and say what they covered.

The format is published as `language/schemas/cases.schema.json`. A case that gets another answer is a failure; a
file that cannot be read is a `CompileError`, with every finding. Showing results is the command line's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from abac.compiler.program import Program
from abac.errors import CompileError, Findings, RequestError, Span
from abac.language import document, yaml_source
from abac.language.yaml_source import Document
from abac.pdp.decide import decide
from abac.policy.request import EMBEDDED, UNTRUSTED, Request
from abac.service import workspace
from abac.service.coverage import Coverage
from abac.service.expectation import failures
from abac.service.files import beside
from abac.service.load import survey
from abac.service.selection import choose

CATEGORIES = ("subject", "action", "resource", "environment")


@dataclass(frozen=True, slots=True)
class Case:
    """One request with the answer it must get."""

    name: str
    span: Span
    request: Request
    discharges: frozenset[str]
    expect: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file, the program they are put to, and the whole program it was taken from."""

    file: str
    program: Program
    whole: Program
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went: passed where there is no failure. `seconds` is what deciding took."""

    suite: str
    case: Case
    failures: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every expectation held."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Report:
    """All results, in file order, and which rules they decided."""

    results: tuple[CaseResult, ...]
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The results that did not pass."""
        return tuple(r for r in self.results if not r.passed)


def find(path: Path) -> list[Path]:
    """Return the files of cases at `path`: itself, or every YAML file below it that starts a `cases:` document."""
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.suffix in (".yaml", ".yml") and f.is_file())
    return [f for f in found if not _hidden(f.relative_to(path)) and _holds_cases(f)]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _holds_cases(file: Path) -> bool:
    try:
        with file.open("rb") as lines:
            return any(line.startswith(b"cases:") for line in lines)
    except OSError:
        return True  # reading it notes why


def load(
    paths: Iterable[Path], findings: Findings, model: Path | None = None, within: Path | None = None
) -> list[Suite]:
    """Return the suites of files and folders; what cannot be read is noted and left out.

    `model` is for the files that name none and lie where there are several. Files may name nothing outside the
    folder `within`, where one is given.
    """
    loader = _Loader(findings, model, within)
    suites: list[Suite] = []
    for path in paths:
        files = find(path)
        if not files:
            findings.error(Span(str(path)), "no-cases", "no test cases here: a YAML file with `cases: abac/1`")
        suites += [s for f in files if (s := loader.suite(f)) is not None]
    return suites


def run(suites: Iterable[Suite]) -> Report:
    """Put every case to its program."""
    results: list[CaseResult] = []
    coverage = Coverage()
    for suite in suites:
        coverage.expect(suite.whole)
        for case in suite.cases:
            started = perf_counter()
            found = tuple(_failures(case, suite.program))
            results.append(CaseResult(suite.file, case, found, perf_counter() - started))
            if "refused" not in case.expect:
                coverage.count(suite.program, case.request)
    return Report(tuple(results), coverage)


def _failures(case: Case, program: Program) -> Iterator[str]:
    try:
        outcome = decide(program, case.request, discharges=case.discharges)
    except RequestError as error:
        if case.expect.get("refused") != error.path:
            yield f"refused at the door: {error}"
        return
    yield from failures(case.expect, outcome)


class _Loader:
    """Reads files of cases; a program that several files share is compiled once."""

    def __init__(self, findings: Findings, model: Path | None, within: Path | None) -> None:
        self._findings, self._model = findings, model
        self._within = None if within is None else within.resolve()
        self._programs: dict[tuple[Path | None, ...], Program | None] = {}

    def suite(self, file: Path) -> Suite | None:
        before = len(self._findings.errors)
        source = self._document(file)
        if source is None or not document.validate(source, "cases", self._findings):
            return None
        whole = self._program(file, source)
        if whole is None:
            return None
        chosen = self._chosen(source, whole)
        cases = tuple(self._cases(source))
        return Suite(str(file), chosen, whole, cases) if len(self._findings.errors) == before else None

    def _document(self, file: Path) -> Document | None:
        try:
            return yaml_source.read(file.read_text(encoding="utf-8-sig"), str(file), self._findings)
        except UnicodeDecodeError as error:
            self._findings.error(Span(str(file)), "encoding", f"not UTF-8 at byte {error.start}")
        except OSError as error:
            self._findings.error(Span(str(file)), "file", error.strerror or str(error))
        return None

    def _program(self, file: Path, source: Document) -> Program | None:
        value = source.value
        try:
            near = None if "schema" in value and "policies" in value else workspace.around(file, self._model)
        except CompileError as error:
            self._findings.add(*error.diagnostics)
            return None
        schema = beside(file, value["schema"]) if near is None or "schema" in value else near.schema
        model = beside(file, value["model"]) if "model" in value else near.model if near else None
        policies = [beside(file, p) for p in value.get("policies", ())] or [near.folder if near else schema.parent]
        if self._within is not None and not self._inside(source, (schema, model, *policies)):
            return None
        key = (schema, model, *policies)
        if key not in self._programs:
            self._programs[key] = survey(schema, model, policies, self._findings)
        return self._programs[key]

    def _inside(self, source: Document, named: Iterable[Path | None]) -> bool:
        """Note the paths that lead out of where they must stay."""
        outside = [p for p in named if p and not p.resolve().is_relative_to(self._within or Path())]
        for path in outside:
            self._findings.error(source.span(), "outside", f"`{path.name}` lies outside the policies given")
        return not outside

    def _chosen(self, source: Document, whole: Program) -> Program:
        ids: Sequence[str] | None = source.value.get("directives")
        if ids is None:
            return whole
        return choose(whole, ids, self._findings, lambda i: source.span("directives", i))

    def _cases(self, source: Document) -> Iterator[Case]:
        given = source.value.get("given", {})
        seen: set[str] = set()
        for i, test in enumerate(source.value["tests"]):
            span = source.span("tests", i, "name")
            if test["name"] in seen:
                self._findings.error(span, "duplicate-id", f"test `{test['name']}` stands twice")
            seen.add(test["name"])
            trust = UNTRUSTED if test.get("untrusted") else EMBEDDED
            request = Request(**_merged(given, test.get("request", {})), source=trust)
            yield Case(test["name"], span, request, frozenset(test.get("discharges", ())), test["expect"])


def _merged(given: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay a request over what all requests of the file have, attribute by attribute."""
    whole: dict[str, Any] = {}
    for category in CATEGORIES:
        under, over = (_attributes(part.get(category)) for part in (given, own))
        whole[category] = under | over
    return whole


def _attributes(values: str | dict[str, Any] | None) -> dict[str, Any]:
    return {"name": values} if isinstance(values, str) else dict(values or {})
