"""Read a file of parties, whatever its format: by its ending and its first characters.

| ending | format |
|---|---|
| `.csv`, `.tsv` | a table of parties (`table`) |
| `.yaml`, `.yml` | a named list of the policies: ids only |
| `.json` | the Consolidated Screening List (`consolidated`), or FollowTheMoney where line 1 is an entity |
| `.jsonl`, `.ndjson`, `.ftm` | FollowTheMoney entities (`followthemoney`) |
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from abac.errors import AbacError, Findings, Span
from abac.language import yaml_source
from abac.language.lists import read_list
from abac.parties.consolidated import read_consolidated
from abac.parties.followthemoney import read_entities
from abac.parties.party import Parties, Party
from abac.parties.table import read_table

LINES = (".jsonl", ".ndjson", ".ftm")
TABLES = (".csv", ".tsv")
LISTS = (".yaml", ".yml")


class PartiesError(AbacError):
    """A file of parties that cannot be read at all."""

    code = "parties"


def read_parties(path: Path) -> Parties:
    """Return the parties of a file and the faults of the rest. Raises `PartiesError` where nothing can be read."""
    suffix = path.suffix.lower()
    try:
        if suffix in TABLES:
            return read_table(path)
        if suffix in LISTS:
            return _named(path)
        if is_lines(path):
            return read_entities(path)
        if suffix == ".json":
            return read_consolidated(path)
    except OSError as error:
        raise PartiesError(f"{path}: cannot be read: {error.strerror or error}") from None
    known = ", ".join((*TABLES, *LISTS, ".json", *LINES))
    raise PartiesError(f"{path}: `{suffix}` is not among {known}")


def is_lines(path: Path) -> bool:
    """Whether a file is JSON Lines of entities: by its ending, or because its first line is a whole object."""
    if path.suffix.lower() in LINES:
        return True
    if path.suffix.lower() != ".json":
        return False
    with path.open("rb") as file:
        first = file.readline(4096).strip()
    return first.startswith(b"{") and b'"schema"' in first and b'"properties"' in first


def _named(path: Path) -> Parties:
    """Return the ids of a named list of the policies as parties without names."""
    data = path.read_bytes()
    found, findings = Parties(str(path), hashlib.sha256(data).hexdigest()), Findings()
    try:
        document = yaml_source.read(data.decode("utf-8-sig"), str(path), findings)
    except UnicodeDecodeError:
        found.fault(Span(str(path)), "encoding", "not UTF-8")
        return found
    values = read_list(document, findings) if document else {}
    found.faults += findings.errors
    for name, members in values.items():
        for member in sorted(map(str, members)):
            found.add(Party(member, (), lists=(name,), place=Span(str(path))))
    found.records = len(found.parties)
    return found


def listed_entries(found: Parties) -> list[Party]:
    """Return the parties of a file that stand on a list: all, or where the file says so of some, only these.

    FollowTheMoney files say so by topics, and hold the listed parties' relatives and companies besides.
    """
    named = [p for p in found.parties.values() if p.lists]
    return named or list(found.parties.values())
