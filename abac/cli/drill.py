"""`abac drill`: rehearse an order on real workers, with a clock, and prove that nothing of it is left."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from abac.cli.console import FAILED, out, print_json
from abac.cli.progress import Steps
from abac.errors import AbacError

if TYPE_CHECKING:
    from abac.drill.letter import Letter
    from abac.drill.plan import Plan, Report
    from abac.drill.steps import Allowance

POLICIES = typer.Argument(help="The folder of policies; default: the shipped ones.", show_default=False)
DIRECTIVE = typer.Option(help="The directive that is rehearsed; default: the letter of 12 June 2026.")
WORKERS = typer.Option(help="Worker processes of a dry run.", min=1, max=16)
SESSIONS = typer.Option(help="Sessions that are open when the order comes.", min=0, max=10_000)
READ = typer.Option(help="Minutes allowed for reading the letter.", min=0)
DRAFT = typer.Option(help="Minutes allowed for drafting the directive.", min=0)
REVIEW = typer.Option(help="Minutes allowed for the second person's review.", min=0)
OUT = typer.Option(help="A folder for `drill.json` and `drill.html`.")
DATABASE = typer.Option(help="A staging store to rehearse on, instead of a dry run.")
URL = typer.Option("--url", help="A worker on that store; name every one of them.")
KEY = typer.Option(envvar="ABAC_KEY", help="A key with the role `decide` at those workers.")
CEILING = typer.Option(help="The best assurance that the key's word has there.")
WHO = typer.Option(help="Who publishes, on a staging store.")
APPROVER = typer.Option(help="Who approves, on a staging store.")
CONFIRM = typer.Option("--confirm", help="Say the database's URL again: its policies change while it lasts.")
JSON = typer.Option("--json", help="Print the report as JSON.")


class ConfirmationError(AbacError):
    """A drill that would change a real store, and was not confirmed."""

    code = "confirm"


def drill(
    policies: Annotated[Path | None, POLICIES] = None,
    directive: Annotated[str | None, DIRECTIVE] = None,
    workers: Annotated[int, WORKERS] = 2,
    sessions: Annotated[int, SESSIONS] = 100,
    read: Annotated[float, READ] = 20.0,
    draft: Annotated[float, DRAFT] = 25.0,
    review: Annotated[float, REVIEW] = 20.0,
    target: Annotated[Path | None, typer.Option("--out", help=OUT.help)] = None,
    database: Annotated[str | None, DATABASE] = None,
    url: Annotated[list[str] | None, URL] = None,
    key: Annotated[str, KEY] = "",
    ceiling: Annotated[str, CEILING] = "declared",
    who: Annotated[str, WHO] = "",
    approver: Annotated[str, APPROVER] = "",
    confirm: Annotated[str, CONFIRM] = "",
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Rehearse an order: stage, shadow, activate, cut sessions, roll back, and prove the rollback.

    By default a dry run: a database of its own, and real worker processes. With `--database` and `--url` it runs
    on a staging set-up, whose policies change while it lasts. Exit 1: a step failed, or the time ran out.
    """
    from abac.drill.letter import LETTER, read_letter
    from abac.drill.run import run
    from abac.service.shipped import shipped

    _confirmed(database, url or [], confirm, who, approver)
    folder = policies or shipped("policies")
    with ExitStack() as held, Steps() as steps:
        steps("reading the letter")
        letter = read_letter(folder, directive or LETTER)
        if database is None:
            plan = _dry(held, letter, folder, workers)
        else:
            plan = _staging(held, letter, folder, database, url or [], (who, approver, key, ceiling))
        plan = plan.having(sessions, _allowances(read, draft, review), steps)
        report = run(plan)
    if target is not None:
        _write(report, target)
    if as_json:
        print_json(report.as_json())
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(FAILED)


def _confirmed(database: str | None, urls: list[str], confirm: str, who: str, approver: str) -> None:
    if database is None and urls:
        raise ConfirmationError("--url goes with --database: the store that these workers follow")
    if database is not None and not urls:
        raise ConfirmationError("--database goes with --url, once for every worker that follows it")
    if database is not None and confirm != database:
        message = f"this publishes to {database}, cuts sessions there and rolls back: --confirm {database}"
        raise ConfirmationError(message)
    if database is not None and not (who.strip() and approver.strip()):
        raise ConfirmationError("a staging store wants names: --who NAME --approver NAME")


def _dry(held: ExitStack, letter: Letter, folder: Path, workers: int) -> Plan:
    """Return the plan of a dry run: a store of its own, the letter's rules in force, workers on it."""
    from abac.bootstrap import Settings, open_store
    from abac.condition.schema import Assurance
    from abac.drill.plan import Plan
    from abac.drill.workers import workers as running
    from abac.service.ceiling import Ceiling

    place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="abac-drill-")))
    database = f"sqlite:///{place}/abac.db"
    store = held.enter_context(open_store(Settings(database)))
    who, approver = "Drill Author", "Drill Approver"
    why = "what stands before the letter"
    store.policies.publish(letter.before, who=who, approver=approver, why=why, expect="none")
    urls = held.enter_context(running(database, workers))
    return Plan(letter, folder, store, urls, who, approver, ceiling=Ceiling(Assurance.VERIFIED))


def _staging(
    held: ExitStack, letter: Letter, folder: Path, database: str, urls: list[str], said: tuple[str, str, str, str]
) -> Plan:
    from abac.bootstrap import Settings, open_store
    from abac.drill.plan import Plan
    from abac.drill.steps import DrillError
    from abac.policy.request import LEVELS
    from abac.service.ceiling import Ceiling

    who, approver, key, level = said
    if level not in LEVELS:
        raise DrillError(f"`{level}` is no assurance; one of {', '.join(LEVELS)}")
    store = held.enter_context(open_store(Settings.of(os.environ, database=database)))
    return Plan(letter, folder, store, urls, who, approver, key, Ceiling(LEVELS[level]), dry=False)


def _allowances(read: float, draft: float, review: float) -> tuple[Allowance, ...]:
    from dataclasses import replace

    from abac.drill.steps import ALLOWANCES

    return tuple(replace(one, minutes=m) for one, m in zip(ALLOWANCES, (read, draft, review), strict=True))


def _write(report: Report, folder: Path) -> None:
    import json

    from abac.drill.page import write_page

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    (folder / "drill.json").write_text(text + "\n", encoding="utf-8")
    write_page(report, folder / "drill.html")


def _show(report: Report) -> None:
    from abac.drill.page import sentences

    table = Table(title=f"{report.directive}: {report.minutes:g} minutes from {report.received.isoformat()}")
    for name, justify in (("clock", "left"), ("step", "left"), ("what", "left"), ("took", "right"), ("", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # rich's own words
    for step in report.as_json()["steps"]:
        took = f"{step['took_seconds']:.2f} s" if step["measured"] else f"{step['took_seconds'] / 60:g} min"
        word = "allowed" if not step["measured"] else "done" if step["ok"] else "FAILED"
        style = "red" if word == "FAILED" else "dim" if word == "allowed" else ""
        table.add_row(step["clock"][11:19], step["step"], step["what"], took, word, style=style)
    console = out()
    console.print(table)
    for line in sentences(report):
        console.print(Text(line))
