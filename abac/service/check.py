"""Look over everything in a folder of policies: schema, models, rows, documents, scenarios and test cases.

Errors and warnings of all files, each with its place. Making them readable is the command line's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from abac.compiler.program import Program
from abac.errors import CompileError, Diagnostic, Findings, FindingsError, Span
from abac.language.casbin import read_model
from abac.service import cases, workspace
from abac.service.load import survey
from abac.service.shipped import SCENARIO
from abac.service.workspace import Workspace


def check(
    paths: Sequence[Path], schema: Path | None = None, model: Path | None = None, *, within: Path | None = None
) -> tuple[Diagnostic, ...]:
    """Return every finding, sorted by file, line and column.

    With a `schema`, `paths` are the policies that go with it. Without one the folders of policies that the paths
    lie in are looked over whole, since a change in one file can break another. With `within`, test cases read
    nothing outside that folder, and scenarios, which may name anything, are passed over.
    """
    findings = Findings()
    if schema is not None:
        survey(schema, model, paths, findings)
    else:
        for found in _workspaces(paths, model, findings):
            _workspace(found, findings, within)
    return tuple(sorted({*findings.errors, *findings.warnings}))


def _workspaces(paths: Iterable[Path], model: Path | None, findings: Findings) -> list[Workspace]:
    found: dict[Path, Workspace] = {}
    for path in paths:
        try:
            one = workspace.around(path, model)
            found.setdefault(one.folder.resolve(), one)
        except CompileError as error:
            findings.add(*error.diagnostics)
    return list(found.values())


def _workspace(found: Workspace, findings: Findings, within: Path | None) -> None:
    if found.model is None and len(found.models) > 1:
        names = ", ".join(m.name for m in found.models)
        message = f"several models ({names}) and none named {workspace.MODEL}"
        findings.error(Span(str(found.folder)), "no-model", message, "choose one with --model")
        return
    program = survey(found.schema, found.model, [found.folder], findings)
    if program is not None:
        _models(found, program, findings)
        if within is None:
            _scenarios(found.folder, findings)
    tests = cases.find(found.folder)
    if tests and program is not None:
        cases.load(tests, findings, found.model, within)


def _models(found: Workspace, program: Program, findings: Findings) -> None:
    """Read the models that no row of the folder is for."""
    for path in found.models:
        if path != found.model:
            read_model(path.read_text(encoding="utf-8-sig"), str(path), program.lists, findings)


def _scenarios(folder: Path, findings: Findings) -> None:
    """Load every scenario with a population of one, which looks at all that it names."""
    documents = sorted(folder.rglob(SCENARIO))
    if not documents:
        return
    from abac.service import simulate  # noqa: PLC0415  # columns are heavy, and few folders have scenarios

    for document in documents:
        try:
            simulate.load(document, subjects=1)
        except FindingsError as error:
            findings.add(*error.diagnostics)
