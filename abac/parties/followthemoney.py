"""Read FollowTheMoney entities: JSON Lines of `{"id", "schema", "properties": {name: [values]}}`.

The format is that of OpenAleph and OpenSanctions (followthemoney.tech). Every line is one entity; anything else
on a line is a fault with its line, and the lines after it are read. Schemata that are parties become `Party`s;
the properties used are told by `NAMES`, `IDENTIFIERS`, `COUNTRIES` and what `party_of` reads. Ownership is
`abac.ownership`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from abac.errors import Diagnostic, Span
from abac.parties.party import ORGANISATION, PERSON, Parties, Party

ORGANISATIONS = ("Company", "Organization", "PublicBody", "LegalEntity")
NAMES = ("name", "alias", "previousName", "weakAlias", "abbreviation")
IDENTIFIERS = {
    "registrationNumber": "registration number",
    "ogrnCode": "registration number",
    "taxNumber": "tax number",
    "innCode": "tax number",
    "vatCode": "VAT number",
    "leiCode": "LEI",
    "idNumber": "id number",
    "passportNumber": "passport number",
    "imoNumber": "IMO number",
}
COUNTRIES = ("jurisdiction", "country", "mainCountry", "nationality", "citizenship")
LISTED_TOPICS = ("sanction", "sanction.counter", "export.control", "debarment", "sanction.linked")
"""Topics that say of an entity that it is on a list; `sanction.linked` says only that it is near one."""


class _Entity(msgspec.Struct):
    id: str
    schema: str
    properties: dict[str, list[str]] = {}
    datasets: list[str] = []


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a file: its id, schema and properties, and where it stands."""

    id: str
    schema: str
    properties: dict[str, list[str]]
    datasets: list[str]
    place: Span

    def first(self, name: str) -> str:
        """Return the first value of a property, empty where it has none."""
        values = self.properties.get(name)
        return values[0].strip() if values else ""


def entities(path: Path, faults: list[Diagnostic], digest: list[str] | None = None) -> Iterator[Entity]:
    """Yield the entities of a file in its order; every line that is none is added to `faults`.

    Appends the SHA-256 (hex) of the file to `digest` at the end. Raises `OSError` where the file cannot be read.
    """
    decoder, whole = msgspec.json.Decoder(_Entity), hashlib.sha256()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            whole.update(line)
            if not line.strip():
                continue
            place = Span(str(path), number)
            try:
                found = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                faults.append(Diagnostic(place, "entity", f"not a FollowTheMoney entity: {error}"))
                continue
            if not found.id.strip():
                faults.append(Diagnostic(place, "entity", "an entity without an id"))
                continue
            yield Entity(found.id, found.schema, found.properties, found.datasets, place)
    if digest is not None:
        digest.append(whole.hexdigest())


def party_of(entity: Entity) -> Party | None:
    """Return an entity as a party, or None where its schema is not one of a party."""
    if entity.schema != "Person" and entity.schema not in ORGANISATIONS:
        return None
    held = entity.properties
    topics = held.get("topics", [])
    listed = any(topic in LISTED_TOPICS[:-1] for topic in topics)
    return Party(
        entity.id,
        _distinct(value for name in NAMES for value in held.get(name, [])),
        PERSON if entity.schema == "Person" else ORGANISATION,
        tuple((kind, v.strip()) for name, kind in IDENTIFIERS.items() for v in held.get(name, []) if v.strip()),
        _distinct(value.upper() for name in COUNTRIES for value in held.get(name, [])),
        _distinct(held.get("birthDate", [])),
        tuple(entity.datasets) if listed else (),
        _distinct(held.get("program", [])),
        place=entity.place,
    )


def _distinct(values: Iterator[str] | list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v.strip() for v in values if v.strip()))


def read_entities(path: Path) -> Parties:
    """Return the parties of a file; entities of other schemata are counted."""
    found, digest = Parties(str(path)), list[str]()
    for entity in entities(path, found.faults, digest):
        party = party_of(entity)
        if party is None:
            found.left_out(entity.schema)
        else:
            found.add(party)
    found.records = len(found.parties) + sum(found.other.values()) + len(found.faults)
    found.digest = digest[0]
    return found
