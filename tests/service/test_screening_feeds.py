"""What a match says of a record is what a decision and a simulation take for `subject.listed`: three truths."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

import abac
from abac.errors import Findings
from abac.service.load import load_schema
from abac.service.screening import as_parquet, as_table, screen
from abac.service.sources.opening import open_sources
from abac.simulation.catalogue import Catalogue
from abac.simulation.population.brought import read_population
from abac.simulation.population.mapping import read_mapping
from tests.simulation import june

HOME = Path(__file__).parents[2]
EXAMPLES = HOME / "docs" / "examples"
MAPPING = """\
mapping: abac/1
columns:
  subject.id: {column: id, assurance: verified}
  subject.listed: {column: listed, assurance: documented}
"""


SOURCES = """sources:
  - name: screening
    kind: parquet
    entity: subject
    file: matched.parquet
    assurance: documented
    owns: [subject.listed]
"""
NOW = datetime(2026, 6, 12, tzinfo=UTC)
CUSTOMERS = EXAMPLES / "customers.csv"


def screened():
    return screen(EXAMPLES / "screening-list.json", CUSTOMERS, now=NOW, threshold=80)


def brought(tmp_path, catalogue: Catalogue):
    schema, findings = load_schema(HOME / "policies" / "schema.yaml"), Findings()
    matched = tmp_path / "matched.csv"
    matched.write_text(as_table(screened(), CUSTOMERS))
    mapping = read_mapping(MAPPING, "mapping.yaml", schema, findings)
    assert findings.errors == ()
    return read_population(matched, mapping, schema, catalogue)


def test_exact_is_true_none_is_false_and_possible_is_unknown(tmp_path):
    people = brought(tmp_path, june.world(4_000).catalogue)
    listed = dict(people.asserted.select("subject.id", "subject.listed").iter_rows())
    assert listed["k-1"] is listed["k-4"] is True
    assert listed["k-10"] is listed["k-6"] is False
    assert listed["k-3"] is listed["k-8"] is listed["k-11"] is None


def test_a_source_gives_a_decision_the_same_three_truths(tmp_path):
    (tmp_path / "matched.parquet").write_bytes(as_parquet(screened(), CUSTOMERS))
    (tmp_path / "sources.yaml").write_text(SOURCES)
    rows = tmp_path / "rows.csv"
    rows.write_text("p, !r.sub.listed, true, invoke, allow\n")
    program = abac.compile(HOME / "policies" / "schema.yaml", HOME / "models" / "abac.conf", [rows])
    sources = open_sources(tmp_path / "sources.yaml", program.schema, environment={}, now=lambda: NOW)
    found = {}
    for record in ("k-1", "k-3", "k-10"):
        sent = abac.Request({"id": record}, {"name": "invoke"}, {"id": "fable-5"})
        found[record] = abac.decide(program, sources.resolve(sent).request).decision.name
    sources.close()
    assert found == {"k-1": "DENY", "k-3": "INDETERMINATE", "k-10": "PERMIT"}


def test_a_synthetic_population_knows_who_is_listed():
    world = june.world(4_000)
    truth = world.truth.select("subject.organisation", "subject.listed")
    listed = set(truth.filter(pl.col("subject.listed"))["subject.organisation"])
    assert listed <= {f"org-{i:05d}" for i in range(31, 46)}
    assert listed
    asserted = world.population().asserted["subject.listed"]
    assert asserted.null_count() > 0
    assert (asserted.is_null() == world.population().asserted["subject.listed_ownership"].is_null()).all()
