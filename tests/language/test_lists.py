from datetime import date

import pytest

from abac.errors import Findings
from abac.language import yaml_source
from abac.language.lists import is_country_groups, read_country_groups, read_list
from tests.reading import ROOT

HEAD = "alpha2,name,group,from,until,source,firmness\n"


def groups(rows: str, day: date = date(2026, 6, 12), head: str = HEAD):
    findings = Findings()
    return read_country_groups(head + rows, "g.csv", day, findings), findings


def test_membership_is_half_open_from_its_first_day_to_its_last():
    row = "CN,China,D:5,2026-06-01,2026-06-12,s,firm\n"
    for day, members in ((31, set()), (1, {"CN"}), (11, {"CN"}), (12, set())):
        found, _ = groups(row, date(2026, 5 if day == 31 else 6, day))
        assert found == {"D:5": members}


def test_a_group_whose_members_all_left_is_still_a_list():
    assert groups("CN,China,D:5,,2020-01-01,s,firm\n")[0] == {"D:5": frozenset()}


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ("UK,United Kingdom,D:5,,,s,firm", "unknown-country", "column `alpha2`: `UK` is no country code"),
        ("CN,China,D:5,,,s", "ragged-row", "expected 7 fields"),
        ("CN,China,D:5,,,s,firm,more", "ragged-row", "expected 7 fields"),
        ("CN,China,D:5,yesterday,,s,firm", "date", "column `from`: `yesterday` is not a date"),
        ("CN,China,D:5,2026-01-01,tomorrow,s,firm", "date", "column `until`: `tomorrow` is not a date"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_column(row, code, says):
    _, findings = groups(f"FR,France,A:1,,,s,firm\n{row}\n")
    (found,) = findings.errors
    assert (found.code, found.span.line) == (code, 3)
    assert says in found.message


def test_kosovo_is_a_country():
    assert groups("XK,Kosovo,A:1,,,s,firm\n")[0] == {"A:1": {"XK"}}


def test_a_missing_column_and_a_field_without_end_are_refused():
    assert groups("", head="alpha2,name\n")[1].errors[0].code == "missing-column"
    huge = groups(f'CN,"{"x" * 200_000}",D:5,,,s,firm\n')[1].errors
    assert [f.code for f in huge] == ["csv"]
    assert groups("", head='alpha2,"' + "x" * 200_000)[1].errors[0].code == "csv"


def test_a_table_of_groups_is_told_from_policy_rows_with_or_without_a_mark():
    assert is_country_groups(HEAD)
    assert is_country_groups("\ufeff" + HEAD)
    assert not is_country_groups("p, true, true, invoke, allow")


def test_the_shipped_groups_read():
    text = (ROOT / "policies" / "lists" / "country-groups.csv").read_text(encoding="utf-8")
    findings = Findings()
    found = read_country_groups(text, "g.csv", date(2026, 6, 12), findings)
    assert not findings.errors
    assert {"D:5", "E:1", "E:2"} <= set(found)
    assert "CN" in found["D:5"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("- a\n", "- a\n  - a\n"), "document"),
        (("- a\n", "- NO\n"), "document"),  # YAML 1.1 reads it as false
        (("- a\n", "- 1\n"), "document"),
        (("type: string", "type: int"), "document"),
        (("firmness: firm\n", ""), "document"),
    ],
)
def test_a_list_document_that_breaks_its_schema_is_refused(change, code):
    base = "list: l\nversion: 1\nsource: s\nfirmness: firm\ntype: string\nvalues:\n  - a\n"
    findings = Findings()
    document = yaml_source.read(base.replace(*change), "l.yaml", findings)
    assert read_list(document, findings) == {}
    assert [f.code for f in findings.errors] == [code]
    assert read_list(yaml_source.read(base, "l.yaml", Findings()), Findings()) == {"l": frozenset({"a"})}
