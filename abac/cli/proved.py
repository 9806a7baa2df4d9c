"""How the answers of `abac prove` are told: in words, and the request that refutes as a file for `abac decide`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from abac.cli.console import FAILED, err, out, print_json

if TYPE_CHECKING:
    from abac.compiler.program import Program
    from abac.proof import Answer, Boundaries, RuleReport, Witness

COLOURS = {"Proved": "bold green", "Refuted": "bold red", "Undecided": "bold yellow"}


def tell(
    answer: Answer, programs: dict[str, Program], witness: Path | None, *, explain: bool, as_json: bool
) -> None:
    """Print an answer, write its witness, and exit with 1 where it is no proof."""
    from abac import proof
    from abac.pdp.explain import explain as explained

    if as_json:
        print_json(proof.as_json(answer))
    else:
        out().print(_words(answer))
    if isinstance(answer, proof.Refuted):
        if witness is not None:
            _write(answer.witness, witness)
        for name, program in programs.items() if explain else ():
            told = Text(f"\n{name or 'explained'}: ", "bold").append(
                str(explained(program, answer.witness.request))
            )
            (err() if as_json else out()).print(told)
    if not isinstance(answer, proof.Proved):
        raise typer.Exit(FAILED)


def _write(witness: Witness, path: Path) -> None:
    import json

    from abac.proof import request_json
    from abac.service.files import write_text

    write_text(path, json.dumps(request_json(witness.case.asserted), indent=2, ensure_ascii=False) + "\n")
    err().print(Text(f"Written: {path}"))


def _words(answer: Answer) -> Text:
    """Return an answer for people; a refutation with the request, what is true, and what was decided of it."""
    import json

    from abac import proof

    name = type(answer).__name__
    text = Text(name.upper(), COLOURS[name]).append(f"  {answer.question}", "not bold")
    match answer:
        case proof.Proved(note=note):
            text.append(f"\n  {note}" if note else "", "dim")
        case proof.Undecided(reason=reason, atoms=atoms):
            text.append(f"\n  {reason}")
            text.append("".join(f"\n    {atom}" for atom in atoms), "dim")
        case proof.Refuted(witness=witness):
            for one in witness.replayed:
                text.append(f"\n{one.name or 'decided'}: ", "bold").append(one.outcome.decision.value)
                for rule in one.outcome.reasons:
                    text.append(f"\n  {rule}")
                if one.outcome.unknown:
                    text.append("\n  unknown: ", "dim").append(", ".join(one.outcome.unknown))
            if witness.case.true is not None:
                text.append("\nnot known of the person: ", "bold").append(", ".join(witness.unknown) or "nothing")
                true = json.dumps(proof.request_json(witness.case.true), indent=2, ensure_ascii=False)
                text.append("\ntrue of the person:\n", "bold").append(true)
            request = json.dumps(proof.request_json(witness.case.asserted), indent=2, ensure_ascii=False)
            text.append("\nrequest:\n", "bold").append(request)
    return text


def report_in_words(report: RuleReport) -> Text:
    """Return what was found of the rules, for people."""
    text = Text(
        f"{report.rules} rules: {len(report.findings)} findings, {len(report.undecided)} undecided", "bold"
    )
    for finding in report.findings:
        text.append(f"\n  {finding.fault.value}: ", "yellow").append(finding.rule)
        text.append(f" permits what {finding.other} denies" if finding.other else "")
        if finding.citation.file:
            text.append(f"  {finding.citation.file}:{finding.citation.line}", "dim")
    for finding in report.undecided:
        text.append("\n  undecided: ", "yellow").append(f"{finding.answer.question}: {finding.answer.reason}")  # type: ignore[union-attr]  # undecided
    return text.append("\n  more conflicts than these", "yellow") if report.more else text


def cases_in_words(found: Boundaries, *, every: bool) -> Text:
    """Return the cases that change, or every one, with what they cover."""
    import json

    text = Text(f"{len(found.cases):,} cases, {found.changed:,} decided otherwise", "bold")
    values = sum(map(len, found.values.values()))
    text.append(
        f"\n  {found.values_covered:,} of {values:,} values, {found.covered:,} of {found.pairs:,} pairs, "
        f"of {found.product:,} combinations"
    )
    for case in found.cases:
        if every or case.changed:
            text.append(f"\n{case.before.decision.value} -> {case.after.decision.value}  ", "bold")
            text.append(json.dumps(case.as_json()["request"], ensure_ascii=False))
    return text
