"""`abac db`: make and change the tables of the database in which the log and the policies are kept."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from abac.cli.console import FAILED, err, out, print_json

if TYPE_CHECKING:
    from abac.storage.database import Database

app = typer.Typer(no_args_is_help=True, help="Make, change and measure the tables that the log is kept in.")

DATABASE = typer.Option(help="An SQLAlchemy URL; default: ABAC_DATABASE, or sqlite:///abac.db.")
SQL = typer.Option("--sql", "--dry-run", help="Print the SQL that would run, and run nothing.")
TO = typer.Option(help="The migration to go back to; `base`: no tables at all.")
FORCE = typer.Option("--force", help="Destroy what the tables hold.")
JSON = typer.Option("--json", help="Print JSON.")

YEARS = 5
RATES = (100, 1_000, 10_000)


@app.command("upgrade")
def upgrade(
    database: Annotated[str | None, DATABASE] = None,
    sql: Annotated[bool, SQL] = False,
) -> None:
    """Bring the tables to this version, or make them; with nothing to do, do nothing."""
    from abac.service.shipped import shipped
    from abac.storage import migrate

    with closing(_opened(database)) as opened:
        if sql:
            print(migrate.statements(opened, shipped("migrations"), "head"))
            return
        before = opened.schema()
        migrate.upgrade(opened, shipped("migrations"))
        after = opened.schema()
        done = "nothing to do" if before == after else f"from {before or 'no tables'}"
        err().print(Text(f"{opened}: at migration {after} ({done})"))


@app.command("downgrade")
def downgrade(
    to: Annotated[str, TO],
    database: Annotated[str | None, DATABASE] = None,
    sql: Annotated[bool, SQL] = False,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Take the tables back to an older version; refuses to destroy what they hold, unless forced."""
    from abac.service.shipped import shipped
    from abac.storage import migrate

    with closing(_opened(database)) as opened:
        if sql:
            print(migrate.statements(opened, shipped("migrations"), to, down=True))
            return
        migrate.downgrade(opened, shipped("migrations"), to, force=force)
        err().print(Text(f"{opened}: at {opened.schema() or 'no tables'}"))


@app.command("status")
def status(
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say where the tables are and where this version needs them; exit with 1 where the two differ."""
    from abac.service.shipped import shipped
    from abac.storage import migrate

    with closing(_opened(database, read_only=True)) as opened:
        found = migrate.status(opened, shipped("migrations"))
        drift = [str(change) for change in migrate.drift(opened)] if found.found == found.needed else []
        if as_json:
            print_json({"database": str(opened), **found._asdict(), "drift": drift})
        else:
            print(f"database   {opened}")
            print(f"tables     {found.found or 'none'}")
            print(f"needed     {found.needed}")
            print(f"pending    {', '.join(found.pending) or 'nothing'}")
            for change in drift:
                print(f"differs    {change}")
    if found.found != found.needed or drift:
        raise typer.Exit(FAILED)


ENOUGH = 10_000
"""From so many entries on, what one takes on disk hardly changes."""


@app.command("size")
def size(
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Measure the bytes that an entry takes on disk, and what five years come to."""
    from rich.table import Table

    from abac.storage.size import measured

    with closing(_opened(database, read_only=True)) as opened:
        opened.check()
        found = measured(opened)
    if not found.entries:
        err().print(Text("the log is empty: nothing can be measured"))
        raise typer.Exit(FAILED)
    years = {rate: found.after(YEARS, rate) for rate in RATES}
    if as_json:
        print_json({**found._asdict(), "bytes_per_entry": found.each, "bytes_after_five_years": years})
        return
    table = Table("", "bytes", "per entry", title=f"{found.entries:,} entries")
    for name, taken in found.taken.items():
        table.add_row(name, f"{taken:,}", f"{taken / max(found.entries, 1):,.0f}")
    table.add_row("together", f"{sum(found.taken.values()):,}", f"{found.each:,.0f}", style="bold")
    out().print(table)
    table = Table("decisions a second", f"after {YEARS} years")
    for rate, bytes_then in years.items():
        table.add_row(f"{rate:,}", f"{bytes_then / 1e12:,.1f} TB")
    out().print(table)
    if found.entries < ENOUGH:
        said = (
            f"{found.entries:,} entries are few: pages that are hardly filled count whole; ask again at {ENOUGH:,}"
        )
        err().print(Text(said, "yellow"))


def _opened(url: str | None, *, read_only: bool = False) -> Database:
    from abac.bootstrap import Settings
    from abac.storage.database import Database

    return Database(Settings.of(database=url).database, read_only=read_only)
