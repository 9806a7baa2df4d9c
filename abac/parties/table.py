"""Read parties from a CSV: one row a party, its columns found by what people call them.

UTF-8, with comma, semicolon or tab; the first row names the columns. A row that is too short or too long, or has
neither a name nor an id, is a fault with its line; the others are read. Several names, countries or identifiers in
one cell are separated by semicolons. Columns that are no evidence are kept for whoever writes the rows out again.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abac.errors import Diagnostic, Span
from abac.parties.party import ORGANISATION, OTHER, PERSON, Parties, Party

COLUMNS = {
    "id": ("id", "customer id", "user id", "account", "organisation id", "organization id", "number"),
    "name": ("name", "company", "organisation", "organization", "customer", "legal name", "full name"),
    "aliases": ("aliases", "alias", "other names", "aka", "trading as", "alt names"),
    "kind": ("kind", "type", "schema"),
    "tax number": ("tax number", "tax id", "vat", "vat number", "tin", "inn"),
    "registration number": ("registration number", "registration", "company number", "registry id", "ogrn"),
    "LEI": ("lei", "lei code"),
    "passport number": ("passport number", "passport"),
    "country": ("country", "countries", "jurisdiction", "nationality"),
    "born": ("born", "birth date", "date of birth", "birthdate", "dob"),
    "list": ("list", "lists", "source"),
    "program": ("program", "programs"),
}
"""What a column is, by the words that people head it with, in lower case and without underscores."""
IDENTIFIERS = ("tax number", "registration number", "LEI", "passport number")
KINDS = {"person": PERSON, "individual": PERSON, "company": ORGANISATION, "organisation": ORGANISATION}
KINDS |= {"organization": ORGANISATION, "entity": ORGANISATION, "legalentity": ORGANISATION}
CELL = 1_000_000
"""The longest cell, in characters."""


@dataclass
class Table:
    """The rows of a CSV: its header, every sound row with its line, and what is wrong with the others."""

    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)
    digest: str = ""

    def column(self, *words: str) -> int | None:
        """Return the place of the first column that is headed by one of the words."""
        spelt = [head.strip().lower().replace("_", " ") for head in self.header]
        return next((spelt.index(word) for word in words if word in spelt), None)


def read_rows(path: Path) -> Table:
    """Return the rows of a CSV. Raises `OSError` where it cannot be read."""
    found = Table()
    found.rows = list(stream(path, found))
    return found


def stream(path: Path, found: Table) -> Iterator[tuple[int, list[str]]]:
    """Yield the sound rows of a CSV with their lines; header, faults and digest go into `found` on the way.

    The header is there before the first row is. Raises `OSError` where the file cannot be read.
    """
    data = path.read_bytes()
    found.digest = hashlib.sha256(data).hexdigest()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Span(str(path), data.count(b"\n", 0, error.start) + 1)
        found.faults.append(Diagnostic(place, "encoding", "not UTF-8; save the file as `CSV UTF-8`"))
        return
    del data
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    limit = csv.field_size_limit(CELL)
    try:
        found.header = next(reader, [])
        width, before = len(found.header), reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if len(row) == width:
                yield line, row
            elif row:
                words = f"{len(row)} fields, the header has {width}"
                found.faults.append(Diagnostic(Span(str(path), line), "ragged-row", words))
    except csv.Error as error:
        words = f"not a sound CSV from here on: {error}"
        found.faults.append(Diagnostic(Span(str(path), reader.line_num), "csv", words))
    finally:
        csv.field_size_limit(limit)


def read_table(path: Path) -> Parties:
    """Return the parties of a CSV; one without an id has its line as id. Raises `OSError`."""
    table = read_rows(path)
    found = Parties(str(path), table.digest, faults=table.faults)
    places = {what: table.column(*words) for what, words in COLUMNS.items()}
    found.records = len(table.rows) + len(table.faults)
    if table.header and places["name"] is None and places["id"] is None:
        words = f"no column is a name or an id among: {', '.join(table.header)[:200]}"
        found.fault(Span(str(path), 1), "header", words, "head one of them `name`")
        return found
    for line, row in table.rows:
        cells = {what: row[at].strip() if at is not None else "" for what, at in places.items()}
        if cells["name"] or cells["id"]:
            found.add(_party(cells, Span(str(path), line)))
        else:
            found.fault(Span(str(path), line), "row", "a row with neither a name nor an id")
    return found


def _party(cells: dict[str, str], place: Span) -> Party:
    names = [cells["name"], *cells["aliases"].split(";")]
    return Party(
        cells["id"] or f"row {place.line}",
        tuple(dict.fromkeys(n.strip() for n in names if n.strip())),
        KINDS.get(cells["kind"].lower(), OTHER),
        tuple((kind, v.strip()) for kind in IDENTIFIERS for v in cells[kind].split(";") if v.strip()),
        tuple(c.strip().upper() for c in cells["country"].split(";") if c.strip()),
        tuple(b.strip() for b in cells["born"].split(";") if b.strip()),
        tuple(one.strip() for one in cells["list"].split(";") if one.strip()),
        tuple(one.strip() for one in cells["program"].split(";") if one.strip()),
        place=place,
    )
