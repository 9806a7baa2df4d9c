"""Read directive and person-test documents into `policy.directive` and `policy.persons`.

Validates against the published JSON Schemas, parses and type-checks every condition in place, and links the
person tests and terms. Finds all errors of a document at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from abac.condition.check import check
from abac.condition.expr import And, Attribute, Condition, Definition, Literal, Member, SetConstant
from abac.condition.rewrite import never_true, simplify
from abac.condition.schema import Assurance, Category, Schema
from abac.condition.truth import TRUE, UNKNOWN
from abac.condition.types import DATETIME, TypeClash, admit
from abac.errors import Findings, did_you_mean
from abac.language import document
from abac.language.condition import Context, linked, read_condition
from abac.language.names import Names
from abac.language.parser import parse
from abac.language.yaml_source import Document
from abac.policy.decision import Obligation
from abac.policy.directive import (
    Clause,
    ClauseKind,
    Directive,
    Event,
    Exemption,
    Interval,
    StatusEvent,
    denied_scope,
)
from abac.policy.persons import PersonTest

ALWAYS = Literal(TRUE)
TOLD = ("title", "firmness", "counterfactual", "authority", "times", "letter", "terms", "evidence", "safeguards")


def read_person_test(source: Document, context: Context, findings: Findings) -> PersonTest | None:
    """Return the person test of a document, not yet linked to the tests it refers to."""
    if not document.validate(source, "person", findings):
        return None
    value = source.value
    condition = parse(source.text("condition"), Names(context.lists), findings)
    typed = check(condition, context.vocabulary, findings) if condition is not None else None
    if typed is None:
        return None
    span = source.span("person")
    return PersonTest(value["person"], value["version"], simplify(typed), value["title"], value["source"], span)


def read_directive(source: Document, context: Context, findings: Findings) -> Directive | None:
    """Return the directive of a document, linked; None if anything in it is wrong, after all was looked at."""
    before = len(findings.errors)
    if not document.validate(source, "directive", findings):
        return None
    directive = _Reader(source, context, findings).directive()
    if len(findings.errors) > before:
        return None
    _warn(directive, source, findings)
    return directive


class _Reader:
    def __init__(self, source: Document, context: Context, findings: Findings) -> None:
        self._source, self._findings = source, findings
        self._value: dict[str, Any] = source.value
        self._vocabulary = context.vocabulary.demanding(self._requires(context.vocabulary.schema))
        self._context = replace(context, vocabulary=self._vocabulary)
        self._terms = self._read_terms()

    def directive(self) -> Directive:
        value = self._value
        flight = value.get("in_flight", "cut")
        for path in (("in_flight", "until"), *(("times", key) for key in value.get("times", ()))):
            self._instant(path)
        return Directive(
            id=value["directive"],
            kind=value["kind"],
            binding=value["binding"],
            clauses=tuple(self._clause(i, c) for i, c in enumerate(self._unique("clauses"))),
            exemptions=tuple(self._exemption(i, e) for i, e in enumerate(self._unique("exemptions"))),
            events=tuple(self._event(i, e) for i, e in enumerate(value["status"])),
            person_test=value.get("person_test", ""),
            requires=tuple(sorted(self._vocabulary.least.items())),
            in_flight=flight if isinstance(flight, str) else f"until {flight['until']}",
            about=tuple((key, value[key]) for key in TOLD if key in value),
        )

    # --- parts -----------------------------------------------------------------------------------------

    def _requires(self, schema: Schema) -> dict[str, Assurance]:
        least: dict[str, Assurance] = {}
        for path, word in self._value.get("requires", {}).items():
            if path not in schema:
                hint = did_you_mean(path, schema.attributes)
                self._error(("requires", path), "unknown-attribute", f"no attribute `{path}` in the schema", hint)
            least[path] = next(a for a in Assurance if str(a) == word)
        return least

    def _read_terms(self) -> dict[tuple[str, str], Condition]:
        meaning: dict[tuple[str, str], Condition] = {}
        for name, term in self._value.get("terms", {}).items():
            pending = term["definition"] == "pending"
            path = ("terms", name, "definition")
            meaning["term", name] = Literal(UNKNOWN, of=name) if pending else self._condition(path, terms=False)
        return meaning

    def _clause(self, index: int, clause: dict[str, Any]) -> Clause:
        at = ("clauses", index)
        kind = ClauseKind(clause["kind"])
        subject = self._condition((*at, "subject")) if "subject" in clause else ALWAYS
        obligations = tuple(
            Obligation(o["id"], o.get("parameters", {}), advice=kind is ClauseKind.ADVISE)
            for o in clause.get("obligations", ())
        )
        for i, obligation in enumerate(obligations):
            if not _is_plain(obligation.parameters):
                message = "parameters hold what JSON cannot say"
                self._error((*at, "obligations", i, "parameters"), "document", message)
        if kind is not ClauseKind.DENY and not obligations:
            self._error(at, "no-obligation", f"clause `{clause['id']}` of kind `{kind.value}` names no obligation")
        return Clause(
            clause["id"],
            kind,
            simplify(And((self._person(), subject))),
            self._condition((*at, "resource")) if "resource" in clause else ALWAYS,
            self._actions((*at, "actions"), clause.get("actions")),
            obligations,
        )

    def _person(self) -> Condition:
        """The directive's person test, with the directive's own demands on its attributes."""
        name = self._value.get("person_test")
        if name is None:
            return ALWAYS
        reference = Definition("person", name, span=self._source.span("person_test"))
        return linked(reference, self._context, self._findings, {}) or ALWAYS

    def _actions(self, path: tuple[Any, ...], actions: list[str] | None) -> Condition:
        if actions is None:
            return ALWAYS
        named = SetConstant(frozenset(actions), span=self._source.span(*path))
        test = Member(Attribute(Category.ACTION, "name", span=named.span), named, span=named.span)
        return check(test, self._vocabulary, self._findings) or ALWAYS

    def _exemption(self, index: int, exemption: dict[str, Any]) -> Exemption:
        at = ("exemptions", index)
        known = [c["id"] for c in self._value["clauses"]]
        for i, clause in enumerate(exemption.get("clauses", ())):
            if clause not in known:
                self._error(
                    (*at, "clauses", i), "unknown-clause", f"no clause `{clause}`", did_you_mean(clause, known)
                )
        return Exemption(
            exemption["id"],
            self._condition((*at, "condition")),
            Interval(self._instant((*at, "from")), self._instant((*at, "expires"))),
            tuple(exemption.get("clauses", ())),
        )

    def _event(self, index: int, event: dict[str, Any]) -> StatusEvent:
        at = self._instant(("status", index, "at"))
        recorded = self._instant(("status", index, "recorded"))
        if at is None or recorded is None:  # the finding is noted
            return StatusEvent(Event.PUBLISHED, datetime.max, datetime.max)  # noqa: DTZ901  # never compared
        return StatusEvent(Event(event["event"]), at, recorded)

    # --- pieces ----------------------------------------------------------------------------------------

    def _unique(self, key: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._value.get(key, [])
        seen: set[str] = set()
        for i, item in enumerate(items):
            if item["id"] in seen:
                self._error((key, i, "id"), "duplicate-id", f"`{item['id']}` stands twice in `{key}`")
            seen.add(item["id"])
        return items

    def _condition(self, path: tuple[Any, ...], *, terms: bool = True) -> Condition:
        """Read the condition text at `path`."""
        meaning = self._terms if terms else {}
        return read_condition(self._source.text(*path), self._context, self._findings, meaning) or ALWAYS

    def _instant(self, path: tuple[Any, ...]) -> datetime | None:
        value: Any = self._value
        for key in path:
            value = value.get(key) if isinstance(value, dict) else value[key] if isinstance(value, list) else None
        if value is None:
            return None
        try:
            return admit(value, DATETIME)  # type: ignore[return-value]  # a date-time type admits date-times
        except TypeClash as clash:
            self._error(path, "date-time", str(clash))
            return None

    def _error(self, path: tuple[Any, ...], code: str, message: str, hint: str = "") -> None:
        self._findings.error(self._source.span(*path), code, message, hint)


def _is_plain(parameters: Mapping[str, Any]) -> bool:
    """Whether parameters can be told in JSON, as the revision and every answer over the wire tell them."""
    try:
        json.dumps(parameters, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _warn(directive: Directive, source: Document, findings: Findings) -> None:
    """Warn of what is legitimate but seldom meant: terms pending, everyone exempted, never in force."""
    for name, term in (directive.told("terms") or {}).items():
        if term["definition"] == "pending":
            message = f"term `{name}` has no definition yet; it is UNKNOWN for every request"
            findings.warn(source.span("terms", name), "pending-term", message)
    denies = any(c.kind is ClauseKind.DENY for c in directive.clauses)
    if denies and never_true(denied_scope(directive)):
        message = f"directive `{directive.id}` exempts everyone it reaches: it denies nobody"
        findings.warn(source.span("directive"), "exempts-everyone", message)
    if not directive.in_force():
        findings.warn(source.span("status"), "never-in-force", f"directive `{directive.id}` is never in force")
