from __future__ import annotations

import openpyxl
import polars as pl
import pytest

from abac.simulation.report.people import write_people
from abac.simulation.report.validate import ReportError


def cells(path, sheet):
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path)[sheet].iter_rows()]


def test_parquet_holds_every_row_and_says_what_it_is(people, tmp_path):
    parquet, _ = write_people(people, tmp_path, False, synthetic=True, rows_per_sheet=2)
    assert pl.read_parquet(parquet).equals(people)
    assert pl.read_parquet_metadata(parquet)["abac.synthetic"] == "true"


def test_cells_are_data_never_formulas(people, tmp_path):
    _, workbook = write_people(people, tmp_path, False)
    sheet = openpyxl.load_workbook(workbook)["d1-foreign-nationals"]
    found = {cell.value: cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None}
    for text in ("=cmd|' /C calc'!A0", "=1+1", "{=SUM(A1)}", "@x", "+1", "https://example.org"):
        assert found[text].data_type == "s"
        assert found[text].hyperlink is None


def test_the_first_sheet_says_what_each_sheet_leaves_out(people, tmp_path):
    _, workbook = write_people(people, tmp_path, False, synthetic=True, rows_per_sheet=2)
    about = cells(workbook, "About")
    assert about[0][0] == "SYNTHETIC"
    assert ["d1-foreign-nationals", "d1-foreign-nationals", 5, 3] in about
    assert any("people.parquet" in str(row[0]) for row in about)
    assert len(cells(workbook, "t2-end-users")) == 2 + 2


def test_every_sheet_of_generated_data_is_marked(people, tmp_path):
    _, workbook = write_people(people, tmp_path, False, synthetic=True)
    for sheet in openpyxl.load_workbook(workbook):
        assert "SYNTHETIC" in sheet["A1"].value
    _, workbook = write_people(people, tmp_path, False)
    for sheet in openpyxl.load_workbook(workbook):
        assert "SYNTHETIC" not in str([cell.value for row in sheet.iter_rows() for cell in row])


def test_the_same_rows_give_the_same_bytes(people, tmp_path):
    first = [path.read_bytes() for path in write_people(people, tmp_path, False)]
    again = [path.read_bytes() for path in write_people(people, tmp_path, False)]
    assert first == again


def test_nationality_goes_only_with_identify(people, tmp_path):
    more = people.with_columns(citizenships_current=pl.lit("FR"))
    with pytest.raises(ReportError, match="citizenships_current"):
        write_people(more, tmp_path, False)
    assert list(tmp_path.iterdir()) == []
    _, workbook = write_people(more, tmp_path, True)
    assert "FR" in cells(workbook, "t2-end-users")[1]


def test_nobody_affected_is_a_file_too(people, tmp_path):
    parquet, workbook = write_people(people.clear(), tmp_path, False)
    assert pl.read_parquet(parquet).height == 0
    assert openpyxl.load_workbook(workbook).sheetnames == ["About"]


def test_names_that_excel_refuses_are_changed_and_kept_apart(people, tmp_path):
    long = "d1-" + "x" * 40
    odd = people.with_columns(directive=pl.Series([f"{long}/1"] * 5 + [f"{long}/2"] * 5))
    _, workbook = write_people(odd, tmp_path, False)
    names = openpyxl.load_workbook(workbook).sheetnames
    assert len(set(names)) == 3
    assert all(len(name) <= 31 for name in names)


def test_a_column_that_is_missing_is_named(people, tmp_path):
    with pytest.raises(ReportError, match="reason"):
        write_people(people.drop("reason"), tmp_path, False)
