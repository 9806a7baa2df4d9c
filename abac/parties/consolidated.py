"""Read the Consolidated Screening List's JSON: the document of trade.gov with its entries under `results`.

The format is that of the International Trade Administration's download (developer.trade.gov, Consolidated
Screening List): one entry per party and source list, with `name`, `alt_names`, `source`, `programs`,
`addresses`, `ids`, `citizenships`, `nationalities`, `dates_of_birth`, `start_date`, `end_date`,
`license_requirement`, `license_policy`. The API answers in pages: a document whose `total` is more than its
results is not the whole list, which is a fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abac.errors import Span
from abac.language import json_source
from abac.language.json_source import JsonError
from abac.parties.party import ORGANISATION, OTHER, PERSON, Parties, Party

KINDS = {"individual": PERSON, "entity": ORGANISATION}
LISTS = {
    "Denied Persons List": "DPL",
    "Entity List": "EL",
    "Military End User": "MEU",
    "Unverified List": "UVL",
    "Specially Designated Nationals": "SDN",
    "Sectoral Sanctions": "SSI",
    "Foreign Sanctions Evaders": "FSE",
    "Nonproliferation Sanctions": "ISN",
    "ITAR Debarred": "DTC",
    "AECA Debarred": "DTC",
    "Capta List": "CAP",
    "Non-SDN Menu-Based": "MBS",
    "Non-SDN Chinese Military-Industrial": "CMIC",
    "Palestinian Legislative Council": "PLC",
}
"""The document's words for its lists, by how they start, and their short names."""


def read_consolidated(path: Path) -> Parties:
    """Return the parties of a document; an entry with a fault is listed by its number, and the others are read.

    Raises `OSError` where the file cannot be read. A document that is none gives no parties and one fault.
    """
    data = path.read_bytes()
    found = Parties(str(path), hashlib.sha256(data).hexdigest())
    try:
        document = json_source.read(data)
    except JsonError as error:
        found.fault(Span(str(path), 0), "json", str(error))
        return found
    results = document.get("results") if isinstance(document, dict) else document
    if not isinstance(results, list):
        found.fault(Span(str(path), 0), "consolidated", "a screening list has its entries under `results`")
        return found
    found.records = len(results)
    if isinstance(document, dict) and isinstance(document.get("total"), int) and document["total"] > len(results):
        message = f"a page of {len(results):,} of {document['total']:,} entries, not the whole list"
        found.fault(Span(str(path), 0), "page", message, "fetch every page, or the whole list's file")
    lines = _lines(data, len(results))
    for number, entry in enumerate(results):
        place = Span(str(path), lines[number] if lines else 0)
        try:
            found.add(_party(entry, place))
        except _EntryError as error:
            found.fault(place, "entry", f"results[{number}]{error}")
    return found


class _EntryError(Exception):
    """What is wrong with an entry, after its number: `.name: ...`."""


def _lines(data: bytes, entries: int) -> list[int]:
    """Return the line of each entry's `"id"` where the document is laid out one member a line, else nothing."""
    found = [n for n, line in enumerate(data.splitlines(), 1) if line.lstrip().startswith(b'"id"')]
    return found if len(found) == entries else []


def _party(entry: Any, place: Span) -> Party:
    if not isinstance(entry, dict):
        raise _EntryError(": not an object")
    name, source = _text(entry, "name"), _text(entry, "source")
    if not name:
        raise _EntryError(".name: an entry without a name")
    if not source:
        raise _EntryError(".source: an entry that does not say which list it is of")
    ids = _objects(entry, "ids")
    addresses = _objects(entry, "addresses")
    countries = [*_texts(entry, "citizenships"), *_texts(entry, "nationalities"), _text(entry, "country")]
    countries += [_text(one, "country", f".addresses[{i}]") for i, one in enumerate(addresses)]
    countries += [_text(one, "country", f".ids[{i}]") for i, one in enumerate(ids)]
    numbers = [(_text(one, "type", f".ids[{i}]"), _text(one, "number", f".ids[{i}]")) for i, one in enumerate(ids)]
    short = next((short for start, short in LISTS.items() if source.startswith(start)), source)
    return Party(
        _text(entry, "id") or f"{short}-{_text(entry, 'entity_number') or name}",
        tuple(dict.fromkeys([name, *_texts(entry, "alt_names")])),
        KINDS.get(_text(entry, "type").lower(), OTHER),
        tuple((kind.lower() or "id number", number) for kind, number in numbers if number),
        tuple(dict.fromkeys(c.upper() for c in countries if c)),
        tuple(_texts(entry, "dates_of_birth")),
        (short,),
        tuple(_texts(entry, "programs")),
        _text(entry, "license_requirement"),
        _text(entry, "license_policy"),
        _text(entry, "start_date"),
        _text(entry, "end_date"),
        place,
    )


def _text(entry: dict[str, Any], key: str, where: str = "") -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _EntryError(f"{where}.{key}: not a text: {str(value)[:80]}")
    return str(value).strip()


def _texts(entry: dict[str, Any], key: str) -> list[str]:
    """Return a list of texts; some files write such lists as one text with semicolons."""
    value = entry.get(key)
    if value is None:
        return []
    parts: Iterable[Any] = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(one, str) for one in parts):
        raise _EntryError(f".{key}: not a list of texts: {str(value)[:80]}")
    return [one.strip() for one in parts if one.strip()]


def _objects(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = entry.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _EntryError(f".{key}: not a list of objects: {str(value)[:80]}")
    return value
