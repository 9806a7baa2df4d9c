"""`abac narrow`: propose the smallest rules that stop whom a directive means to stop, and few others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from abac.cli.console import err, out, print_json
from abac.cli.progress import Counted, Steps
from abac.cli.simulate import MAPPING, POPULATION, SCENARIO, SEED

if TYPE_CHECKING:
    from abac.service.narrowed import Asked, Narrowed


class Posture(StrEnum):
    """The postures under which rules can be compared."""

    STRICT = "strict"
    LENIENT = "lenient"


class Unit(StrEnum):
    """What is counted."""

    PEOPLE = "people"
    REQUESTS = "requests"


CONDITION = typer.Option(help="Whom to stop, as a condition over what is true; default: the scenario's purpose.")
LABEL = typer.Option(help="Whom to stop, as a column of the population's file; fitted on one half of the rows.")
RESOURCE = typer.Option(help="Which models, as a condition; default: as the target says.")
SHARE = typer.Option(
    min=0, max=1, help="The share of persons whose nationality is verified; default: the scenario's."
)
ATTESTING = typer.Option(min=0, max=1, help="The share of organisations that attest; default: the scenario's.")
ATTRIBUTE = typer.Option(help="An attribute that rules may read, no other; repeatable; default: all collectable.")
WITHOUT = typer.Option(help="An attribute that rules may not read; repeatable.")
OUT = typer.Option("--out", help="Where the documents go; default: nowhere.")


def narrow(
    scenario: Annotated[str, SCENARIO],
    condition: Annotated[str | None, CONDITION] = None,
    label: Annotated[str | None, LABEL] = None,
    resource: Annotated[str | None, RESOURCE] = None,
    subjects: Annotated[int, typer.Option(min=1, help="How many subjects to draw.")] = 100_000,
    seed: Annotated[int, SEED] = 2026,
    population: Annotated[str | None, POPULATION] = None,
    mapping: Annotated[Path | None, MAPPING] = None,
    coverage: Annotated[float | None, SHARE] = None,
    attesting: Annotated[float | None, ATTESTING] = None,
    posture: Annotated[Posture, typer.Option(help="What is done with the undecidable.")] = Posture.STRICT,
    unit: Annotated[Unit, typer.Option(help="What is counted.")] = Unit.PEOPLE,
    attribute: Annotated[list[str] | None, ATTRIBUTE] = None,
    without: Annotated[list[str] | None, WITHOUT] = None,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="Search one half of the rows, report on the other; so with labels.")
    ] = False,
    size: Annotated[int, typer.Option(min=1, help="Conditions in a rule, at most.")] = 6,
    width: Annotated[int, typer.Option(min=1, help="Conditions joined by AND, at most.")] = 3,
    terms: Annotated[int, typer.Option(min=1, help="ANDs joined by OR, at most.")] = 4,
    nodes: Annotated[int, typer.Option(min=1, help="Rules looked at, at most; then the best so far.")] = 4_000_000,
    seconds: Annotated[float, typer.Option(min=0.01, help="How long to try each proof.")] = 2.0,
    directory: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Propose narrower rules: few wrongly stopped, few missed, few conditions; each simulated, counted and proved.

    The documents are for review: none is in force. Exit code 0 where rules were found, 2 for bad input.
    """
    if label is not None and population is None:
        raise typer.BadParameter("--label goes with --population")
    if label is not None and condition is not None:
        raise typer.BadParameter("whom to stop comes from --label or from --condition")
    if population is not None and (coverage is not None or attesting is not None):
        raise typer.BadParameter("--coverage and --attesting are of a drawn population")
    from abac.proof.asking import typed_condition
    from abac.service import narrow as service
    from abac.service import narrowed, shipped, simulate
    from abac.simulation.narrowing.search import Limits

    document = shipped.scenario(scenario)
    with Steps() as step:
        step("reading the population" if population else "drawing the population")
        inputs = simulate.load(
            document,
            subjects=subjects,
            seed=seed,
            population=population,
            mapping=mapping,
            coverage=coverage,
            attesting=attesting,
        )
        target, text = inputs.purpose, inputs.scenario.purpose_text
        if condition is not None:
            target, text = typed_condition(inputs.program, condition)
        marks = None
        if label is not None and population is not None:
            marks, text = service.labels(population, label, len(inputs.population)), f"column `{label}`"
        asked = narrowed.Asked(
            inputs,
            document,
            target,
            text,
            labels=marks,
            holdout=holdout,
            resource=None if resource is None else typed_condition(inputs.program, resource)[0],
            posture=posture.value,
            unit=unit.value,
            attributes=tuple(attribute or ()),
            without=tuple(without or ()),
            limits=Limits(size, width, terms, nodes),
            seconds=seconds,
        )
    found = _narrowed(asked)
    if as_json:
        print_json(narrowed.as_json(found))
    else:
        out().print(_shown(found))
    if directory is not None:
        _write(found, directory)


def _narrowed(asked: Asked) -> Narrowed:
    """Search under a bar of nodes, told once more by name for what comes before and after."""
    from abac.service.narrow import narrow as search

    with Counted("looking at rules", asked.limits.nodes) as bar:
        done = 0

        def progress(nodes: int, _: int) -> None:
            nonlocal done
            bar(nodes - done)
            done = nodes

        return search(asked, progress=progress)


def _write(found: Narrowed, directory: Path) -> None:
    from abac.service.files import write_text

    for one in found.proposed:
        write_text(directory / f"{one.id}.yaml", one.body, replace=True)
    err().print(Text(f"\nFor review: {len(found.proposed)} documents in {directory}"))


# --- in words --------------------------------------------------------------------------------------------


def _shown(found: Narrowed) -> Group:
    asked, searched = found.asked, found.searched
    head = Text(f"Whom to stop: {asked.text}\n", "bold")
    whom = f"{found.problem.most + found.problem.left:,} {asked.unit} of {len(asked.inputs.population):,} subjects"
    exact = "exact within" if searched.exact else "the best found within"
    limits = f"{searched.limits.size} conditions and {searched.limits.terms} ANDs"
    head.append(f"{whom}, posture {asked.posture}; {exact} {limits}, {searched.nodes:,} nodes", "not bold dim")
    return Group(head, Text(), _rules(found), Text(), _compared(found), Text(), *_proofs(found))


def _rules(found: Narrowed) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("rule")
    for name in ("over", "under", "size", "gap", "proof"):
        table.add_column(name, justify="right", no_wrap=True)
    if any(p.held_out for p in found.proposed):
        table.add_column("other half", justify="right", no_wrap=True)
    for p in found.proposed:
        place = found.searched.frontier.index(p.rule)
        row: list[Any] = [Text(p.id, "bold").append(f"\n{p.subject or 'everybody'}", "not bold")]
        row += [f"{p.rule.over:,}", f"{p.rule.under:,}", str(p.rule.size), f"{found.searched.gap(place):,}"]
        row.append(p.proof["answer"])
        if p.held_out is not None:
            over, under = (getattr(c, found.asked.unit) for c in (p.held_out.over, p.held_out.under))
            row.append(f"{over:,} / {under:,}")
        table.add_row(*row)
    return table


def _compared(found: Narrowed) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("written by hand")
    for name in ("over", "under"):
        table.add_column(name, justify="right")
    table.add_column("as good or better")
    for w in found.written:
        over, under = (getattr(c, found.asked.unit) for c in (w.simulated.over, w.simulated.under))
        table.add_row(w.id, f"{over:,}", f"{under:,}", ", ".join(w.as_good) or "none")
    return table


def _proofs(found: Narrowed) -> list[Text]:
    told = [
        Text("gap: how far above the least that any rule over these tests, of whatever size, wrongly stops", "dim")
    ]
    told.append(Text("proof: that it denies nobody outside the target, under asserted = true", "dim"))
    for p in found.proposed:
        if p.proof["answer"] == "refuted":
            person = p.proof.get("truth", {}).get("subject", {})
            known = ", ".join(f"{k}={v['value']}" for k, v in person.items())
            told.append(Text(f"  {p.id} denies somebody outside: {known}", "dim"))
    return told
