"""A rule planted among decoys is found, in data that nobody had seen when the search was written."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from abac.backends.columnar import Frame
from abac.compiler.program import Program
from abac.condition.schema import Assurance
from abac.service.load import compile_policies
from abac.simulation.narrowing.documents import subject_text
from abac.simulation.narrowing.problem import Table, problem
from abac.simulation.narrowing.search import Limits, search
from abac.simulation.narrowing.target import blocks
from abac.simulation.narrowing.vocabulary import collectable, vocabulary
from abac.simulation.population import column_type

DECOYS = 60
ROWS = 3_000
COLOURS = ("red", "green", "blue", "grey")
TYPES = ("bool", "int", "{enum: [red, green, blue, grey]}", "{set of: {enum: [red, green, blue, grey]}}")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Attributes d00 to d59, a quarter of each type, and nothing in the policies that hints at any."""
    folder: Path = tmp_path_factory.mktemp("planted")
    lines = ["schema: abac/1", "attributes:", "  subject:", "    id: {type: string}"]
    lines += [f"    d{i:02}: {{type: {TYPES[i % 4]}}}" for i in range(DECOYS)]
    (folder / "schema.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    return compile_policies(folder / "schema.yaml")


def facts(program: Program, random: np.random.Generator) -> pl.DataFrame:
    columns = [pl.Series("subject.id", [f"s{i}" for i in range(ROWS)])]
    for i in range(DECOYS):
        path = f"subject.d{i:02}"
        kind = column_type(program.schema[path].type)
        match i % 4:
            case 0:
                values = (random.random(ROWS) < random.uniform(0.2, 0.8)).tolist()
            case 1:
                values = random.integers(0, 100, ROWS).tolist()
            case 2:
                values = random.choice(COLOURS, ROWS).tolist()
            case _:
                held = random.random((ROWS, 4)) < 0.3
                values = [[c for c, h in zip(COLOURS, row, strict=True) if h] for row in held]
        columns.append(pl.Series(path, values, dtype=kind))
    return pl.DataFrame(columns)


def planted(table: pl.DataFrame, random: np.random.Generator) -> Table:
    """Whoever meets a test of three types, each over an attribute chosen now."""
    a, b, c = (int(random.integers(0, DECOYS // 4)) * 4 + t for t in (0, 2, 3))
    colour, held = random.choice(COLOURS, 2)
    marks = table[f"subject.d{a:02}"] & (table[f"subject.d{b:02}"].cast(pl.String) == colour)
    return (marks & table[f"subject.d{c:02}"].cast(pl.List(pl.String)).list.contains(held)).to_numpy()


def test_it_is_found_among_sixty_attributes_drawn_now(program: Program):
    seed = secrets.randbits(32)
    random = np.random.default_rng(seed)
    table = facts(program, random)
    wanted = planted(table, random)
    while not 20 <= wanted.sum() <= ROWS // 5:
        wanted = planted(table, random)
    words = vocabulary(program, collectable(program), table, pl.Series(wanted))
    sure = dict.fromkeys(program.schema.attributes, Assurance.VERIFIED)
    frame = Frame.encode(table, program.schema, assurance=sure)
    stopped = blocks(words.conditions, program, frame, undecided=True)
    one = problem(words.tests, stopped, (~wanted).astype(np.int64), wanted.astype(np.int64))
    found = search(one, Limits(size=4, width=3, terms=2, nodes=3_000_000))
    best = [f for f in found.frontier if f.over == 0 and f.under == 0]
    assert best, seed
    assert best[0].size <= 3, (seed, subject_text(best[0], one.tests))
    assert found.gap(found.frontier.index(best[0])) == 0
