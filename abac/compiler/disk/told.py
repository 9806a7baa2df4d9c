"""What a program tells people and does not decide by: files and lines, descriptions, titles, evidence, warnings.

Kept beside the canonical form, so that a program read back cites the same places. A change here changes the file's
digest and not the revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from abac.compiler.canonical import Deciding
from abac.compiler.canonical.nodes import Json
from abac.compiler.disk.source import At
from abac.condition.schema import Schema
from abac.errors import Diagnostic, Span
from abac.policy.decision import Citation
from abac.policy.directive import Directive
from abac.policy.persons import PersonTest
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies


def told_form(parts: Deciding, warnings: Sequence[Diagnostic]) -> dict[str, Json]:
    """Return all that people are told as one JSON object; rules are told of in the order of the tree."""
    places = [(r.citation.file, r.citation.line) for r in _rules(parts.root)]
    files = sorted({file for file, _ in places})
    number = {file: i for i, file in enumerate(files)}
    return {
        "attributes": [[d.path, d.description, d.collectable] for d in parts.schema],
        "files": list(files),
        "places": [[number[file], line] for file, line in places],
        "directives": [[d.id, [[key, value] for key, value in d.about]] for d in parts.directives],
        "persons": {key: [t.title, t.source, _span(t.span)] for key, t in parts.persons.items()},
        "warnings": [[_span(w.span), w.code, w.message, w.severity, w.hint] for w in warnings],
    }


def _rules(root: Policy | PolicySet) -> Iterator[Rule | ObligationRule]:
    for policy in policies(root):
        yield from policy.rules
        yield from policy.obligation_rules


def _span(span: Span) -> Json:
    return [span.file, span.line, span.column, span.length]


@dataclass(frozen=True, slots=True)
class Told:
    """The parts of a program with what people are told put back, and its warnings."""

    parts: Deciding
    warnings: tuple[Diagnostic, ...]


def put_back(parts: Deciding, at: At) -> Told:
    """Return the parts with everything told put back in its place. Raises `Refused` where the two do not fit."""
    said = at.fields("attributes", "files", "places", "directives", "persons", "warnings")
    files = [f.text() for f in said["files"]]
    places = iter(said["places"])
    root = _placed(parts.root, places, files)
    if next(places, None) is not None:
        said["places"].refuse("more places than rules")
    return Told(
        replace(
            parts,
            schema=_described(parts.schema, said["attributes"]),
            root=root,
            directives=_about(parts.directives, said["directives"]),
            persons=_titled(parts.persons, said["persons"]),
        ),
        tuple(_warning(w) for w in said["warnings"]),
    )


def _placed(node: Policy | PolicySet, places: Iterator[At], files: Sequence[str]) -> Policy | PolicySet:
    if isinstance(node, PolicySet):
        return replace(node, children=tuple([_placed(c, places, files) for c in node.children]))
    rules = tuple([replace(r, citation=_placed_citation(r.citation, places, files)) for r in node.rules])
    riders = [replace(r, citation=_placed_citation(r.citation, places, files)) for r in node.obligation_rules]
    return replace(node, rules=rules, obligation_rules=tuple(riders))


def _placed_citation(citation: Citation, places: Iterator[At], files: Sequence[str]) -> Citation:
    at = next(places, At([], "told.places"))
    file, line = at.items(2)
    if not 0 <= file.whole() < len(files):
        file.refuse(f"no file {file.value}")
    return replace(citation, file=files[file.value], line=line.whole())


def _described(schema: Schema, at: At) -> Schema:
    told = {path.text(): (text.text(), kept.flag()) for path, text, kept in (one.items(3) for one in at)}
    if sorted(told) != sorted(schema.attributes) or len(told) < len(at.value):
        at.refuse("tells of other attributes than the schema's")
    return Schema.of(
        replace(schema[path], description=text, collectable=kept) for path, (text, kept) in told.items()
    )


def _about(directives: Sequence[Directive], at: At) -> tuple[Directive, ...]:
    by_id = {d.id: d for d in directives}
    found: dict[str, Directive] = {}
    for pair in at:
        name, about = pair.items(2)
        if name.text() not in by_id or name.value in found:
            name.refuse("no such directive, or told of twice")
        pairs = tuple((key.text(), value.value) for key, value in (p.items(2) for p in about))
        found[name.value] = replace(by_id[name.value], about=pairs)
    if len(found) < len(by_id):
        at.refuse("does not tell of every directive")
    return tuple(found.values())


def _titled(persons: Mapping[str, PersonTest], at: At) -> dict[str, PersonTest]:
    told = at.members()
    if set(told) != set(persons):
        at.refuse("tells of other person tests than there are")
    found: dict[str, PersonTest] = {}
    for key, test in persons.items():
        title, source, span = told[key].items(3)
        found[key] = replace(test, title=title.text(), source=source.text(), span=_read_span(span))
    return found


def _read_span(at: At) -> Span:
    file, line, column, length = at.items(4)
    return Span(file.text(), line.whole(), column.whole(), length.whole())


def _warning(at: At) -> Diagnostic:
    span, *words = at.items(5)
    return Diagnostic(_read_span(span), *(w.text() for w in words))
