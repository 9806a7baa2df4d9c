"""`abac simulate`: carry out a scenario and write its report."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from abac.cli.console import FAILED, SHOWN, err, out, print_json
from abac.cli.progress import Steps

if TYPE_CHECKING:
    from abac.condition.schema import Schema
    from abac.service.simulate import Bring
    from abac.simulation.catalogue import Catalogue
    from abac.simulation.population import Population
    from abac.simulation.run import Inputs


class Engine(StrEnum):
    """The engines of `service.engines`, spelt out here as the postures are."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


class Posture(StrEnum):
    """The postures of `simulation.scenario`, spelt out here so that --help need not load it."""

    STRICT = "strict"
    STEP_UP = "step-up"
    SHUTDOWN = "shutdown"
    LENIENT = "lenient"


SCENARIO = typer.Argument(help="A scenario file, a folder with one, or the name of a shipped one: june-2026.")
SUBJECTS = typer.Option(min=1, help="How many subjects to draw.")
SEED = typer.Option(min=0, help="The seed they are drawn with; one seed, one report.")
POPULATION = typer.Option(
    help="Your own population instead: XLSX, CSV, Parquet, Arrow, or <database url>#<table>."
)
MAPPING = typer.Option(help="How its columns map to the schema; `abac population inspect` proposes it.")
LOG = typer.Option(help="The decision log in a database instead: those who asked, as often as they did.")
SINCE = typer.Option(help="With --log: decisions from this time on (RFC 3339).")
UNTIL = typer.Option(help="With --log: decisions before this time.")
POSTURE = typer.Option(help="What the provider does with what it cannot decide; default: all four, side by side.")
OUT = typer.Option(help="Where the report goes; default: out/<scenario>; with --json nowhere.")
IDENTIFY = typer.Option("--identify", help="Put ids and nationalities into the list of people, not pseudonyms.")
ENGINE = typer.Option(help="Only count, in this engine: for more rows than a report is made of (docs/scale.md).")
MASTER = typer.Option(help="With --engine spark: the cluster, spark://HOST:PORT, or local[N] for this machine.")
BY = typer.Option(help="With --engine: an attribute to group by, such as subject.kind; may be given again.")
ONLY = typer.Option(help="With --engine: count this directive alone; may be given again.")
REPEAT = typer.Option(min=1, help="With --engine polars: read the rows so many times over, to measure a long run.")
VERIFY = typer.Option(
    "--verify", help="Count the report again by the reference, over a sample and in sums; fail on any difference."
)
STRESS = typer.Option(
    "--stress", help="Add what the figures hang on, as `abac stress` has it; on a population drawn for it."
)
ROWS = typer.Option(min=1, help="Rows per sheet of people.xlsx; people.parquet has all; default: 5000.")


def simulate(
    scenario: Annotated[str, SCENARIO],
    subjects: Annotated[int, SUBJECTS] = 1_000_000,
    seed: Annotated[int, SEED] = 2026,
    population: Annotated[str | None, POPULATION] = None,
    mapping: Annotated[Path | None, MAPPING] = None,
    log: Annotated[str | None, LOG] = None,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    posture: Annotated[Posture | None, POSTURE] = None,
    directory: Annotated[Path | None, typer.Option("--out", help=OUT.help)] = None,
    identify: Annotated[bool, IDENTIFY] = False,
    xlsx_rows: Annotated[int | None, ROWS] = None,
    engine: Annotated[Engine | None, ENGINE] = None,
    master: Annotated[str, MASTER] = "",
    by: Annotated[list[str] | None, BY] = None,
    directive: Annotated[list[str] | None, ONLY] = None,
    repeat: Annotated[int, REPEAT] = 1,
    verified: Annotated[bool, VERIFY] = False,
    stressed: Annotated[bool, STRESS] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json to stdout, and nothing else.")
    ] = False,
) -> None:
    """Show what directives would do to real people: who loses access, how many wrongly, what nobody can decide.

    Writes report.html (open it in a browser; it needs no network), report.json, people.parquet and people.xlsx.
    """
    if engine is not None:
        if log or posture or directory or identify or xlsx_rows or verified or stressed:
            raise typer.BadParameter("--engine only counts: it takes no log or posture, and writes no report")
        from abac.cli.counting import count
        from abac.service import shipped
        from abac.service.counting import Plan
        from abac.service.engines import Name

        plan = Plan(
            shipped.scenario(scenario),
            Name(engine.value),
            source=population,
            mapping=mapping,
            master=master,
            by=tuple(by or ()),
            directives=tuple(directive or ()),
            repeat=repeat,
            subjects=subjects,
            seed=seed,
        )
        count(plan, as_json=as_json)
        return
    if master or by or directive or repeat != 1:
        raise typer.BadParameter("--master, --by, --directive and --repeat go with --engine")
    _agree(population, mapping, log, timed=bool(since or until), stressed=stressed)
    from abac.service import shipped, simulate
    from abac.service.layers import layers
    from abac.simulation.report.people import CAP
    from abac.simulation.report.terminal import show
    from abac.simulation.report.write import write_report
    from abac.simulation.run import run
    from abac.simulation.scenario import POSTURES

    chosen = POSTURES if posture is None else (posture.value,)
    document = shipped.scenario(scenario)
    with Steps() as steps:
        steps("drawing the population" if population is None and log is None else "reading the population")
        inputs = simulate.load(
            document,
            subjects=subjects,
            seed=seed,
            population=population,
            mapping=mapping,
            postures=chosen,
            bring=None if log is None else _from_log(log, since, until),
        )
        steps.total = len(inputs.studies) + 7 + 3 * verified
        result = run(inputs, identify=identify, progress=steps)
        report = dict(result.report)
        report["layers"] = layers(inputs, report, replayed=log is not None, step=steps)
        if stressed:
            _stress(document, seed, report, steps)
        _sound(report)
        if verified:
            _verify(inputs, report, steps)
        target = directory or (None if as_json else Path("out") / inputs.scenario.id)
        if target is not None:
            steps("writing the report")
            replaced = (target / "report.json").exists()
            write_report(report, result.people, target, identify=identify, rows_per_sheet=xlsx_rows or CAP)
    if as_json:
        print_json(report)
    else:
        out().print(show(report, posture))
        _show_stress(report)
    if target is not None:
        told(target / "report.html", replaced=replaced)


def _agree(population: str | None, mapping: Path | None, log: str | None, *, timed: bool, stressed: bool) -> None:
    """Refuse options about where the population comes from that do not go together."""
    if mapping is not None and population is None:
        raise typer.BadParameter("--mapping goes with --population")
    if log is None and timed:
        raise typer.BadParameter("--since and --until go with --log")
    if log is not None and population is not None:
        raise typer.BadParameter("a population comes from --log or from --population")
    if stressed and (population is not None or log is not None):
        raise typer.BadParameter("--stress draws its population: of a brought one nobody knows the truth")


def _from_log(url: str, since: str | None, until: str | None) -> Bring:
    """Return what reads the population from a decision log, which is opened for reading only."""
    from abac.bootstrap import Settings, open_store
    from abac.cli.stored import moment
    from abac.service.logged import log_population

    first, last = moment(since, "--since"), moment(until, "--until")

    def bring(schema: Schema, catalogue: Catalogue, cut: datetime) -> Population:
        with open_store(Settings.of(database=url), read_only=True) as store:
            return log_population(store, schema, catalogue, since=first, until=last, cut=cut)

    return bring


def _sound(report: dict[str, Any]) -> None:
    """Hold a report to its own schema before anybody sees it."""
    from abac.simulation.report.validate import ReportError, validate

    try:
        validate(report)
    except ReportError as error:
        raise AssertionError(f"the run made a report that breaks its own schema: {error}") from error


def _stress(document: Path, seed: int, report: dict[str, Any], steps: Steps) -> None:
    """Add the section `stress` to a report, and its assumptions to the report's own."""
    from abac.service import stress as service
    from abac.simulation.stress.run import stress

    section = stress(service.load(document, seed=seed), progress=steps)
    known = report["assumptions"]
    known += [row for row in section.pop("assumptions") if row not in known]
    report["stress"] = section


def _show_stress(report: dict[str, Any]) -> None:
    """Print the summary of the stress test that a report holds, if it does."""
    if "stress" in report:
        from abac.simulation.report.stress_terminal import show_stress

        out().print(show_stress(report["stress"]))


def _verify(inputs: Inputs, report: dict[str, Any], steps: Steps) -> None:
    """Say that every figure is what it says, or which are not, and exit with 1: then nothing is written."""
    from abac.simulation.recount.verify import verify

    found = verify(inputs, report, progress=steps)
    if not found.broken:
        words = (
            f"Verified: {found.decisions:,} decisions and {found.figures:,} figures of {found.subjects:,} "
            f"subjects are the reference's; {found.sums:,} figures of the report add up."
        )
        err().print(Text(words))
        return
    for one in found.broken[:SHOWN]:
        err().print(Text.assemble(("broken: ", "bold red"), str(one)))
    err().print(Text(f"{len(found.broken):,} figures are not what they say; no report was written", "bold"))
    raise typer.Exit(FAILED)


def told(page: Path, *, replaced: bool) -> None:
    """Say where the report is: on standard error, so that standard output holds the answer alone."""
    words = "The report was replaced: " if replaced else "The report is written: "
    err().print(Text.assemble("\n", words, (str(page), "bold")))
