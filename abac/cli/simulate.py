"""`abac simulate`: carry out a scenario and write its report."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from abac.cli.console import err, out, print_json
from abac.cli.progress import Steps

if TYPE_CHECKING:
    from abac.condition.schema import Schema
    from abac.service.simulate import Bring
    from abac.simulation.catalogue import Catalogue
    from abac.simulation.population import Population
    from abac.simulation.stress.engine import Stressed


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
LOG = typer.Option(
    help="A decision log in a database, replayed beside the population: who asked, as often as they did."
)
LOG_ONLY = typer.Option("--log-only", help="With --log: its people are the population, and there is no other.")
SINCE = typer.Option(help="With --log: decisions from this time on (RFC 3339).")
UNTIL = typer.Option(help="With --log: decisions before this time.")
TEAM = typer.Option(
    help="The subject attribute that tells teams apart: which go dark with a provider, as employers do."
)
POSTURE = typer.Option(help="What the provider does with what it cannot decide; default: all four, side by side.")
OUT = typer.Option(help="Where the report goes; default: out/<scenario>; with --json nowhere.")
IDENTIFY = typer.Option("--identify", help="Put ids and nationalities into the list of people, not pseudonyms.")
ENGINE = typer.Option(help="Only count, in this engine: for more rows than a report is made of (docs/scale.md).")
MASTER = typer.Option(help="With --engine spark: the cluster, spark://HOST:PORT, or local[N] for this machine.")
BY = typer.Option(help="With --engine: an attribute to group by, such as subject.kind; may be given again.")
ONLY = typer.Option(help="With --engine: count this directive alone; may be given again.")
REPEAT = typer.Option(min=1, help="With --engine polars: read the rows so many times over, to measure a long run.")
VERIFY = typer.Option(
    "--verify", help="Count all again, by the reference over a sample and in sums; fail on any difference."
)
AGAINST = typer.Option(
    help="Verify a report.json that was handed to you: it must be this run's, figure for figure."
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
    log_only: Annotated[bool, LOG_ONLY] = False,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    team: Annotated[str | None, TEAM] = None,
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
    against: Annotated[Path | None, AGAINST] = None,
    stressed: Annotated[bool, STRESS] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json to stdout, and nothing else.")
    ] = False,
) -> None:
    """Show what directives would do to real people: who loses access, how many wrongly, what nobody can decide.

    Writes report.html (open it in a browser; it needs no network), report.json, people.parquet and people.xlsx.
    """
    if engine is not None:
        if log or team or directory or identify or xlsx_rows or stressed or against:
            raise typer.BadParameter("--engine only counts: it takes no log or stress test, and writes no report")
        from abac.cli.counting import count
        from abac.service import shipped
        from abac.service.counting import Plan
        from abac.service.engines import Name
        from abac.simulation.scenario import POSTURES

        plan = Plan(
            shipped.scenario(scenario),
            Name(engine.value),
            source=population,
            mapping=mapping,
            master=master,
            by=tuple(by or ()),
            directives=tuple(directive or ()),
            postures=POSTURES if posture is None else (posture.value,),
            verified=verified,
            repeat=repeat,
            subjects=subjects,
            seed=seed,
        )
        count(plan, as_json=as_json)
        return
    if master or by or directive or repeat != 1:
        raise typer.BadParameter("--master, --by, --directive and --repeat go with --engine")
    _agree(population, mapping, log, alone=log_only, timed=bool(since or until), stressed=stressed)
    from abac.cli.recounted import read_report, say
    from abac.service import impact, shipped, simulate
    from abac.simulation.report.people import CAP
    from abac.simulation.report.terminal import show
    from abac.simulation.report.write import write_report
    from abac.simulation.scenario import POSTURES

    chosen = POSTURES if posture is None else (posture.value,)
    document = shipped.scenario(scenario)
    handed = None if against is None else read_report(against)
    with Steps() as steps:
        steps("drawing the population" if population is None and not log_only else "reading the population")
        brought = None if log is None else _from_log(log, since, until)
        inputs = simulate.load(
            document,
            subjects=subjects,
            seed=seed,
            population=population,
            mapping=mapping,
            postures=chosen,
            team=team,
            bring=brought if log_only else None,
        )
        logged = None
        if brought is not None and not log_only:
            steps("reading the log")
            logged = brought(inputs.program.schema, inputs.population.catalogue, inputs.scenario.cut)
        asked = impact.Asked(inputs, logged, log_only, _stressed(document, seed) if stressed else None)
        steps.total = len(inputs.studies) * (1 + (logged is not None)) + 8 + 5 * verified
        made = impact.make(asked, identify=identify, step=steps)
        report = made.report
        _sound(report)
        if verified or handed is not None:
            say(impact.verify(asked, handed or report, made=made, step=steps))
        target = directory or (None if as_json or handed else Path("out") / inputs.scenario.id)
        if target is not None:
            steps("writing the report")
            replaced = (target / "report.json").exists()
            write_report(report, made.people, target, identify=identify, rows_per_sheet=xlsx_rows or CAP)
    if as_json:
        print_json(report)
    elif handed is None:
        out().print(show(report, posture))
        _show_stress(report)
    if target is not None:
        told(target / "report.html", replaced=replaced)


def _agree(
    population: str | None, mapping: Path | None, log: str | None, *, alone: bool, timed: bool, stressed: bool
) -> None:
    """Refuse options about where the population comes from that do not go together."""
    if mapping is not None and population is None:
        raise typer.BadParameter("--mapping goes with --population")
    if log is None and (timed or alone):
        raise typer.BadParameter("--since, --until and --log-only go with --log")
    if alone and population is not None:
        raise typer.BadParameter(
            "with --log-only the population is the log's; leave --population out, or --log-only"
        )
    if stressed and (population is not None or alone):
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


def _stressed(document: Path, seed: int) -> Stressed:
    """Load the stress test beside a scenario."""
    from abac.service import stress

    return stress.load(document, seed=seed)


def _show_stress(report: dict[str, Any]) -> None:
    """Print the summary of the stress test that a report holds, if it does."""
    if "stress" in report:
        from abac.simulation.report.stress_terminal import show_stress

        out().print(show_stress(report["stress"]))


def told(page: Path, *, replaced: bool) -> None:
    """Say where the report is: on standard error, so that standard output holds the answer alone."""
    words = "The report was replaced: " if replaced else "The report is written: "
    err().print(Text.assemble("\n", words, (str(page), "bold")))
