"""YAML with places: parse a document once and know the line and column of every value in it.

Wraps PyYAML's composer with the safe constructor. Refuses duplicate keys, aliases (they allow small texts
that expand without bound) and documents nested deeper than any of ours is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from abac.errors import Findings, Span

MAX_DEPTH = 40
MAX_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """A string scalar and where its first character stands.

    `pieces` says where the rest does: (offset in the value, line, column), in order, the first at offset 0. A text
    without them runs on from `span`, each later line of it from column 1.
    """

    value: str
    span: Span
    pieces: tuple[tuple[int, int, int], ...] = ()


class Document:
    """One YAML document: plain values by `value`, and `span(path)` for the place of each."""

    def __init__(self, file: str, value: Any, text: str, nodes: dict[tuple[Any, ...], yaml.Node]) -> None:
        self.file = file
        self.value = value
        self._text, self._nodes = text, nodes
        self._starts = [0, *(m.end() for m in _BREAK.finditer(text))]

    def span(self, *path: Any) -> Span:
        """Return the place of the value at `path` (keys and indices), or of the nearest parent that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self._nodes:
                return Span(self.file, *self._place(_content(self._nodes[path[:end]], self._text)))
        return Span(self.file)

    def text(self, *path: Any) -> Text:
        """Return the string at `path` with the place where its characters start."""
        value = self.value
        for key in path:
            value = value[key]
        node = self._nodes[path]
        pieces = tuple(self._pieces(str(value), node)) if isinstance(node, yaml.ScalarNode) else ()
        return Text(str(value), self.span(*path), pieces)

    def _pieces(self, value: str, node: yaml.ScalarNode) -> Iterator[tuple[int, int, int]]:
        """Yield where `value` starts and wherever it does not run on, as `Text.pieces`."""
        expected = -1
        for offset, at in enumerate(trace(value, self._text, _content(node, self._text), node.style)):
            if at != expected or self._text[at - 1] in _BREAKS:
                yield offset, *self._place(at)
            expected = at + 1

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1


_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t" + _BREAKS
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


def _content(node: yaml.Node, text: str) -> int:
    """Return the index at which a node's own characters start: after its tag, its quote or its block header."""
    at: int = node.start_mark.index
    style = getattr(node, "style", None)
    if not isinstance(node, yaml.ScalarNode):
        return at
    match = _PROPERTIES.match(text, at)
    at = match.end() if match else at
    if style in ("'", '"'):
        return at + 1
    if style in ("|", ">"):
        header = _BREAK.search(text, at)
        at = header.end() if header else len(text)
        while at < len(text) and text[at] in _BLANKS:
            at += 1
    return at


def trace(value: str, text: str, at: int, style: str | None) -> Iterator[int]:
    """Yield, for every character of a scalar's value, the index in `text` at which it is written.

    Folding and indentation only ever shorten a run of blanks, so that blanks are passed over freely and all else
    is found in order. `style` is YAML's (`"`, `'`, `|`, `>` or None).
    """
    end = len(text)
    for character in value:
        at = _continued(text, at, style)
        if character not in _BLANKS:
            while at < end and text[at] in _BLANKS:
                at = _continued(text, at + 1, style)
        yield min(at, end)
        if at < end and text[at] == "\\" and style == '"':
            at += _ESCAPE_LENGTH.get(text[at + 1 : at + 2], 2)
        elif at < end and (character not in _BLANKS or text[at] in _BLANKS):
            at += 2 if style == "'" and character == "'" else 1


def _continued(text: str, at: int, style: str | None) -> int:
    """Pass over a backslash that ends its line, and the blanks after it."""
    while style == '"' and text[at : at + 1] == "\\" and text[at + 1 : at + 2] in tuple(_BREAKS):
        at += 2
        while at < len(text) and text[at] in _BLANKS:
            at += 1
    return at


def read(text: str, file: str, findings: Findings) -> Document | None:
    """Parse one document; note a finding and return None where it is not sound YAML."""
    if len(text) > MAX_CHARACTERS:
        findings.error(Span(file), "too-long", f"document of {len(text):,} characters; at most {MAX_CHARACTERS:,}")
        return None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        findings.error(Span(file), "nested-too-deep", f"nested more than {MAX_DEPTH} levels deep")
        return None
    except (yaml.YAMLError, ValueError, ArithmeticError) as error:  # the latter two of an escape beyond Unicode
        findings.error(_fault(error, text, file), "yaml", f"not valid YAML: {_problem(error)}")
        return None
    if node is None:
        findings.error(Span(file), "yaml", "the document is empty")
        return None
    before = len(findings.errors)
    builder = _Builder(file, findings)
    value = builder.build(node, (), 0)
    return Document(file, value, text, builder.nodes) if len(findings.errors) == before else None


def _fault(error: Exception, text: str, file: str) -> Span:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return Span(file, mark.line + 1, mark.column + 1)
    position = getattr(error, "position", None)  # of a character that YAML does not allow
    if not isinstance(position, int):
        return Span(file)
    breaks = [0, *(m.end() for m in _BREAK.finditer(text, 0, position))]
    return Span(file, len(breaks), position - breaks[-1] + 1)


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"character #x{error.character:04x} is not allowed"
    return str(getattr(error, "problem", None) or error)


class _Builder:
    """Turns composed nodes into values, keeping the node of each."""

    def __init__(self, file: str, findings: Findings) -> None:
        self._file, self._findings = file, findings
        self._scalars = yaml.SafeLoader("")
        self._seen: set[int] = set()
        self.nodes: dict[tuple[Any, ...], yaml.Node] = {}

    def build(self, node: yaml.Node, path: tuple[Any, ...], depth: int) -> Any:
        self.nodes[path] = node
        if depth > MAX_DEPTH:
            self._error(node, "nested-too-deep", f"nested more than {MAX_DEPTH} levels deep")
            return None
        if id(node) in self._seen:
            self._error(node, "yaml-alias", "aliases are not used here; write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: tuple[Any, ...], depth: int) -> dict[Any, Any]:
        built: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._error(key_node, "yaml", "a key must be plain text")
                continue
            key = self._scalar(key_node)
            if not isinstance(key, str):
                self._error(key_node, "yaml", f"a key must be text; put `{key_node.value[:40]}` in quotes")
                continue
            if key in built:
                self._error(key_node, "duplicate-key", f"`{key}` stands twice in this mapping")
                continue
            built[key] = self.build(value_node, (*path, key), depth + 1)
        return built

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value  # date-times stay text, so that their offset is checked at our door
        try:
            value = self._scalars.construct_object(node)
            str(value).encode()  # an escape can name half a surrogate pair
        except UnicodeEncodeError:
            self._error(node, "yaml", "string with a lone surrogate")
            return None
        except (yaml.YAMLError, ValueError, LookupError, ArithmeticError):
            self._error(node, "yaml", f"a value of tag `{node.tag}` is not used here")
            return None
        return value

    def _error(self, node: yaml.Node, code: str, message: str) -> None:
        self._findings.error(Span(self._file, node.start_mark.line + 1, node.start_mark.column + 1), code, message)
