"""`abac sources`: look over a document of sources, and try each of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abac.cli.console import FAILED, err, out, print_findings, print_json

if TYPE_CHECKING:
    from abac.condition.reference import Assertion
    from abac.service.sources.trying import Tried

app = typer.Typer(help="Where attributes come from: tables, files and services.", no_args_is_help=True)

FILE = typer.Argument(help="The document that declares the sources.")
SCHEMA = typer.Option(help="The schema of the attributes; default: found from the folder you are in.")
SUBJECT = typer.Option(help="The id of a subject to ask the sources of subjects about.")
RESOURCE = typer.Option(help="The id of a resource.")
ACTION = typer.Option(help="The name of an action.")
TYPE = typer.Option("--type", help="The AuthZEN type of the entities; default: any.")


@app.command("check")
def check(
    file: Annotated[Path, FILE],
    schema: Annotated[Path | None, SCHEMA] = None,
    subject: Annotated[str | None, SUBJECT] = None,
    resource: Annotated[str | None, RESOURCE] = None,
    action: Annotated[str | None, ACTION] = None,
    entity_type: Annotated[str, TYPE] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what each source gives as JSON.")] = False,
) -> None:
    """Try each source, and show what it gives, with its assurance, or why it fails.

    Exit code 0 where all answered, 1 where one failed, 2 where the document is refused.
    """
    from abac import bootstrap
    from abac.condition.schema import Category
    from abac.service.load import load_schema
    from abac.service.workspace import nearest_schema

    asked = {Category.SUBJECT: subject, Category.RESOURCE: resource, Category.ACTION: action}
    ids = {category: value for category, value in asked.items() if value is not None}
    tried = bootstrap.try_sources(file, load_schema(schema or nearest_schema()), ids, entity_type)
    if as_json:
        print_json({"sources": [_as_json(one) for one in tried]})
    else:
        for one in tried:
            _show(one)
    if not all(one.sound for one in tried):
        raise typer.Exit(FAILED)


def _show(tried: Tried) -> None:
    from rich.text import Text

    declared, console = tried.declaration, out()
    about = f" about {tried.entity.category.value} `{tried.entity.id}`" if tried.entity else ""
    state, colour = ("ok", "green") if tried.sound else ("failed", "red")
    if tried.entity and not tried.answer.known:
        state, colour = f"has no such {declared.category.value}", "yellow"
    if not tried.asked:
        state, colour = f"not asked: name one with --{declared.category.value}", "yellow"
    console.print(Text.assemble((declared.name, "bold"), f" ({declared.kind}){about}: ", (state, colour)))
    for path, assertion in sorted(tried.answer.held.items()):
        console.print(Text(f"    {path} = {_value(assertion)}  [{', '.join(_how(assertion))}]"))
    failing = {f.attribute for f in tried.answer.failures}
    if tried.entity and tried.answer.known and "" not in failing:
        for given in declared.gives:
            path = given.definition.path
            if path not in tried.answer.held and path not in failing:
                console.print(Text(f"    {path}: nothing on file, so unknown", "dim"))
    for failure in tried.answer.failures:
        console.print(Text(f"    {failure}", "red"))
    if tried.faults:
        print_findings(err(), tried.faults)


def _value(assertion: Assertion) -> str:
    if isinstance(assertion.value, frozenset):
        return f"{{{', '.join(sorted(map(str, assertion.value)))}}}"
    return str(assertion.value)


def _how(assertion: Assertion) -> list[str]:
    partly = [] if assertion.complete else ["not complete"]
    when = [] if assertion.as_of is None else [f"as of {assertion.as_of.isoformat()}"]
    return [str(assertion.assurance), *partly, *when]


def _as_json(tried: Tried) -> dict[str, Any]:
    return {
        "name": tried.declaration.name,
        "kind": tried.declaration.kind,
        "entity": tried.declaration.category.value,
        "id": tried.entity.id if tried.entity else None,
        "asked": tried.asked,
        "known": tried.answer.known,
        "sound": tried.sound,
        "gives": {path: _assertion(one) for path, one in sorted(tried.answer.held.items())},
        "failures": [
            {"kind": f.kind.value, "message": f.message, "attribute": f.attribute, "place": f.place}
            for f in tried.answer.failures
        ],
        "findings": [f.as_json() for f in tried.faults],
    }


def _assertion(one: Assertion) -> dict[str, Any]:
    many = isinstance(one.value, frozenset)
    plain = one.value if isinstance(one.value, bool | int | float | str) else _value(one)
    return {
        "value": sorted(map(str, one.value)) if many else plain,  # type: ignore[arg-type]  # many: a set
        "assurance": str(one.assurance),
        "complete": one.complete,
        "as_of": None if one.as_of is None else one.as_of.isoformat(),
    }
