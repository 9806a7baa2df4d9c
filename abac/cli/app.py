"""The commands, their order, and the exit codes that all of them share."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from abac import __version__
from abac.cli import (
    audit,
    check,
    db,
    decide,
    directive,
    drill,
    export,
    key,
    lists,
    narrow,
    new,
    ownership,
    persons,
    policy,
    population,
    program,
    prove,
    publish,
    serve,
    simulate,
    sources,
    stress,
    test,
)
from abac.cli.console import BAD_INPUT, INTERRUPTED, report_error
from abac.errors import AbacError

EPILOG = """\
Exit codes

0    done; decide: permitted

1    test: a case failed; decide: not permitted; check --strict: a warning; prove: refuted, undecided or
found; simulate --verify: a figure is not what it says

2    bad input, told with its file, line and column; nothing was written

70   a fault of ours

130  interrupted; nothing is half-written
"""


class Group(TyperGroup):
    """Turns errors into exit codes, in one place."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an `AbacError` is bad input, anything unforeseen goes on up."""
        try:
            return super().invoke(ctx)
        except AbacError as error:
            report_error(error)
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted; nothing is half-written\n")
            raise typer.Exit(INTERRUPTED) from None
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] == "abac":
                raise
            sys.stderr.write(f"abac: `{error.name}` is not installed: pip install 'abac[cli]'\n")
            raise typer.Exit(BAD_INPUT) from None


app = typer.Typer(
    cls=Group,
    name="abac",
    help="Decide who may use which AI model, prove why, and simulate a change of the rules before it is signed.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"abac {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that come before a verb."""


app.command("simulate")(simulate.simulate)
app.command("stress")(stress.stress)
app.command("decide")(decide.decide)
app.command("check")(check.check)
app.command("test")(test.run_cases)
app.command("new")(new.new)
app.command("serve")(serve.serve)
app.command("drill")(drill.drill)
app.add_typer(population.app, name="population")
app.add_typer(persons.app, name="persons")
app.add_typer(db.app, name="db")
app.add_typer(directive.app, name="directive")
app.add_typer(export.app, name="export")
app.add_typer(program.app, name="program")
app.command("publish")(publish.publish)
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.add_typer(sources.app, name="sources")
app.add_typer(key.app, name="key")
app.add_typer(prove.app, name="prove")
app.command("narrow")(narrow.narrow)
app.add_typer(lists.app, name="list")
app.add_typer(ownership.app, name="ownership")
