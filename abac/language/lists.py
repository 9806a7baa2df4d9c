"""Named lists: Annex A, end users, country groups.

A YAML document holds one list; a CSV of country groups (`alpha2,name,group,from,until,source,firmness`) holds one
per group, each row dated and sourced. Membership is taken as of one day, the day the policies are compiled for.
"""

from __future__ import annotations

import csv
import io
from datetime import date

from abac.condition.types import Scalar
from abac.errors import Findings, Span, did_you_mean
from abac.language import document, yaml_source
from abac.language.countries import country_type

Lists = dict[str, frozenset[Scalar]]
GROUP_COLUMNS = ("alpha2", "name", "group", "from", "until", "source", "firmness")


def is_country_groups(text: str) -> bool:
    """Whether a CSV text is a table of country groups rather than policy rows."""
    return text.lstrip("\ufeff").startswith("alpha2,")


def read_list(source: yaml_source.Document, findings: Findings) -> Lists:
    """Return the list a YAML document holds, by its name."""
    if not document.validate(source, "list", findings):
        return {}
    return {source.value["list"]: frozenset(source.value["values"])}


def read_country_groups(text: str, file: str, as_of: date, findings: Findings) -> Lists:
    """Return the countries of each group on the day `as_of`; `until` is the first day no longer in it."""
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    try:
        return _groups(rows, file, as_of, findings)
    except csv.Error as error:  # a field without end, or beyond the reader's limit
        findings.error(Span(file, rows.line_num + 1), "csv", f"not a table: {error}")
        return {}


def _groups(rows: csv.DictReader[str], file: str, as_of: date, findings: Findings) -> Lists:
    missing = [c for c in GROUP_COLUMNS if c not in (rows.fieldnames or ())]
    if missing:
        findings.error(Span(file), "missing-column", f"no column {', '.join(f'`{c}`' for c in missing)}")
        return {}
    groups: dict[str, set[Scalar]] = {}
    for row in rows:
        span = Span(file, rows.line_num)
        if None in row or None in row.values():
            findings.error(span, "ragged-row", f"expected {len(GROUP_COLUMNS)} fields")
            continue
        if row["alpha2"] not in country_type().values:
            hint = did_you_mean(row["alpha2"], country_type().values)
            findings.error(span, "unknown-country", f"column `alpha2`: `{row['alpha2']}` is no country code", hint)
            continue
        members = groups.setdefault(row["group"], set())
        if _holds(row["from"], row["until"], as_of, span, findings):
            members.add(row["alpha2"])
    return {group: frozenset(members) for group, members in groups.items()}


def _holds(start: str, end: str, day: date, span: Span, findings: Findings) -> bool:
    try:
        first = date.fromisoformat(start) if start else date.min
    except ValueError:
        findings.error(span, "date", f"column `from`: `{start}` is not a date")
        return False
    try:
        return first <= day and (not end or day < date.fromisoformat(end))
    except ValueError:
        findings.error(span, "date", f"column `until`: `{end}` is not a date")
        return False
