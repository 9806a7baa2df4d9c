"""The shape of a population: column types, digests, and the document of its numbers."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import yaml

from abac.condition.schema import Category, Schema
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, SetType
from abac.errors import Findings
from abac.language.countries import country_type
from abac.language.schema import read_schema
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption, column_type, subject_frame
from abac.simulation.population.parameters import NUMBERS, Parameters, read_parameters

POLICIES = Path(__file__).parents[3] / "policies"
TEXT = (POLICIES / "scenarios/june-2026/population.yaml").read_text("utf-8")


@cache
def schema() -> Schema:
    findings = Findings()
    read = read_schema((POLICIES / "schema.yaml").read_text("utf-8"), "schema.yaml", findings)
    findings.raise_errors()
    return read


def parameters(text: str = TEXT) -> Parameters:
    findings = Findings()
    read = read_parameters(text, "population.yaml", findings)
    findings.raise_errors()
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (BOOL, pl.Boolean()),
        (INT, pl.Int64()),
        (FLOAT, pl.Float64()),
        (STRING, pl.String()),
        (DATETIME, pl.Datetime("us", "UTC")),
        (country_type(), pl.Enum(country_type().values)),
        (SetType(country_type()), pl.List(pl.Enum(country_type().values))),
    ],
)
def test_each_type_has_its_column_type(kind, dtype):
    assert column_type(kind) == dtype


def test_a_frame_has_every_subject_attribute_and_null_where_none_is_given():
    frame = subject_frame(schema(), [pl.Series("subject.id", ["a", "b"])], 2)
    assert frame.columns == [d.path for d in schema() if d.category is Category.SUBJECT]
    assert frame["subject.kind"].null_count() == 2


def test_a_column_of_another_type_is_refused():
    with pytest.raises(ValueError, match=r"subject\.account_age_days"):
        subject_frame(schema(), [pl.Series("subject.account_age_days", ["a"])], 1)


def test_digests_depend_on_content_and_not_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 1, "b": 3})


def test_digests_do_not_depend_on_the_hash_seed():
    code = "from abac.simulation.digests import digest_of; print(digest_of({'a': [1, 'ä']}, 0.1))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": s}, capture_output=True, check=True
        ).stdout
        for s in ("1", "2")
    }
    assert len(seen) == 1


def test_an_assumption_is_a_row_of_the_report():
    row = Assumption("x", 0.5, "ours", "assumption").as_json()
    assert row == {"name": "x", "value": 0.5, "source": "ours", "firmness": "assumption"}


def test_every_number_of_june_has_a_source_and_a_firmness():
    read = parameters()
    assert {a.name for a in read.assumptions} == set(NUMBERS)
    assert all(a.source and a.firmness for a in read.assumptions)


def test_the_published_marginals_are_the_scenarios():
    read = parameters()
    assert read["location.reported"] == {"US": 0.216, "IN": 0.072, "BR": 0.037, "JP": 0.037, "KR": 0.037}
    assert read["us.foreign_born"] == 0.19
    assert read["nationality.on_file"] == 0
    firmness = {a.name: a.firmness for a in read.assumptions}
    published = {"location.reported", "us.foreign_born", "nationality.on_file", "embargoed"}
    assert all((firmness[name] == "assumption") != (name in published) for name in firmness)


def test_the_embargoed_countries_are_the_country_groups_in_force():
    rows = pl.read_csv(POLICIES / "lists/country-groups.csv").filter(pl.col("until").is_null())
    assert parameters()["embargoed"] == sorted(set(rows["alpha2"]))


@pytest.mark.parametrize("name", ["listed-end-users", "glasswing-partners", "annex-a", "gpt-5.6-partners"])
def test_a_named_list_holds_the_ids_of_its_role(name):
    read = yaml.safe_load((POLICIES / f"lists/{name}.yaml").read_text("utf-8"))
    first, last = parameters().roles[name]
    assert read["list"] == name
    assert read["values"] == [f"org-{i:05d}" for i in range(first, last + 1)]


def test_the_partners_overlap_as_stated():
    glasswing, annex = (
        set(range(a, b + 1)) for a, b in (parameters().roles[r] for r in ("glasswing-partners", "annex-a"))
    )
    assert (len(glasswing), len(annex), len(glasswing & annex)) == (40, 100, 30)


def test_varied_numbers_change_the_digest_and_say_so():
    read = parameters()
    other = read.varied(location__wrong=0.2)
    assert other["location.wrong"] == 0.2
    assert read["location.wrong"] == 0.04
    assert other.digest != read.digest
    assert other.rows["location.wrong"].source.startswith("varied")
    with pytest.raises(ValueError, match="no such number"):
        read.varied(location__worng=0.2)
    with pytest.raises(ValueError, match="share from 0 to 1"):
        read.varied(location__wrong=2)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("population: abac/2\n", "starts with"),
        (TEXT.replace("us.foreign_born:\n", "us.foriegn_born:\n"), "did you mean `us.foreign_born`?"),
        (TEXT.replace("value: 0.19", "value: 19"), "share from 0 to 1"),
        (TEXT.replace("value: 0.19", "value: true"), "share from 0 to 1"),
        (TEXT.replace("US: 0.216", "UK: 0.216"), "`UK` is not a country code"),
        (TEXT.replace("US: 0.216", "US: 0.95"), "sum to more than 1"),
        (TEXT.replace("agent: 0.03}", "agnet: 0.03}"), "exactly the keys"),
        (TEXT.replace("    firmness: reported", "    firmness: sure", 1), "`firmness` is one of"),
        (TEXT.replace("    source: ours; sigma", "    sauce: ours; sigma"), "needs a `value`, a `source`"),
        (TEXT.replace("mythos-5: glasswing-partners", "mythos-5: glasswing"), "is not a role"),
        (TEXT.replace("owned: [46, 75]", "owned: [75, 46]"), "a pair of organisation numbers"),
        (TEXT.replace("provider: anthropic\n", ""), "organisation id of the provider"),
    ],
)
def test_a_bad_document_is_refused_with_its_place(text, part):
    findings = Findings()
    assert read_parameters(text, "population.yaml", findings) is None
    assert part in "\n".join(map(str, findings.errors))
    assert all(d.span.file == "population.yaml" for d in findings.errors)
