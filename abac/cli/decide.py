"""`abac decide`: put one request to the policies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import FAILED, out, print_json

if TYPE_CHECKING:
    from abac.compiler.program import Program
    from abac.policy.decision import Outcome
    from abac.policy.request import Request

REQUEST = typer.Argument(
    help="A JSON file with `subject`, `action`, `resource`, `environment`; `-` reads it from stdin."
)
SCHEMA = typer.Option(help="The schema; default: found from the folder you are in.")
MODEL = typer.Option(help="The Casbin model of the rows; default: found likewise.")
POLICIES = typer.Option(help="A file or folder of policies; repeatable; default: the schema's folder.")
DIRECTIVES = typer.Option("--directive", help="A directive that stands, no other; repeatable; default: all.")
DISCHARGES = typer.Option(help="An obligation that the caller will carry out; repeatable.")
EXPLAIN = typer.Option(
    "--explain", help="Say also what nearly decided, what is unknown and why, and what would change it."
)
REDACT = typer.Option("--redact", help="With --explain: leave out the values of sensitive attributes.")
UNTRUSTED = typer.Option("--untrusted", help="Take bare values as inferred and bare sets as incomplete.")
COLOURS = {"PERMIT": "bold green", "DENY": "bold red"}


def decide(
    request: Annotated[str, REQUEST],
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    directives: Annotated[list[str] | None, DIRECTIVES] = None,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    untrusted: Annotated[bool, UNTRUSTED] = False,
    explain: Annotated[bool, EXPLAIN] = False,
    redact: Annotated[bool, REDACT] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Decide one request and say why: the rule, the directive's clause and the person test it rests on.

    Exit code 0 where it is permitted, 1 where it is not, 2 where the request or the policies are refused.
    """
    from abac.errors import CompileError, Findings
    from abac.pdp.decide import decide as decided
    from abac.policy.request import EMBEDDED
    from abac.policy.request import UNTRUSTED as STRANGER
    from abac.service import asked
    from abac.service.selection import choose

    text, file = _text(request)
    put = asked.read_request(text, file, STRANGER if untrusted else EMBEDDED)
    program = _program(schema, model, policies or [])
    if directives:
        findings = Findings()
        program = choose(program, directives, findings)
        findings.raise_errors(CompileError)
    may = frozenset(discharges or ())
    if explain:
        outcome = _explained(program, put, may, redact=redact, as_json=as_json)
    else:
        outcome = decided(program, put, discharges=may)
        if as_json:
            print_json(asked.as_json(outcome))
        else:
            out().print(_shown(outcome))
    if not outcome.permitted:
        raise typer.Exit(FAILED)


def _explained(
    program: Program, request: Request, discharges: frozenset[str], *, redact: bool, as_json: bool
) -> Outcome:
    """Print the explanation of a request and return its outcome."""
    from abac.pdp.explain import explain
    from abac.service import asked

    told = explain(program, request, discharges=discharges, redact=redact)
    if as_json:
        print_json(asked.as_json(told.outcome) | {"explanation": told.as_json()})
    else:
        out().print(Text(f"{told}\n\nrevision: {told.outcome.revision}"))
    return told.outcome


def _text(request: str) -> tuple[str, str]:
    from abac.service.files import read_text

    if request == "-":
        return sys.stdin.read(), "<stdin>"
    return read_text(Path(request)), request


def _program(schema: Path | None, model: Path | None, policies: list[Path]) -> Program:
    from abac.service.load import compile_policies
    from abac.service.workspace import around

    if schema is None:
        near = around(Path(), model)
        return compile_policies(near.schema, near.model, policies or [near.folder])
    return compile_policies(schema, model, policies)


def _shown(outcome: Outcome) -> Text:
    """Return the outcome for people: the decision first, then one line for each thing it rests on."""
    decision = outcome.decision.value
    text = Text(decision, COLOURS.get(decision, "bold yellow"))
    if decision == "PERMIT" and not outcome.permitted:
        text.append("  not permitted to this caller, who does not discharge its obligations", "yellow")
    for reason in outcome.reasons:
        text.append(f"\n  {reason}")
        if reason.citation.file:
            text.append(f"  {reason.citation.file}:{reason.citation.line}", "dim")
    lines = {
        "unknown": outcome.unknown,
        "obligations": [o.id for o in outcome.obligations],
        "advice": [o.id for o in outcome.advice],
        "revision": [outcome.revision],
    }
    for key, values in lines.items():
        if values:
            text.append(f"\n  {key}: ", "dim").append(", ".join(values))
    return text
