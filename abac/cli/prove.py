"""`abac prove`: ask of all requests at once; get a proof, a request that refutes it, or why neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abac.cli.console import FAILED, out, print_json
from abac.cli.program import MODEL, POLICIES, SCHEMA, compiled
from abac.cli.progress import Steps
from abac.cli.proved import cases_in_words, report_in_words, tell

if TYPE_CHECKING:
    from abac.compiler.program import Program

app = typer.Typer(
    no_args_is_help=True, help="Ask of all requests at once: proved, refuted by a request, or undecided and why."
)

A = typer.Argument(help="A folder of policies, or a program file.")
B = typer.Argument(help="Another.")
CONDITION = typer.Argument(help="A condition in the language of the policies.")
DIRECTIVES = typer.Option("--directive", help="A directive that stands, no other; repeatable; default: all.")
OBLIGATIONS = typer.Option("--obligations", help="Ask also that the same is owed.")
EXTENDED = typer.Option("--extended", help="Tell apart what an INDETERMINATE leaves possible, as postures do.")
POSSIBLE = typer.Option("--possible", help="Ask also of requests of which the condition may hold.")
READING = typer.Option(help="Count only what a rule decides that reads this attribute; repeatable.")
POSTURE = typer.Option(
    help="What is done with the undecidable: strict, step-up, shutdown, lenient, or none (DENY alone)."
)
KNOWN = typer.Option(help="An attribute of the person that is verified and complete; repeatable.")
ABSOLUTE = typer.Option("--absolute", help="Count also who had no access without the directives.")
DISCHARGES = typer.Option(help="An obligation that is carried out, no other; repeatable; default: all are.")
ONLY = typer.Option(help="unreachable, shadowed, redundant or conflict; repeatable; default: all.")
SECONDS = typer.Option(help="How long to try; then the answer is that it is undecided.", min=0.01)
WITNESS = typer.Option(help="A file to write the refuting request to, for `abac decide`.")
EXPLAIN = typer.Option(
    "--explain", help="Say also what nearly decided the refuting request, and what would change it."
)
JSON = typer.Option("--json", help="Print the answer as JSON.")
NEVER = "Prove that nothing of which CONDITION holds is {}. Exit code 0 proved, 1 not, 2 bad input."


@app.command("equivalent")
def equivalent(
    a: Annotated[Path, A],
    b: Annotated[Path, B],
    obligations: Annotated[bool, OBLIGATIONS] = False,
    extended: Annotated[bool, EXTENDED] = False,
    seconds: Annotated[float, SECONDS] = 30.0,
    witness: Annotated[Path | None, WITNESS] = None,
    explain: Annotated[bool, EXPLAIN] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Prove that A and B decide every request alike. Exit code 0 proved, 1 refuted or undecided, 2 bad input."""
    from abac import proof

    one, other = _program_at(a), _program_at(b)
    with Steps() as step:
        step("proving that A and B decide alike")
        answer = proof.equivalent(one, other, obligations=obligations, extended=extended, seconds=seconds)
    tell(answer, {"a": one, "b": other}, witness, explain=explain, as_json=as_json)


@app.command("no-wider")
def no_wider(
    a: Annotated[Path, A],
    b: Annotated[Path, B],
    obligations: Annotated[bool, OBLIGATIONS] = False,
    seconds: Annotated[float, SECONDS] = 30.0,
    witness: Annotated[Path | None, WITNESS] = None,
    explain: Annotated[bool, EXPLAIN] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Prove that A permits nothing that B does not. Exit code 0 proved, 1 refuted or undecided, 2 bad input."""
    from abac import proof

    one, other = _program_at(a), _program_at(b)
    with Steps() as step:
        step("proving that A is no wider than B")
        answer = proof.no_wider(one, other, obligations=obligations, seconds=seconds)
    tell(answer, {"a": one, "b": other}, witness, explain=explain, as_json=as_json)


@app.command("never-permits", help=NEVER.format("permitted"))
@app.command("never-denies", help=NEVER.format("denied"))
def never(
    context: typer.Context,
    condition: Annotated[str, CONDITION],
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    directives: Annotated[list[str] | None, DIRECTIVES] = None,
    possible: Annotated[bool, POSSIBLE] = False,
    reading: Annotated[list[str] | None, READING] = None,
    seconds: Annotated[float, SECONDS] = 30.0,
    witness: Annotated[Path | None, WITNESS] = None,
    explain: Annotated[bool, EXPLAIN] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Prove that nothing of which a condition holds is permitted, or denied: as the verb says."""
    from abac import proof

    permits = context.info_name == "never-permits"
    program = _chosen(schema, model, policies, directives)
    with Steps() as step:
        step(f"proving that it is never {'permitted' if permits else 'denied'}")
        ask = proof.never_permits if permits else proof.never_denies
        answer = ask(program, condition, possible=possible, reading=reading or (), seconds=seconds)
    tell(answer, {"": program}, witness, explain=explain, as_json=as_json)


@app.command("people")
def people(
    condition: Annotated[str, CONDITION],
    posture: Annotated[str, POSTURE] = "strict",
    known: Annotated[list[str] | None, KNOWN] = None,
    absolute: Annotated[bool, ABSOLUTE] = False,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    directives: Annotated[list[str] | None, DIRECTIVES] = None,
    seconds: Annotated[float, SECONDS] = 30.0,
    witness: Annotated[Path | None, WITNESS] = None,
    explain: Annotated[bool, EXPLAIN] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Prove that nobody of whom CONDITION is true loses access, whatever of the truth is known of them.

    What is asserted of a person is sound or absent; the undecidable goes by the posture. Without --absolute only
    refusals count of what is permitted without the directives. Exit code 0 proved, 1 not, 2 bad input.
    """
    from abac import proof

    program = _chosen(schema, model, policies, directives)
    before = None if absolute else proof.without_directives(program)
    with Steps() as step:
        step("proving that nobody is refused")
        answer = proof.people(
            program,
            condition,
            posture,
            known=known or (),
            before=before,
            discharges=frozenset(discharges) if discharges else None,
            seconds=seconds,
        )
    shown = {"": program} if before is None else {"before": before, "after": program}
    tell(answer, shown, witness, explain=explain, as_json=as_json)


@app.command("rules")
def rules(
    only: Annotated[list[str] | None, ONLY] = None,
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    directives: Annotated[list[str] | None, DIRECTIVES] = None,
    seconds: Annotated[float, SECONDS] = 120.0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Look for rules that are unreachable, shadowed or redundant, and for permits that stand against denials.

    Exit code 0 where there are none, 1 where something was found or is undecided, 2 for bad input.
    """
    from abac import proof

    program = _chosen(schema, model, policies, directives)
    faults = [proof.fault(name) for name in only] if only else list(proof.Fault)
    with Steps() as step:
        report = proof.rules(program, faults, seconds=seconds, step=step)
    if as_json:
        print_json(report.as_json())
    else:
        out().print(report_in_words(report))
    if not report.clean:
        raise typer.Exit(FAILED)


@app.command("boundaries")
def boundaries(
    a: Annotated[Path, A],
    b: Annotated[Path, B],
    most: Annotated[int, typer.Option(help="How many cases at most.", min=1)] = 2_000,
    seconds: Annotated[float, SECONDS] = 10.0,
    every: Annotated[bool, typer.Option("--every", help="Show also the cases that both decide alike.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Decide the requests at which tests turn by A and by B, and say how much of all such requests that is."""
    from abac import proof

    one, other = _program_at(a), _program_at(b)
    with Steps() as step:
        step("deciding at the boundaries")
        found = proof.boundaries(one, other, most=most, seconds=seconds)
    if as_json:
        print_json(found.as_json())
    else:
        out().print(cases_in_words(found, every=every))


# --- programs --------------------------------------------------------------------------------------------


def _program_at(path: Path) -> Program:
    from abac.service.program_file import program_at

    return program_at(path)


def _chosen(
    schema: Path | None, model: Path | None, policies: list[Path] | None, directives: list[str] | None
) -> Program:
    from abac.errors import CompileError, Findings
    from abac.service.selection import choose

    program = compiled(schema, model, policies or [])
    if not directives:
        return program
    findings = Findings()
    program = choose(program, directives, findings)
    findings.raise_errors(CompileError)
    return program
