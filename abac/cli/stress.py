"""`abac stress`: vary what nobody knows of a scenario, and write what its figures hang on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from abac.cli.console import out, print_json
from abac.cli.progress import Steps
from abac.cli.simulate import told

SCENARIO = typer.Argument(help="A scenario file, a folder with one, or the name of a shipped one: june-2026.")
DOCUMENT = typer.Option(help="The stress test; default: stress.yaml beside the scenario.")
SUBJECTS = typer.Option(min=1, help="How many subjects to draw; default: as the stress test says.")
SAMPLE = typer.Option(min=100, help="Look at about so many of them, a stratified sample; default: at all.")
DRAWS = typer.Option(min=1, help="Monte Carlo draws of all parameters; default: as the stress test says.")
SEED = typer.Option(min=0, help="The seed of subjects and draws; one seed, one report.")
OUT = "Where the report goes; default: out/<scenario>-stress; with --json nowhere."


def stress(
    scenario: Annotated[str, SCENARIO],
    document: Annotated[Path | None, DOCUMENT] = None,
    subjects: Annotated[int | None, SUBJECTS] = None,
    sample: Annotated[int | None, SAMPLE] = None,
    draws: Annotated[int | None, DRAWS] = None,
    seed: Annotated[int, SEED] = 2026,
    directory: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print stress.json to stdout, and nothing else.")
    ] = False,
) -> None:
    """Say what a scenario's figures hang on: every assumption varied, one at a time and all at once.

    Writes stress.html (open it in a browser; it needs no network) and stress.json.
    """
    from abac.service import shipped
    from abac.service import stress as service
    from abac.simulation.report.stress import write_stress
    from abac.simulation.report.stress_terminal import show_stress
    from abac.simulation.report.validate import ReportError, validate_stress
    from abac.simulation.stress.run import stress as carry_out

    with Steps() as steps:
        steps("drawing the population")
        loaded = service.load(shipped.scenario(scenario), subjects=subjects, seed=seed, document=document)
        steps.total = 2 * len(loaded.test.studies or loaded.studies) + 5
        report = carry_out(loaded, sample=sample, draws=draws, progress=steps)
        try:
            validate_stress(report)
        except ReportError as error:
            raise AssertionError(f"the stress test made a report that breaks its own schema: {error}") from error
        target = directory or (None if as_json else Path("out") / f"{loaded.scenario.id}-stress")
        if target is not None:
            steps("writing the report")
            replaced = (target / "stress.json").exists()
            write_stress(report, target)
    if as_json:
        print_json(report)
    else:
        out().print(show_stress(report))
    if target is not None:
        told(target / "stress.html", replaced=replaced)
