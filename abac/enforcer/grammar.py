"""What one matcher of a Casbin model says, and where the fields of a row stand.

A context is one of each of the model's definitions (`r`, `p`, `m`, or `r2`, `p2`, `m2`). pycasbin keeps the
matcher with `r.sub` already turned into `r_sub`; here it is turned back and parsed, never spliced. Rows are parsed
apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from casbin.persist.adapter import _extract_tokens
from casbin.persist.adapters import StringAdapter

from abac.condition.expr import Condition
from abac.errors import Findings, Span
from abac.language.casbin import dotted, unpaired
from abac.language.names import Names, RequestShape
from abac.language.parser import parse
from abac.language.yaml_source import Text
from abac.policy.persons import references

_EVAL = re.compile(r"\beval\s*\(")


class Context(NamedTuple):
    """Which definitions of the model a request is decided by; pycasbin takes no notice of the effect's."""

    request: str = "r"
    policy: str = "p"
    matcher: str = "m"


def evaluates(matcher: str) -> bool:
    """Whether a matcher evaluates rule text; such a one is never handed to stock pycasbin unparsed."""
    return _EVAL.search(matcher) is not None


@dataclass(frozen=True, slots=True)
class Grammar:
    """The names and the parsed matcher of one context."""

    shape: RequestShape
    spelled: frozenset[str]
    fields: tuple[str, ...]
    matcher: Condition
    rules: tuple[str, ...]
    """The row fields that hold rule text."""

    @property
    def names(self) -> Names:
        """What a text under this grammar may refer to."""
        return Names(fields=frozenset(self.fields), shape=self.shape)

    def rule(self, text: Text, findings: Findings) -> Condition | None:
        """Return the one condition that a row's rule text is, or None with the finding noted."""
        plain = Text(dotted(text.value, self.spelled), text.span, text.pieces)
        parsed = parse(plain, self.names, findings)
        nested = None if parsed is None else next(references(parsed, "rule"), None)
        if nested is not None:
            findings.error(nested.span, "refused", "`eval` has no meaning inside a row; only in the matcher")
            return None
        return parsed


def read_grammar(
    matcher: str, request: Sequence[str], policy: Sequence[str], context: Context, findings: Findings
) -> Grammar | None:
    """Return the grammar of a context from the matcher's text and the tokens (`r_sub`) of its definitions."""
    names = tuple(token.removeprefix(f"{context.request}_") for token in request)
    fields = tuple(token.removeprefix(f"{context.policy}_") for token in policy)
    span = Span(f"<{context.matcher}>")
    for kind, spelled in (("request", names), ("policy", fields)):
        if len(set(spelled)) < len(spelled) or not all(name.isidentifier() for name in spelled):
            findings.error(span, "model", f"{kind} definition: names must be distinct words: {', '.join(spelled)}")
            return None
    shape = RequestShape(context.request, context.policy, names)
    written = frozenset((*request, *policy))
    text = Text(dotted(matcher, written), span)
    condition = parse(text, Names(fields=frozenset(fields), shape=shape), findings)
    if condition is None:
        return None
    rules = tuple(dict.fromkeys(definition.name for definition in references(condition, "rule")))
    unknown = next((name for name in rules if name not in fields), None)
    if unknown is not None:
        findings.error(span, "unknown-field", f"policy rows have no field `{unknown}`")
        return None
    return Grammar(shape, written, fields, condition, rules)


# --- where a row stands ----------------------------------------------------------------------------------


def row_texts(row: Sequence[str], fields: Sequence[str], ptype: str, number: int) -> dict[str, Text]:
    """Return the fields of a row with their places, as if the policy were a text of one row a line."""
    texts: dict[str, Text] = {}
    column = len(ptype) + 3
    for name, value in zip(fields, row, strict=True):
        texts[name] = Text(value, Span(f"<policy {ptype}>", number, column, max(1, len(value))))
        column += len(value) + 2
    return texts


def row_in_file(row: Sequence[str], fields: Sequence[str], ptype: str, adapter: Any) -> dict[str, Text] | None:
    """Return the fields of a row with their places in the adapter's file, if it reads one and the row is there."""
    for span, line in _lines(adapter):
        if _cut(line.strip()) == [ptype, *row]:
            return _placed(line, row, fields, span)
    return None


def place_of_unpaired(row: str, adapter: Any) -> Span:
    """Return the place in a row of the bracket that closes nothing; with its line, if the adapter reads a text."""
    at = unpaired(row)
    for span, line in _lines(adapter):
        if line.strip() == row:
            return replace(span, column=line.find(row) + at + 1)
    return Span("<policy row>", 1, at + 1)


def _lines(adapter: Any) -> Iterator[tuple[Span, str]]:
    """Yield the lines of the text that pycasbin's own file and string adapters read."""
    path = getattr(adapter, "_file_path", None)
    if isinstance(path, str) and Path(path).is_file():
        for number, line in enumerate(Path(path).read_bytes().split(b"\n"), 1):
            yield Span(path, number), line.decode(errors="replace")
    elif isinstance(adapter, StringAdapter):
        for number, text in enumerate(adapter.line.split("\n"), 1):
            yield Span("<policy text>", number), text


def _cut(line: str) -> Any:
    try:
        return _extract_tokens(line)
    except IndexError:  # brackets that do not pair up
        return None


def _placed(line: str, row: Iterable[str], fields: Iterable[str], span: Span) -> dict[str, Text]:
    texts: dict[str, Text] = {}
    at = line.find(",") + 1
    for name, value in zip(fields, row, strict=True):
        at = line.find(value, at)
        texts[name] = Text(value, Span(span.file, span.line, at + 1, max(1, len(value))))
        at += len(value)
    return texts
