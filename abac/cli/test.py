"""`abac test`: run the test cases of policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from abac.cli.console import FAILED, err, out, print_json

if TYPE_CHECKING:
    from abac.service.cases import Report

PATHS = typer.Argument(help="Files of cases, or folders that hold some.")
JUNIT = typer.Option(help="Write the results as JUnit XML, for a build server.")


def run_cases(
    paths: Annotated[list[Path] | None, PATHS] = None,
    junit: Annotated[Path | None, JUNIT] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print results and coverage as JSON.")] = False,
) -> None:
    """Put requests to the policies and compare the answers with those expected.

    Cases are YAML: a request, and the decision, reasons, unknown attributes and obligations expected.
    Says which rules no case ever found TRUE. Exit code 1 where a case fails.
    """
    from abac.errors import CompileError, Findings
    from abac.service import cases
    from abac.service.files import write_text
    from abac.service.junit import junit_xml

    findings = Findings()
    suites = cases.load(paths or [Path()], findings)
    findings.raise_errors(CompileError)
    report = cases.run(suites)
    if junit is not None:
        write_text(junit, junit_xml(report), replace=True)
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report)
    if report.failed:
        raise typer.Exit(FAILED)


def _show(report: Report) -> None:
    console = err()
    for result in report.failed:
        console.print(
            Text.assemble(("FAILED ", "bold red"), (str(result.case.span), "bold"), f": {result.case.name}")
        )
        for failure in result.failures:
            console.print(Text(f"    {failure}"))
    rules = report.coverage.rules
    passed = len(report.results) - len(report.failed)
    words = Text.assemble((f"{passed} passed", "bold green" if not report.failed else ""))
    if report.failed:
        words.append(f", {len(report.failed)} failed", "bold red")
    words.append(f"; {report.coverage.decided} of {len(rules)} rules were TRUE of some request")
    out().print(words)
    for counted in report.coverage.never:
        how = "UNKNOWN at most" if counted.unknown else "always FALSE" if counted.false else "never asked"
        out().print(Text(f"  never TRUE: {counted.rule} ({how})", "yellow"))


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "passed": len(report.results) - len(report.failed),
        "failed": len(report.failed),
        "cases": [
            {
                "name": r.case.name,
                "file": r.case.span.file,
                "line": r.case.span.line,
                "passed": r.passed,
                "failures": list(r.failures),
            }
            for r in report.results
        ],
        "coverage": {
            "rules": len(report.coverage.rules),
            "true_of_some_request": report.coverage.decided,
            "by_rule": [
                {
                    "rule": c.rule,
                    "file": c.citation.file,
                    "line": c.citation.line,
                    "true": c.true,
                    "false": c.false,
                    "unknown": c.unknown,
                }
                for c in report.coverage.rules.values()
            ],
        },
    }
