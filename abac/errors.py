"""Say what is wrong and where: one root of errors, stable codes, and source spans.

Every other package raises from here. Nothing in this module prints, logs or exits; turning an error into
an exit code is the command line's part.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a source text: file, 1-based line, 1-based column, and length in characters."""

    file: str = "<text>"
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Span("<built>", 0, 0, 0)
"""The span of a node that no text stands behind."""


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One finding of a load or a check: where, a stable code, what is wrong, and what was perhaps meant.

    `severity` is `error` (the load fails) or `warning` (it does not). `hint` is empty where there is none.
    """

    span: Span
    code: str
    message: str
    severity: str = "error"
    hint: str = ""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.span}: {self.severity}[{self.code}]: {self.message}{tail}"

    def as_json(self) -> dict[str, str | int]:
        """Return the finding as a flat JSON object, as `abac check --json` prints it."""
        return {
            "file": self.span.file,
            "line": self.span.line,
            "column": self.span.column,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }


class AbacError(Exception):
    """The root of every error that abac raises on purpose. `code` is stable across releases."""

    code = "abac"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what the error is, not by what it was made of, so that it crosses from a worker's process."""
        return _again, (type(self), self.args), vars(self)


def _again(kind: type[AbacError], arguments: tuple[Any, ...]) -> AbacError:
    return kind.__new__(kind, *arguments)


class FindingsError(AbacError):
    """A load that found one or more errors; all of them, sorted by file, line and column."""

    code = "findings"

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(findings)))
        super().__init__("\n".join(map(str, self.diagnostics)))


class CompileError(FindingsError):
    """Policies, directives, person tests or a schema that do not compile."""

    code = "compile"


class PopulationError(FindingsError):
    """A population, mapping, catalogue or scenario that cannot be read."""

    code = "population"


class RequestError(AbacError):
    """A request refused at the door. `path` is the way to the offending value (`subject.tier`)."""

    code = "request"

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")


LONGEST_WORD = 100
"""Nobody means anything by a longer one."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean ...?` for the nearest known word, or the empty string where none is near.

    >>> did_you_mean("citizenship", ["citizenships", "tier"])
    'did you mean `citizenships`?'
    """
    if len(word) > LONGEST_WORD:
        return ""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


class Findings:
    """Collect the findings of one load, so that all of them come at once."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def error(self, span: Span, code: str, message: str, hint: str = "") -> None:
        """Note an error; the load goes on, to find the rest."""
        self._found.append(Diagnostic(span, code, message, "error", hint))

    def warn(self, span: Span, code: str, message: str, hint: str = "") -> None:
        """Note a warning; it does not fail the load."""
        self._found.append(Diagnostic(span, code, message, "warning", hint))

    def add(self, *found: Diagnostic) -> None:
        """Take over findings made elsewhere."""
        self._found.extend(found)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors so far, sorted by place; one found many times (in a matcher, by every row) stands once."""
        return tuple(sorted({d for d in self._found if d.severity == "error"}))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings so far, sorted by place, each once."""
        return tuple(sorted({d for d in self._found if d.severity == "warning"}))

    def raise_errors(self, kind: type[FindingsError] = CompileError) -> None:
        """Raise `kind` with every error found so far, if there is one."""
        if self.errors:
            raise kind(self.errors)


def moved(span: Span, by: int, length: int = 1) -> Span:
    """Return the span `by` characters further on the same line."""
    return replace(span, column=span.column + by, length=length)
