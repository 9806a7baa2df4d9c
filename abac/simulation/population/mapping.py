"""The mapping document: which column of a brought file is which attribute, and how far it is to be believed.

```yaml
mapping: abac/1
columns:
  subject.id: {column: User ID, assurance: verified}
  subject.kind: {constant: person, assurance: documented}
  subject.citizenships_current:
    column: Nationality
    split: ";"                 # one cell holds several; without it a cell is one element
    values: {Korea: KR}        # the file's words, where they are not the schema's
    empty: [stateless]         # words for the empty set (sets only)
    absent: [n/a]              # words for nothing; an empty cell is nothing already
    assurance: declared        # inferred where left out: a value that says nothing of itself
    complete: false            # whether a cell names the whole set (sets only); false where left out
    offset: "+00:00"           # of date-times written without one
    as_of: 2026-06-01T00:00:00Z  # when the column was last confirmed; kept and shown
use: {fable-5|invoke: Requests per day}  # left out: one request per day for `invoke` of every model, else none
sessions: {fable-5: Open sessions}       # left out: none
prior: {name: census, share: 0.93}       # left out: no point estimates
held_true: declared                      # values of at least this assurance are taken for the truth; printed
error: 0.0                               # share of wrong values among those; printed
```

Reading the file itself is `brought`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping as Given
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import DATETIME, FLOAT, Kind, ScalarType, SetType, TypeClash, Value, admit
from abac.errors import Findings, Span, did_you_mean
from abac.language import yaml_source
from abac.simulation.digests import digest_of
from abac.simulation.population import ID, Prior

TOP_KEYS = ("mapping", "columns", "use", "sessions", "prior", "held_true", "error")
COLUMN_KEYS = (
    "column",
    "constant",
    "split",
    "values",
    "empty",
    "absent",
    "assurance",
    "complete",
    "offset",
    "as_of",
)


@dataclass(frozen=True)
class ColumnMapping:
    """How one attribute is read: from a `column` of the file, or as one `constant` for every row.

    `values` maps the file's words to values of the element's type. `span` is its place in the mapping document.
    """

    path: str
    column: str | None = None
    constant: Value | None = None
    split: str = ""
    values: Given[str, Any] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    assurance: Assurance = Assurance.INFERRED
    complete: bool = False
    offset: str = ""
    as_of: datetime | None = None
    span: Span = field(default_factory=Span)


@dataclass(frozen=True)
class Mapping:
    """A mapping document: columns by attribute path, use and sessions by their key, and what bounds rest on.

    Values of at least the assurance `held_true` are taken for the truth, up to the share `error`.
    """

    columns: Given[str, ColumnMapping]
    use: Given[str, str] = field(default_factory=dict)
    sessions: Given[str, str] = field(default_factory=dict)
    prior: Prior | None = None
    held_true: Assurance = Assurance.DECLARED
    error: float = 0.0
    digest: str = ""
    file: str = "<mapping>"


def read_mapping(text: str, file: str, schema: Schema, findings: Findings) -> Mapping | None:
    """Return the mapping that `text` declares, or None with every finding noted."""
    document = yaml_source.read(text, file, findings)
    return _Reader(document, schema, findings).mapping() if document else None


class _Reader:
    def __init__(self, document: yaml_source.Document, schema: Schema, findings: Findings) -> None:
        self._document, self._schema, self._findings = document, schema, findings

    def mapping(self) -> Mapping | None:
        before = len(self._findings.errors)
        top = self._document.value
        if not isinstance(top, dict) or top.get("mapping") != "abac/1":
            self._error((), "a mapping starts with `mapping: abac/1`")
            return None
        self._keys(top, TOP_KEYS, ())
        columns = self._columns(top.get("columns"))
        use, sessions = self._names(top, "use"), self._names(top, "sessions")
        prior, error = self._prior(top.get("prior")), self._share(top.get("error", 0.0), ("error",))
        held_true = self._assurance(top, (), "held_true", "declared")
        if len(self._findings.errors) > before:
            return None
        return Mapping(columns, use, sessions, prior, held_true, error, digest_of(top), self._document.file)

    def _columns(self, given: Any) -> dict[str, ColumnMapping]:
        if not isinstance(given, dict) or not given:
            self._error(("columns",), "`columns` maps attributes to columns of the file")
            return {}
        if ID not in given:
            self._error(("columns",), f"`columns` lacks `{ID}`")
        known = [d.path for d in self._schema if d.category is Category.SUBJECT]
        found: dict[str, ColumnMapping] = {}
        for path, body in given.items():
            definition = self._schema.get(path) if path in known else None
            if definition is None:
                hint = did_you_mean(str(path), known)
                self._error(("columns", path), f"`{path}` is not a subject attribute of the schema", hint)
            else:
                found[path] = self._column(definition, body)
        return found

    def _column(self, definition: AttributeDefinition, body: Any) -> ColumnMapping:
        path: tuple[Any, ...] = ("columns", definition.path)
        if not isinstance(body, dict) or ("column" in body) == ("constant" in body):
            self._error(path, f"`{definition.path}` needs either a `column` or a `constant`")
            return ColumnMapping(definition.path)
        self._keys(body, COLUMN_KEYS, path)
        if not definition.is_set:
            for key in ("split", "empty", "complete"):
                if key in body:
                    self._error((*path, key), f"`{key}` is for sets; {definition.path} is no set")
        return ColumnMapping(
            definition.path,
            self._text(body, "column", path) or None,
            self._constant(definition, body, path),
            self._text(body, "split", path),
            self._values(definition, body.get("values") or {}, (*path, "values")),
            self._words(body.get("empty"), (*path, "empty")),
            self._words(body.get("absent"), (*path, "absent")),
            self._assurance(body, path),
            self._flag(body, "complete", path),
            self._text(body, "offset", path),
            self._instant(body, path),
            self._document.span(*path),
        )

    def _constant(self, definition: AttributeDefinition, body: dict[str, Any], path: tuple[Any, ...]) -> Any:
        if "constant" not in body:
            return None
        return self._admitted(body["constant"], definition.type, (*path, "constant"))

    def _values(self, definition: AttributeDefinition, given: Any, path: tuple[Any, ...]) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._error(path, "`values` maps the file's words to the schema's values")
            return {}
        kind = definition.type.element if isinstance(definition.type, SetType) else definition.type
        return {spelt(word): self._admitted(value, kind, (*path, word)) for word, value in given.items()}

    def _admitted(self, value: Any, kind: Any, path: tuple[Any, ...]) -> Any:
        try:
            return admit(value, kind)
        except TypeClash as clash:
            enum = isinstance(kind, ScalarType) and kind.kind is Kind.ENUM and isinstance(value, bool)
            hint = "YAML reads NO, ON and OFF as truth values; quote the word" if enum else ""
            self._error(path, str(clash), hint)
            return None

    def _words(self, given: Any, path: tuple[Any, ...]) -> frozenset[str]:
        if given is None:
            return frozenset()
        if not isinstance(given, list):
            self._error(path, f"`{path[-1]}` is a list of words")
            return frozenset()
        return frozenset(spelt(word) for word in given)

    def _names(self, top: dict[str, Any], key: str) -> dict[str, str]:
        given = top.get(key) or {}
        if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
            self._error((key,), f"`{key}` maps models to names of columns")
            return {}
        return {str(name): column for name, column in given.items()}

    def _prior(self, given: Any) -> Prior | None:
        match given:
            case None:
                return None
            case {"name": str() as name, "share": share} if len(given) == 2:  # noqa: PLR2004  # these two
                return Prior(name, self._share(share, ("prior", "share")))
        self._error(("prior",), "`prior` is a `name` and a `share` from 0 to 1")
        return None

    def _share(self, given: Any, path: tuple[Any, ...]) -> float:
        value = self._admitted(given, FLOAT, path)
        if isinstance(value, float) and not 0 <= value <= 1:
            self._error(path, f"{given} is not a share from 0 to 1")
        return value if isinstance(value, float) else 0.0

    def _assurance(
        self, body: dict[str, Any], path: tuple[Any, ...], key: str = "assurance", default: str = "inferred"
    ) -> Assurance:
        word = body.get(key, default)
        level = next((a for a in Assurance if str(a) == word), None)
        if level is None:
            hint = did_you_mean(str(word), map(str, Assurance))
            self._error((*path, key), f"`{word}` is not an assurance", hint)
        return level or Assurance.INFERRED

    def _instant(self, body: dict[str, Any], path: tuple[Any, ...]) -> datetime | None:
        if "as_of" not in body:
            return None
        value = self._admitted(body["as_of"], DATETIME, (*path, "as_of"))
        return value if isinstance(value, datetime) else None

    def _text(self, body: dict[str, Any], key: str, path: tuple[Any, ...]) -> str:
        value = body.get(key, "")
        if not isinstance(value, str) or (key in body and not value):
            self._error((*path, key), f"`{key}` is a piece of text")
            return ""
        return value

    def _flag(self, body: dict[str, Any], key: str, path: tuple[Any, ...]) -> bool:
        if not isinstance(body.get(key, False), bool):
            self._error((*path, key), f"`{key}` is true or false")
        return body.get(key) is True

    def _keys(self, body: dict[Any, Any], known: tuple[str, ...], path: tuple[Any, ...]) -> None:
        for key in body:
            if key not in known:
                self._error((*path, key), f"unknown key `{key}`", did_you_mean(str(key), known))

    def _error(self, path: tuple[Any, ...], message: str, hint: str = "") -> None:
        self._findings.error(self._document.span(*path), "mapping", message, hint)


def spelt(word: Any) -> str:
    """Return a YAML scalar as a cell of a file spells it: truth values in lower case, the rest as written."""
    return str(word).lower() if isinstance(word, bool) else str(word)
