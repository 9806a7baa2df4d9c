"""Look at a file that someone brings and propose how its columns map to the schema.

A proposal, never a decision: it goes by the likeness of the header and by how many cells are values of the
attribute, and it claims no more than `inferred` for what it finds. A person reads it, raises what is known
better, and signs.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from abac.condition.schema import AttributeDefinition, Schema
from abac.errors import Findings, PopulationError
from abac.simulation.population import ID, subject_attributes
from abac.simulation.population.columns import Problems, typed_column
from abac.simulation.population.files import open_raw
from abac.simulation.population.mapping import ColumnMapping
from abac.simulation.population.raw import Raw

SAMPLE = 20_000
"""Rows looked at to choose a column; the shares are then counted over all rows."""
EXAMPLES = 5
LIKE = 0.62
"""The least likeness of a header to an attribute's name, 0 to 1."""
SEPARATORS = ";|/,"
SYNONYMS = {
    "id": ("user id", "account id", "customer id", "subject", "uid", "user", "email", "login", "key id"),
    "kind": ("type", "account type", "subject type", "user type"),
    "relation": ("relationship", "role", "status"),
    "citizenships_current": (
        "nationality",
        "nationalities",
        "citizenship",
        "citizenships",
        "citizen of",
        "passport",
    ),
    "citizenships_ever": ("former citizenships", "all citizenships", "citizenships held"),
    "residencies_permanent": ("permanent residency", "permanent residence", "green card", "residency"),
    "latest_citizenship_or_residency": ("latest citizenship", "most recent citizenship"),
    "protected_individual": ("refugee", "asylee", "protected"),
    "location": ("country", "ip country", "geo", "located in", "region"),
    "organisation": ("organization", "employer", "company", "org", "tenant", "customer name"),
    "organisation_country": (
        "organization country",
        "company country",
        "country of incorporation",
        "employer country",
        "org country",
    ),
    "listed": ("on list", "restricted party", "sanctioned", "screening result"),
    "listed_ownership": ("ownership", "blocked ownership", "sdn ownership"),
    "identity_verified": ("kyc", "verified", "id verified", "identity check"),
    "military_intelligence_end_user": ("military end user", "mieu"),
    "account_age_days": ("account age", "age days", "tenure days", "days since signup"),
    "trust_tier": ("trust", "trust level", "tier"),
}
"""Headers as people write them; a schema of other names goes by the names themselves."""


@dataclass(frozen=True)
class Proposal:
    """What was found for one attribute: a column or none, shares from 0 to 1, and up to five odd cells.

    `filled` is the share of rows with anything in the cell; `unmappable` the share of those that is no value of
    the attribute's type; `likeness` how near the header is to the name.
    """

    path: str
    column: str | None
    split: str = ""
    filled: float = 0.0
    unmappable: float = 0.0
    examples: tuple[str, ...] = ()
    likeness: float = 0.0


@dataclass(frozen=True)
class Inspection:
    """One proposal per subject attribute, in the schema's order, and the columns that nothing was found for."""

    file: str
    rows: int
    proposals: tuple[Proposal, ...]
    unused: tuple[str, ...]

    def mapping_yaml(self) -> str:
        """Return the proposed mapping document; `read_mapping` reads it back."""
        columns: dict[str, Any] = {}
        for found in self.proposals:
            if found.column is not None:
                columns[found.path] = {"column": found.column} | ({"split": found.split} if found.split else {})
                columns[found.path]["assurance"] = "inferred"
        document = {"mapping": "abac/1", "columns": columns}
        return PREFACE + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


PREFACE = """\
# Proposed from the headers and the cells. Before it is used: raise `assurance` where more is known than that the
# file says so (inferred < declared < documented < verified), add `complete: true` where a cell names a whole set,
# and give a `constant` to what the file leaves out, such as `subject.kind: {constant: person}`.
"""


def inspect(path: str | Path, schema: Schema, *, sheet: str | None = None) -> Inspection:
    """Propose a mapping for a file or table. Raises `PopulationError` where it cannot be read."""
    findings = Findings()
    raw = open_raw(path, findings, sheet)
    findings.raise_errors(PopulationError)
    if raw is None:
        raise PopulationError(findings.errors)
    attributes = subject_attributes(schema)
    head = raw.frame.head(SAMPLE)
    scored = sorted(
        (
            (-score, i, j, split)
            for i, definition in enumerate(attributes)
            for j, column in enumerate(head.columns)
            for score, split in [_score(definition, head[column])]
            if score >= LIKE
        ),
    )
    chosen: dict[int, tuple[int, str, float]] = {}
    for score, i, j, split in scored:
        if i not in chosen and all(j != other for other, _, _ in chosen.values()):
            chosen[i] = (j, split, -score)
    proposals = tuple(_proposal(raw, d, chosen.get(i)) for i, d in enumerate(attributes))
    used = {p.column for p in proposals}
    unused = tuple(name for name in raw.frame.columns if name not in used)
    return Inspection(raw.file, raw.frame.height, proposals, unused)


def likeness(header: str, name: str) -> float:
    """Return how near a header is to an attribute's name or a synonym of it, 0 to 1.

    >>> likeness("User ID", "id"), likeness("Nationality", "citizenships_current")
    (1.0, 1.0)
    """
    words = _words(header)
    names = [_words(name), *SYNONYMS.get(name, ())]
    return max(difflib.SequenceMatcher(None, words, other).ratio() for other in names)


def _words(text: str) -> str:
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[^0-9A-Za-z]+", " ", text).split()).lower()


def _score(definition: AttributeDefinition, column: pl.Series) -> tuple[float, str]:
    """Return the score of a column for an attribute, and the separator its sets are written with.

    The likeness counts in full where every cell is a value, and not at all where none is.
    """
    like = likeness(column.name, definition.name)
    if like < LIKE:
        return 0.0, ""
    split = _separator(definition, column)
    problems, filled = _problems(definition, column, split)
    fit = 1 - problems / filled if filled else 0.5
    if definition.path == ID and column.n_unique() < len(column):
        fit = 0.0
    return (like * (0.5 + 0.5 * fit) if fit > 0 else 0.0), split


def _separator(definition: AttributeDefinition, column: pl.Series) -> str:
    if not definition.is_set or column.dtype != pl.String:
        return ""
    tried = [s for s in SEPARATORS if column.str.contains(s, literal=True).any()]
    found = [(_problems(definition, column, s)[0], i, s) for i, s in enumerate(["", *tried])]
    return min(found)[2]


def _problems(definition: AttributeDefinition, column: pl.Series, split: str) -> tuple[int, int]:
    problems = Problems()
    typed_column(column, ColumnMapping(definition.path, column.name, split=split), definition.type, problems)
    return problems.count, int(_filled(column).sum())


def _filled(column: pl.Series) -> pl.Series:
    filled = column.is_not_null()
    return (
        filled & (column.str.strip_chars() != "").fill_null(value=False) if column.dtype == pl.String else filled
    )


def _proposal(raw: Raw, definition: AttributeDefinition, chosen: tuple[int, str, float] | None) -> Proposal:
    if chosen is None:
        return Proposal(definition.path, None)
    j, split, like = chosen
    column = raw.frame[raw.frame.columns[j]]
    spec = ColumnMapping(definition.path, column.name, split=split)
    problems = Problems()
    found = typed_column(column, spec, definition.type, problems)
    filled = _filled(column)
    odd = column.filter(filled & found.is_null()).unique(maintain_order=True).head(EXAMPLES)
    count = int(filled.sum())
    return Proposal(
        definition.path,
        column.name,
        split,
        count / len(column),
        problems.count / count if count else 0.0,
        tuple(str(cell) for cell in odd),
        like,
    )
