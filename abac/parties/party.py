"""One party: what a list or a register says of a person or an organisation, and the digest of just that.

A digest changes whenever anything that the record says changes, so that what was decided about a record lapses
with it. Where the record stands in a file is no part of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from abac.errors import Diagnostic, Span

PERSON, ORGANISATION, OTHER = "person", "organisation", "other"
"""Kinds of party; OTHER is a vessel, an aircraft, or nothing that the record says."""


@dataclass(frozen=True)
class Party:
    """A party as one record gives it; `names` has the main name first, all other names after it.

    `identifiers` are pairs of a kind (such as `tax number`) and a value as written; `countries` ISO 3166-1
    alpha-2; `born` and `since`, `until` are dates as written, perhaps only a year. `lists` are the sources that
    list it.
    """

    id: str
    names: tuple[str, ...]
    kind: str = OTHER
    identifiers: tuple[tuple[str, str], ...] = ()
    countries: tuple[str, ...] = ()
    born: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    requirement: str = ""
    policy: str = ""
    since: str = ""
    until: str = ""
    place: Span = field(default=Span(), compare=False)

    @property
    def name(self) -> str:
        """The main name; the id where there is none."""
        return self.names[0] if self.names else self.id

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of all that the record says."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return what the record says, without its place."""
        return {
            "id": self.id,
            "names": list(self.names),
            "kind": self.kind,
            "identifiers": [list(pair) for pair in self.identifiers],
            "countries": list(self.countries),
            "born": list(self.born),
            "lists": list(self.lists),
            "programs": list(self.programs),
            "requirement": self.requirement,
            "policy": self.policy,
            "since": self.since,
            "until": self.until,
        }


@dataclass
class Parties:
    """What was read of a file: its parties by id, in the file's order, and what is wrong with the rest.

    `records` counts all records; `other` counts by name the records that are about something else.
    """

    file: str
    digest: str = ""
    parties: dict[str, Party] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)
    records: int = 0
    other: dict[str, int] = field(default_factory=dict)

    def add(self, party: Party) -> None:
        """Take a party in; a second record of one id is a fault, and the first one stands."""
        if party.id in self.parties:
            first = self.parties[party.id].place
            self.fault(party.place, "twice", f"`{party.id}` stands twice; the first is at {first}")
        else:
            self.parties[party.id] = party

    def fault(self, place: Span, code: str, message: str, hint: str = "") -> None:
        """Note what is wrong with a record, which is not used."""
        self.faults.append(Diagnostic(place, code, message, "error", hint))

    def left_out(self, kind: str) -> None:
        """Count a record that is about something else."""
        self.other[kind] = self.other.get(kind, 0) + 1

    @property
    def tally(self) -> str:
        """Say how many records there were and what became of them."""
        other = "".join(f", {n:,} of schema {kind}" for kind, n in sorted(self.other.items()))
        used = f"{self.records:,} records, {len(self.parties):,} parties{other}"
        return f"{self.file}: {used}, {len(self.faults):,} faults"
