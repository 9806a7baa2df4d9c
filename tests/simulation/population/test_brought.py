"""A brought population: every format reads to the same columns, and every bad cell is refused with its place."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.schema import Assurance, Schema
from abac.errors import Findings, PopulationError
from abac.language.schema import read_schema
from abac.simulation.catalogue import Catalogue, read_catalogue
from abac.simulation.population import Population, column_type
from abac.simulation.population.brought import inspect, read_population
from abac.simulation.population.mapping import Mapping, read_mapping

POLICIES = Path(__file__).parents[3] / "policies"
HEADER = ["User ID", "Nationality", "Country", "Age", "Share", "KYC", "Type"]
ROWS = [
    ["u1", "US; FR", "US", "12", "0.5", "yes", "person"],
    ["u2", "South Korea", "KR", "3", "", "no", "person"],
    ["u3", "", "", "", "", "", "agent"],
    ["u4", "stateless", "Germany", "0", "1", "TRUE", "organisation_key"],
]
MAPPING = """\
mapping: abac/1
columns:
  subject.id: {column: User ID, assurance: verified}
  subject.citizenships_current:
    {column: Nationality, split: ";", empty: [stateless], assurance: declared, complete: true}
  subject.location: {column: Country}
  subject.account_age_days: {column: Age}
  subject.listed_ownership: {column: Share, assurance: documented}
  subject.identity_verified: {column: KYC}
  subject.kind: {column: Type, assurance: documented}
  subject.relation: {constant: customer}
"""


@cache
def schema() -> Schema:
    findings = Findings()
    read = read_schema((POLICIES / "schema.yaml").read_text("utf-8"), "schema.yaml", findings)
    findings.raise_errors()
    return read


@cache
def catalogue() -> Catalogue:
    findings = Findings()
    text = (POLICIES / "scenarios/june-2026/catalogue.yaml").read_text("utf-8")
    read = read_catalogue(text, "catalogue.yaml", schema(), findings)
    findings.raise_errors()
    return read


def mapping(text: str = MAPPING) -> Mapping:
    findings = Findings()
    read = read_mapping(text, "mapping.yaml", schema(), findings)
    findings.raise_errors(PopulationError)
    assert read is not None
    return read


def read(path: Path | str, text: str = MAPPING) -> Population:
    return read_population(path, mapping(text), schema(), catalogue())


def refused(path: Path | str, text: str = MAPPING) -> list[tuple[str, int, int, str]]:
    with pytest.raises(PopulationError) as caught:
        read(path, text)
    return [(d.code, d.span.line, d.span.column, str(d)) for d in caught.value.diagnostics]


def typed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "User ID": ["u1", "u2", "u3", "u4"],
            "Nationality": [["US", "FR"], ["South Korea"], None, []],
            "Country": ["US", "KR", None, "Germany"],
            "Age": [12, 3, None, 0],
            "Share": [0.5, None, None, 1.0],
            "KYC": [True, False, None, True],
            "Type": ["person", "person", "agent", "organisation_key"],
        }
    )


def write_csv(path: Path, rows: list[list[str]] = ROWS, header: list[str] = HEADER, delimiter: str = ",") -> Path:
    path.write_text("\n".join(delimiter.join(row) for row in [header, *rows]) + "\n", "utf-8")
    return path


def write_xlsx(path: Path, rows: list[list[object]], above: int = 0) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("People")
    for i, row in enumerate([HEADER, *rows]):
        for j, cell in enumerate(row):
            if cell not in ("", None):
                sheet.write(i + above, j, cell)
    book.close()
    return path


def write_sqlite(path: Path) -> str:
    with sqlite3.connect(path) as db:
        db.execute(
            'create table users ("User ID" text primary key, Nationality text, Country text, Age integer, '
            "Share real, KYC boolean, Type text)"
        )
        values = [
            ("u1", "US; FR", "US", 12, 0.5, 1, "person"),
            ("u2", "South Korea", "KR", 3, None, 0, "person"),
            ("u3", None, None, None, None, None, "agent"),
            ("u4", "stateless", "Germany", 0, 1.0, 1, "organisation_key"),
        ]
        db.executemany("insert into users values (?, ?, ?, ?, ?, ?, ?)", values)
    db.close()
    return f"sqlite:///{path}#users"


def sources(folder: Path) -> dict[str, Path | str]:
    cells: list[list[object]] = [
        ["u1", "US; FR", "US", 12, 0.5, True, "person"],
        ["u2", "South Korea", "KR", 3, "", False, "person"],
        ["u3", "", "", "", "", "", "agent"],
        ["u4", "stateless", "Germany", 0, 1, True, "organisation_key"],
    ]
    typed().write_parquet(folder / "p.parquet")
    typed().write_ipc(folder / "p.arrow")
    typed().write_ipc(folder / "p.feather")
    typed().write_ipc_stream(folder / "p.ipc")
    return {
        "csv": write_csv(folder / "p.csv"),
        "semicolons": write_csv(
            folder / "s.csv", [[c.replace(";", "|") for c in row] for row in ROWS], delimiter=";"
        ),
        "xlsx": write_xlsx(folder / "p.xlsx", cells),
        "xlsx below a gap": write_xlsx(folder / "q.xlsx", cells, above=3),
        "parquet": folder / "p.parquet",
        "arrow": folder / "p.arrow",
        "feather": folder / "p.feather",
        "ipc stream": folder / "p.ipc",
        "database": write_sqlite(folder / "p.db"),
    }


FORMATS = (
    "csv",
    "semicolons",
    "xlsx",
    "xlsx below a gap",
    "parquet",
    "arrow",
    "feather",
    "ipc stream",
    "database",
)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_reads_to_the_same_columns(tmp_path, kind):
    text = MAPPING.replace('split: ";"', 'split: "|"') if kind == "semicolons" else MAPPING
    population = read(sources(tmp_path)[kind], text)
    asserted = population.asserted
    assert asserted["subject.id"].to_list() == ["u1", "u2", "u3", "u4"]
    assert asserted["subject.citizenships_current"].to_list() == [["FR", "US"], ["KR"], None, []]
    assert asserted["subject.location"].to_list() == ["US", "KR", None, "DE"]
    assert asserted["subject.account_age_days"].to_list() == [12, 3, None, 0]
    assert asserted["subject.listed_ownership"].to_list() == [0.5, None, None, 1.0]
    assert asserted["subject.identity_verified"].to_list() == [True, False, None, True]
    assert asserted["subject.relation"].to_list() == ["customer"] * 4
    assert asserted["subject.trust_tier"].null_count() == 4
    for definition in schema():
        if definition.path.startswith("subject."):
            assert asserted.schema[definition.path] == column_type(definition.type)


def test_what_is_not_said_is_inferred_and_incomplete(tmp_path):
    population = read(write_csv(tmp_path / "p.csv"), MAPPING.replace(", assurance: declared, complete: true", ""))
    assert population.assurance["subject.citizenships_current"] is Assurance.INFERRED
    assert population.complete == {"subject.citizenships_current": False}
    assert population.truth is None
    assert not population.synthetic
    assert population.seed is None


def test_use_is_one_request_of_invoke_unless_mapped(tmp_path):
    path = write_csv(tmp_path / "p.csv")
    usual = read(path).use
    assert usual["fable-5|invoke"].to_list() == [1, 1, 1, 1]
    assert usual["fable-5|cyber"].sum() == 0
    assert "use" in {a.name for a in read(path).assumptions}
    mapped = read(path, MAPPING + 'use: {"fable-5|cyber": Age}\nsessions: {mythos-5: Age}\n')
    assert mapped.use["fable-5|cyber"].to_list() == [12, 3, 0, 0]
    assert mapped.use["fable-5|invoke"].sum() == 0
    assert mapped.sessions["mythos-5"].to_list() == [12, 3, 0, 0]
    assert mapped.use.dtypes == [pl.UInt32] * 20


def test_the_digest_follows_the_file_and_the_mapping(tmp_path):
    path = write_csv(tmp_path / "p.csv")
    first = read(path).digest
    assert read(path).digest == first
    assert read(path, MAPPING + "error: 0.01\n").digest != first
    write_csv(path, ROWS[:3])
    assert read(path).digest != first


def test_a_prior_is_named(tmp_path):
    population = read(write_csv(tmp_path / "p.csv"), MAPPING + "prior: {name: census, share: 0.93}\nerror: 0.02\n")
    assert population.prior is not None
    assert (population.prior.name, population.prior.share, population.error) == ("census", 0.93, 0.02)


@pytest.mark.parametrize(
    ("row", "column", "cell", "code"),
    [
        (1, 1, "UK", "unknown-country"),
        (0, 1, "US;;FR", "null-in-set"),
        (2, 2, "us", "unknown-country"),
        (2, 3, "3.5", "wrong-type"),
        (2, 3, "99999999999999999999", "wrong-type"),
        (0, 4, "NaN", "not-a-number"),
        (0, 4, "inf", "not-a-number"),
        (3, 5, "maybe", "wrong-type"),
        (3, 6, "persn", "unknown-value"),
        (2, 0, "u1", "duplicate-id"),
        (1, 0, "", "missing-id"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_bad_cell_is_refused_with_its_row_and_column(tmp_path, row, column, cell, code, kind):
    rows = [list(r) for r in ROWS]
    rows[row][column] = cell
    path = write_csv(tmp_path / "p.csv", rows) if kind == "csv" else write_xlsx(tmp_path / "p.xlsx", rows)
    [(found, line, place, message)] = refused(path)
    assert (found, line, place) == (code, row + 2, column + 1)
    assert f"`{HEADER[column]}`" in message
    assert str(path) in message


def test_what_was_meant_is_said(tmp_path):
    rows = [list(r) for r in ROWS]
    rows[0][1], rows[1][6] = "UK", "persn"
    messages = "\n".join(m for *_, m in refused(write_csv(tmp_path / "p.csv", rows)))
    assert "did you mean `GB`?" in messages
    assert "did you mean `person`?" in messages


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("Nationality", [["US", None], None, None, []], "null-in-set"),
        ("Nationality", [["US", ""], None, None, []], "null-in-set"),
        ("Nationality", [["Atlantis"], None, None, []], "unknown-country"),
        ("Share", [float("nan"), 0.5, None, 1.0], "not-a-number"),
        ("Share", [float("inf"), 0.5, None, 1.0], "not-a-number"),
        ("Age", [1.0, None, None, None], "wrong-type"),
        ("Age", [True, None, None, None], "wrong-type"),
        ("KYC", [1, None, None, None], "wrong-type"),
        ("Country", [1, None, None, None], "wrong-type"),
        ("Age", [2**64 - 1, None, None, None], "wrong-type"),
        ("User ID", [1.5, None, None, None], "wrong-type"),
    ],
)
def test_a_typed_column_is_not_coerced(tmp_path, column, values, code):
    dtype = pl.UInt64 if values[0] == 2**64 - 1 else None
    typed().with_columns(pl.Series(column, values, dtype=dtype)).write_parquet(tmp_path / "p.parquet")
    found = refused(tmp_path / "p.parquet")
    assert (code, 2) in {(c, line) for c, line, *_ in found}


def test_whole_numbers_stand_for_ids_and_floats(tmp_path):
    frame = typed().with_columns(pl.Series("User ID", [7, 8, 9, 10]), pl.Series("Share", [0, 1, None, 1]))
    frame.write_parquet(tmp_path / "p.parquet")
    asserted = read(tmp_path / "p.parquet").asserted
    assert asserted["subject.id"].to_list() == ["7", "8", "9", "10"]
    assert asserted["subject.listed_ownership"].to_list() == [0.0, 1.0, None, 1.0]


@pytest.mark.parametrize("name", ["p.parquet", "p.arrow", "p.xlsx", "p.ipc", "p.feather"])
@pytest.mark.parametrize("kept", [0, 7, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path, name, kept):
    sources(tmp_path)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    found = refused(tmp_path / name)
    assert {code for code, *_ in found} == {"unreadable"}


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([".csv", ".parquet", ".arrow", ".xlsx", ".ipc"]))
def test_no_bytes_end_in_anything_but_a_population_error(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("bytes") / f"p{suffix}"
    path.write_bytes(data)
    assert refused(path)


@cache
def sound_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return {p.suffix: p.read_bytes() for p in sources(Path(folder)).values() if isinstance(p, Path)}


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([".csv", ".xlsx", ".parquet", ".arrow", ".ipc"]), st.data())
def test_a_damaged_file_reads_or_is_refused_and_nothing_else(tmp_path_factory, suffix, data):
    damaged = bytearray(sound_files()[suffix])
    places = st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255))
    for place, byte in data.draw(st.lists(places, min_size=1, max_size=4)):
        damaged[place] = byte
    path = tmp_path_factory.mktemp("damaged") / f"p{suffix}"
    path.write_bytes(bytes(damaged))
    with contextlib.suppress(PopulationError):
        assert len(read(path)) > 0


def test_ragged_rows_are_capped_and_counted(tmp_path):
    found = refused(write_csv(tmp_path / "p.csv", [["u"]] * 1_000))
    assert len(found) == 51
    assert "950 more findings" in found[-1][3]


def test_a_ragged_csv_names_the_row_and_the_missing_column(tmp_path):
    path = write_csv(tmp_path / "p.csv", [ROWS[0], ROWS[1][:5], ROWS[2], [*ROWS[3], "more"]])
    found = refused(path)
    assert [(code, line) for code, line, *_ in found] == [("ragged-row", 3), ("ragged-row", 5)]
    assert "column `KYC` is missing" in found[0][3]


def test_a_quoted_line_break_counts_as_one_row(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(",".join(HEADER) + '\n"u\n1",US,US,1,0,yes,person\nu2,XX,US,1,0,yes,person\n\n', "utf-8")
    [(code, line, *_)] = refused(path)
    assert (code, line) == ("unknown-country", 3)


@pytest.mark.parametrize(
    "text", ["", "\n", ",".join(HEADER) + "\n", "a,a\n1,2\n", "a,\n1,2\n", 'a,b\n"1,2\n', "a,b\n\x00,2\n"]
)
def test_a_csv_that_is_no_table_is_refused(tmp_path, text):
    (tmp_path / "p.csv").write_text(text, "utf-8")
    assert refused(tmp_path / "p.csv")


def test_a_csv_in_another_encoding_is_refused_with_its_line(tmp_path):
    (tmp_path / "p.csv").write_bytes((",".join(HEADER) + "\nu1,Côte d'Ivoire,,,,,person\n").encode("latin-1"))
    [(code, line, *_)] = refused(tmp_path / "p.csv")
    assert (code, line) == ("unreadable", 2)


def test_an_error_cell_of_a_spreadsheet_is_refused(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    sheet.append(["u1", "US", "US", 1, "#DIV/0!", True, "person"])
    sheet["E2"].data_type = "e"
    book.save(tmp_path / "p.xlsx")
    [(code, line, column, _)] = refused(tmp_path / "p.xlsx")
    assert (code, line, column) == ("cell-error", 2, 5)


def test_the_sheet_is_chosen_by_name(tmp_path):
    path = write_xlsx(tmp_path / "p.xlsx", [list(r) for r in ROWS])
    assert len(read_population(path, mapping(), schema(), catalogue(), sheet="People")) == 4
    with pytest.raises(PopulationError, match="did you mean `People`"):
        read_population(path, mapping(), schema(), catalogue(), sheet="Peopel")


def test_a_row_below_a_gap_keeps_its_number(tmp_path):
    rows = [list(r) for r in ROWS]
    rows[1][1] = "Atlantis"
    [(_, line, *_)] = refused(write_xlsx(tmp_path / "p.xlsx", rows, above=3))
    assert line == 6


@pytest.mark.parametrize(
    "url", ["sqlite:///{}/none.db#users", "sqlite:///{}/p.db#usres", "nosuch://x#y", "sqlite:///{}/p.db"]
)
def test_a_database_that_cannot_be_read_is_refused(tmp_path, url):
    write_sqlite(tmp_path / "p.db")
    [(code, *_)] = refused(url.format(tmp_path))
    assert code == "unreadable"
    assert not (tmp_path / "none.db").exists()


def test_a_mixed_column_of_a_database_is_refused_with_its_row(tmp_path):
    url = write_sqlite(tmp_path / "p.db")
    with sqlite3.connect(tmp_path / "p.db") as db:
        db.execute("update users set Age = 'old' where \"User ID\" = 'u3'")
    db.close()
    [(code, line, column, _)] = refused(url)
    assert (code, line, column) == ("wrong-type", 4, 4)


def test_a_missing_column_is_named_with_the_nearest(tmp_path):
    path = write_csv(tmp_path / "p.csv", header=["User", "Nationalty", *HEADER[2:]])
    found = refused(path)
    assert {code for code, *_ in found} == {"missing-column"}
    assert any("did you mean `Nationalty`?" in message for *_, message in found)


def test_findings_are_capped_and_counted(tmp_path):
    rows = [[f"u{i}", "Atlantis", "", "x", "", "", "person"] for i in range(3_000)]
    found = refused(write_csv(tmp_path / "p.csv", rows))
    assert len(found) == 51
    assert found[-1][0] == "more"
    assert "5,950 more findings" in found[-1][3]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("mapping: abac/2\n", "starts with"),
        (MAPPING.replace("subject.kind", "subject.knid"), "did you mean `subject.kind`?"),
        (MAPPING.replace("subject.id:", "subject.organisation:"), "lacks `subject.id`"),
        (MAPPING.replace("assurance: verified", "assurance: verfied"), "did you mean `verified`?"),
        (MAPPING.replace("constant: customer", "constant: costumer"), "is not a value of"),
        (
            MAPPING.replace("constant: customer", "constant: customer, column: X"),
            "either a `column` or a `constant`",
        ),
        (MAPPING.replace("{column: Age}", "{column: Age, complete: true}"), "is for sets"),
        (MAPPING.replace("{column: Country}", "{column: Country, values: {Norway: NO}}"), "quote the word"),
        (MAPPING.replace("{column: Country}", "{colunm: Country, column: C}"), "did you mean `column`?"),
        (MAPPING + "error: 1.5\n", "not a share"),
        (MAPPING + "prior: 0.5\n", "`prior` is"),
        (MAPPING + "error: .nan\n", "not a finite number"),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(text, part):
    with pytest.raises(PopulationError) as caught:
        mapping(text)
    assert part in str(caught.value)
    assert all(d.span.file == "mapping.yaml" and d.span.line >= 1 for d in caught.value.diagnostics)


def test_a_use_of_no_model_is_refused(tmp_path):
    found = refused(write_csv(tmp_path / "p.csv"), MAPPING + 'use: {"fabel-5|invoke": Age}\n')
    assert "did you mean `fable-5|invoke`?" in found[0][3]


def test_words_of_the_file_and_words_for_nothing(tmp_path):
    rows = [["u1", "Korea;n/a?", "-", "1", "", "2", "P"], ["u2", "n/a", "US", "1", "", "", "P"]]
    text = (
        MAPPING.replace("split:", 'absent: [n/a], values: {Korea: KR, "n/a?": JP}, split:')
        .replace("{column: Country}", "{column: Country, absent: ['-']}")
        .replace("{column: KYC}", "{column: KYC, values: {'2': true}}")
        .replace("{column: Type,", "{column: Type, values: {P: person},")
    )
    asserted = read(write_csv(tmp_path / "p.csv", rows), text).asserted
    assert asserted["subject.citizenships_current"].to_list() == [["JP", "KR"], None]
    assert asserted["subject.location"].to_list() == [None, "US"]
    assert asserted["subject.identity_verified"].to_list() == [True, None]
    assert asserted["subject.kind"].to_list() == ["person", "person"]


def test_inspect_proposes_a_mapping_that_reads_the_file(tmp_path):
    for kind, source in sources(tmp_path).items():
        if kind == "semicolons":
            continue
        found = inspect(source, schema())
        by_path = {p.path: p for p in found.proposals}
        assert by_path["subject.id"].column == "User ID"
        assert by_path["subject.citizenships_current"].column == "Nationality"
        assert by_path["subject.location"].column == "Country"
        assert by_path["subject.account_age_days"].column is None  # whose age is not said
        assert by_path["subject.identity_verified"].column == "KYC"
        assert by_path["subject.kind"].column == "Type"
        assert by_path["subject.organisation"].column is None
        assert by_path["subject.location"].filled == 0.75
        assert mapping(found.mapping_yaml()).columns["subject.id"].column == "User ID"


def test_inspect_counts_what_cannot_be_mapped(tmp_path):
    rows = [
        [f"u{i}", ["US;FR", "Atlantis", "Mu", "", "KR"][i % 5], "US", "1", "", "", "person"] for i in range(100)
    ]
    found = {p.path: p for p in inspect(write_csv(tmp_path / "p.csv", rows), schema()).proposals}
    nationality = found["subject.citizenships_current"]
    assert nationality.split == ";"
    assert nationality.filled == 0.8
    assert nationality.unmappable == 0.5
    assert set(nationality.examples) == {"Atlantis", "Mu"}


def test_inspect_refuses_what_it_cannot_read(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    with pytest.raises(PopulationError):
        inspect(tmp_path / "p.parquet", schema())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.lists(st.sampled_from(["US", "FR", "CN", "XK"]), max_size=4)),
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_typed_values_come_through_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("typed") / "p.parquet"
    names = ["User ID", "Nationality", "Age", "Share"]
    dtypes = {"User ID": pl.String, "Nationality": pl.List(pl.String), "Age": pl.Int64, "Share": pl.Float64}
    pl.DataFrame([(f"u{i}", *row) for i, row in enumerate(rows)], schema=dtypes, orient="row").write_parquet(path)
    lines = [line for line in MAPPING.splitlines() if "column:" not in line or any(n in line for n in names)]
    asserted = read(path, "\n".join(lines)).asserted
    sets = asserted["subject.citizenships_current"].to_list()
    assert sets == [None if r[0] is None else sorted(set(r[0])) for r in rows]
    assert asserted["subject.account_age_days"].to_list() == [r[1] for r in rows]
    assert asserted["subject.listed_ownership"].to_list() == [r[2] for r in rows]


@pytest.mark.parametrize(
    ("line", "level"), [("", Assurance.DECLARED), ("held_true: verified\n", Assurance.VERIFIED)]
)
def test_the_mapping_states_from_which_assurance_values_are_held_true(tmp_path, line, level):
    read_in = read(write_csv(tmp_path / "p.csv", ROWS), MAPPING + line)
    assert read_in.held_true is level
    assert next(a.value for a in read_in.premises if a.name == "held true from") == str(level)
