"""Turn policy rows into typed rules, and keep them, so that a change costs what is new in it.

One `RuleBook` serves one context under one matcher. It parses and fills a row when it first meets its fields,
learns from it what types attributes have, and types it; a row met before is taken as it was, unless the types or
the role links that it asked for have changed. Which function map and which links hold is told to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abac.compiler.filling import Filler
from abac.condition.check import check, too_large
from abac.condition.expr import Attribute, Condition, attributes
from abac.condition.functions import Function
from abac.condition.rewrite import simplify
from abac.condition.schema import Schema
from abac.condition.terms import Vocabulary
from abac.condition.types import Scalar
from abac.enforcer.calls import Calls
from abac.enforcer.grammar import Grammar, row_in_file, row_texts
from abac.enforcer.roles import RoleLinks
from abac.errors import Findings, Span
from abac.language.inference import Inference
from abac.language.yaml_source import Text
from abac.policy.decision import Citation, Effect
from abac.policy.persons import references, substitute
from abac.policy.rule import Rule

Key = tuple[str, ...]
Asked = Mapping[tuple[str, ...], frozenset[Scalar]]


@dataclass(slots=True)
class Entry:
    """A row's condition: filled and untyped, then typed, and the role questions that its filling asked.

    `rules` are the rules made of it, one for each time the row stands in the policy; `reads` what is read as it is
    written: stock raises on an attribute that is missing from `missing && False`, which simplifies to nothing.
    """

    filled: Condition
    asked: Asked
    typed: Condition | None = None
    reads: Mapping[str, Attribute] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


class _NoLinks:
    """The links of a tree in which every role question is answered already."""

    def arity(self, definition: str) -> int | None:  # noqa: ARG002  # no definition is left
        return None

    def members(self, definition: str, role: str, domain: tuple[str, ...]) -> frozenset[Scalar]:
        raise AssertionError(definition, role, domain)

    def domains(self, definition: str) -> Sequence[str]:
        raise AssertionError(definition)


@dataclass(slots=True)
class RuleBook:
    """The rules of one context, by the fields of their rows."""

    grammar: Grammar
    ptype: str
    calls: Calls
    entries: dict[Key, Entry] = field(default_factory=dict)
    schema: Schema = field(default_factory=Schema)
    functions: dict[str, Function] = field(default_factory=dict)
    made: int = 0
    inference: Inference = field(init=False)

    def __post_init__(self) -> None:
        self.inference = Inference(self.calls.known)

    def read(self, rows: Sequence[Key], links: RoleLinks, adapter: Any, findings: Findings) -> bool:
        """Hold an entry for every row, typed under one schema; False, with findings, if any row has none."""
        wanted = dict.fromkeys(rows)
        for key in [k for k in self.entries if k not in wanted]:
            del self.entries[key]
        new: list[Key] = []
        for number, key in enumerate(wanted, 1):
            held = self.entries.get(key)
            if held is None or any(_answer(links, q) != said for q, said in held.asked.items()):
                self._fill(key, number, links, adapter, findings)
                new.append(key)
        if findings.errors:
            for key in new:
                self.entries.pop(key, None)
            return False
        self.inference.learn(self.entries[key].filled for key in new)
        return self._type(new, findings)

    def rule(self, key: Key, time: int, number: int, effect: Effect) -> Rule:
        """Return the rule of a row, the same for as long as its entry stands; `time` counts equal rows."""
        entry = self.entries[key]
        assert entry.typed is not None  # noqa: S101  # `read` held every row typed
        while len(entry.rules) <= time:
            self.made += 1
            cited = Citation(file=self.ptype, line=number)
            entry.rules.append(Rule(f"{self.ptype}#{self.made}", effect, entry.typed, (), cited))
        return entry.rules[time]

    def effect(self, key: Key) -> Effect | None:
        """Return what a row says when it applies, or None where that is neither `allow` nor `deny`."""
        if "eft" not in self.grammar.fields:
            return Effect.PERMIT
        return {"allow": Effect.PERMIT, "deny": Effect.DENY}.get(key[self.grammar.fields.index("eft")])

    # --- one row ---------------------------------------------------------------------------------------

    def _fill(self, key: Key, number: int, links: RoleLinks, adapter: Any, findings: Findings) -> None:
        place = Span(f"<policy {self.ptype}>", number)
        fields = self.grammar.fields
        if not all(isinstance(value, str) for value in key):
            findings.error(place, "row", "a field of the row is not text")
            return
        if len(key) != len(fields):
            wanted = ", ".join(fields)
            message = f"row has {len(key)} fields; the model's rows have {len(fields)} ({wanted})"
            findings.error(place, "row", message)
            return
        attempt = Findings()
        entry = self._filled(row_texts(key, fields, self.ptype, number), links, attempt)
        if entry is not None:
            self.entries[key] = entry
            return
        placed = row_in_file(key, fields, self.ptype, adapter)
        if placed is not None:
            attempt = Findings()
            self._filled(placed, links, attempt)
        findings.add(*attempt.errors)

    def _filled(self, texts: Mapping[str, Text], links: RoleLinks, findings: Findings) -> Entry | None:
        meaning: dict[tuple[str, str], Condition] = {}
        for name in self.grammar.rules:
            parsed = self.grammar.rule(texts[name], findings)
            if parsed is None:
                return None
            meaning["rule", name] = parsed
        condition = substitute(self.grammar.matcher, meaning)
        for person in references(condition):
            findings.error(person.span, "unsupported", "person tests have no meaning in an `Enforcer`")
            return None
        if too_large(condition, next(iter(texts.values())).span, findings):
            return None
        asked = _Noting(links)
        filled = Filler(asked, findings, self.calls.marked).fill(condition, texts)
        return None if filled is None else Entry(filled, asked.asked)

    # --- types -----------------------------------------------------------------------------------------

    def _type(self, new: Sequence[Key], findings: Findings) -> bool:
        attempt = Findings()
        schema = self.inference.schema(attempt)
        if attempt.errors:  # perhaps by a row that is gone
            self.inference = Inference(self.calls.known)
            self.inference.learn(entry.filled for entry in self.entries.values())
            schema = self.inference.schema(findings)
            if findings.errors:
                self._forget(new)
                return False
        due = list(new) if schema == self.schema else list(self.entries)
        self.schema = schema
        named = Filler(_NoLinks(), findings, self.calls.typed(self.inference))
        for key in due:
            entry = self.entries[key]
            filled = named.fill(entry.filled, {})
            vocabulary = Vocabulary(schema, self.calls.used)
            typed = None if filled is None else check(filled, vocabulary, findings)
            entry.typed = None if typed is None else simplify(typed)
            entry.reads = {} if typed is None else attributes(typed)
            entry.rules = []
        if findings.errors:
            self._forget(due)
            return False
        self.functions = dict(self.calls.used)
        return True

    def _forget(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self.entries.pop(key, None)


def _answer(links: RoleLinks, question: tuple[str, ...]) -> frozenset[Scalar]:
    definition, *names = question
    if not names:
        return frozenset(links.domains(definition))
    return links.members(definition, names[0], tuple(names[1:]))


@dataclass(slots=True)
class _Noting:
    """Role links that note what was asked: a role, or (by the definition alone) which domains there are."""

    links: RoleLinks
    asked: dict[tuple[str, ...], frozenset[Scalar]] = field(default_factory=dict)

    def arity(self, definition: str) -> int | None:
        return self.links.arity(definition)

    def members(self, definition: str, role: str, domain: tuple[str, ...]) -> frozenset[Scalar]:
        found = self.asked[definition, role, *domain] = self.links.members(definition, role, domain)
        return found

    def domains(self, definition: str) -> Iterable[str]:
        found = frozenset(self.links.domains(definition))
        self.asked[definition,] = frozenset(found)
        return found
