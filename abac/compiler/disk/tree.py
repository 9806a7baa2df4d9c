"""Read back all that decides: the inverse of `canonical`, with every condition looked over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abac.compiler.canonical import POSTURE, Deciding
from abac.compiler.disk.nodes import DEEPEST, Nodes, attribute_path, enum_type, moment, scalar_set
from abac.compiler.disk.sound import Unsound, demand_sound
from abac.compiler.disk.source import At
from abac.condition.expr import Condition
from abac.condition.functions import Function
from abac.condition.schema import Assurance, AttributeDefinition, Schema
from abac.condition.terms import Vocabulary
from abac.policy.decision import Citation, Effect, Obligation
from abac.policy.directive import Clause, ClauseKind, Directive, Event, Exemption, Interval, StatusEvent
from abac.policy.persons import PersonTest
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule

MAX_NESTING = 50
"""How deep policy sets may nest."""

RULE = ("id", "condition", "obligations", "cites")


def read_form(at: At, offered: Mapping[str, Function], meaning: int) -> Deciding:
    """Return the parts that a canonical form describes, with the functions it names taken from `offered`.

    Raises `Refused`, with the way to it, at the first thing that the form cannot hold.
    """
    whole = at.fields(
        "meaning", "posture", "functions", "schema", "root", "directives", "persons", "lists", "enums"
    )
    if whole["meaning"].whole() != meaning:
        message = f"decides by meaning {whole['meaning'].value}; this abac knows meaning {meaning} only"
        whole["meaning"].refuse(message)
    whole["posture"].named([POSTURE], str)
    nodes = Nodes({name: enum_type(e) for name, e in whole["enums"].members().items()})
    functions = {name: _function(name, f, nodes, offered) for name, f in whole["functions"].members().items()}
    schema = Schema.of(_attribute(path, a, nodes) for path, a in whole["schema"].members().items())
    reader = _Reader(nodes, Vocabulary(schema, functions))
    return Deciding(
        schema,
        reader.policy(whole["root"]),
        functions,
        tuple(reader.directive(name, d) for name, d in whole["directives"].members().items()),
        {key: reader.person(p) for key, p in whole["persons"].members().items()},
        {name: scalar_set(members) for name, members in whole["lists"].members().items()},
    )


def _function(name: str, at: At, nodes: Nodes, offered: Mapping[str, Function]) -> Function:
    """Return the offered function of that name, which must be of the version and the types that were written."""
    said = at.fields("version", "parameters", "result")
    version = said["version"].whole()
    found = offered.get(name)
    if found is None:
        at.refuse(f"function `{name[:80]}` version {version} is not here; pass it in `functions`")
    if found.version != version:
        at.refuse(f"function `{name[:80]}` is wanted in version {version}, and is here in version {found.version}")
    parameters = tuple(nodes.scalar_type(p) for p in said["parameters"])
    if (parameters, nodes.scalar_type(said["result"])) != (found.parameters, found.result):
        at.refuse(f"function `{name[:80]}` is here with other parameters, or another result")
    return found


def _attribute(path: str, at: At, nodes: Nodes) -> AttributeDefinition:
    category, name = attribute_path(At(path, at.path))
    said = at.fields("type", "assurance", "complete", "sensitive")
    assurance = said["assurance"].named(Assurance, str)
    kind = nodes.type(said["type"])
    return AttributeDefinition(category, name, kind, assurance, said["complete"].flag(), said["sensitive"].flag())


class _Reader:
    def __init__(self, nodes: Nodes, vocabulary: Vocabulary) -> None:
        self._nodes, self._vocabulary = nodes, vocabulary

    def condition(self, at: At) -> Condition:
        condition = self._nodes.condition(at)
        try:
            demand_sound(condition, self._vocabulary, DEEPEST)
        except Unsound as unsound:
            at.refuse(str(unsound))
        return condition

    # --- the tree --------------------------------------------------------------------------------------

    def policy(self, at: At, level: int = 0) -> Any:
        """Return a policy, or a policy set where there are children."""
        if level > MAX_NESTING:
            at.refuse(f"policy sets nested more than {MAX_NESTING} deep")
        is_set = "children" in at.members()
        own = ("children",) if is_set else ("rules", "obligation_rules")
        said = at.fields("id", "algorithm", "default_deny", *own)
        algorithm = said["algorithm"].named(Algorithm, lambda a: str(a.value))
        name, default = said["id"].text(), said["default_deny"].flag()
        if is_set:
            return PolicySet(
                name, algorithm, tuple([self.policy(c, level + 1) for c in said["children"]]), default
            )
        rules = tuple(self._rule(r) for r in said["rules"])
        return Policy(name, algorithm, rules, tuple(self._rider(r) for r in said["obligation_rules"]), default)

    def _rule(self, at: At) -> Rule:
        said = at.fields(*RULE, "effect")
        effect = said["effect"].named(Effect, lambda e: str(e.value))
        return Rule(said["id"].text(), effect, *self._said(said))

    def _rider(self, at: At) -> ObligationRule:
        said = at.fields(*RULE, "rides_on")
        effect = said["rides_on"].named(Effect, lambda e: str(e.value))
        return ObligationRule(said["id"].text(), effect, *self._said(said))

    def _said(self, said: Mapping[str, At]) -> tuple[Condition, tuple[Obligation, ...], Citation]:
        directive, clause, person_test = (part.text() for part in said["cites"].items(3))
        citation = Citation(directive=directive, clause=clause, person_test=person_test)
        return self.condition(said["condition"]), self._obligations(said["obligations"]), citation

    def _obligations(self, at: At) -> tuple[Obligation, ...]:
        return tuple(_obligation(o) for o in at)

    # --- directives and person tests -------------------------------------------------------------------

    def person(self, at: At) -> PersonTest:
        said = at.fields("name", "version", "condition")
        return PersonTest(said["name"].text(), said["version"].whole(), self.condition(said["condition"]))

    def directive(self, name: str, at: At) -> Directive:
        said = at.fields(
            "kind",
            "binding",
            "clauses",
            "exemptions",
            "events",
            "person_test",
            "requires",
            "in_flight",
        )
        requires = said["requires"].members()
        return Directive(
            id=name,
            kind=said["kind"].text(),
            binding=said["binding"].flag(),
            clauses=tuple(self._clause(c) for c in said["clauses"]),
            exemptions=tuple(self._exemption(e) for e in said["exemptions"]),
            events=tuple(_event(e) for e in said["events"]),
            person_test=said["person_test"].text(),
            requires=tuple((path, requires[path].named(Assurance, str)) for path in sorted(requires)),
            in_flight=said["in_flight"].text(),
        )

    def _clause(self, at: At) -> Clause:
        said = at.fields("id", "kind", "subject", "resource", "action", "obligations")
        return Clause(
            said["id"].text(),
            said["kind"].named(ClauseKind, lambda k: str(k.value)),
            self.condition(said["subject"]),
            self.condition(said["resource"]),
            self.condition(said["action"]),
            self._obligations(said["obligations"]),
        )

    def _exemption(self, at: At) -> Exemption:
        said = at.fields("id", "condition", "from", "until", "clauses")
        start, end = (None if said[k].value is None else moment(said[k]) for k in ("from", "until"))
        clauses = tuple(c.text() for c in said["clauses"])
        return Exemption(said["id"].text(), self.condition(said["condition"]), Interval(start, end), clauses)


def _obligation(at: At) -> Obligation:
    said = at.fields("id", "parameters", "advice")
    said["parameters"].members()
    return Obligation(said["id"].text(), said["parameters"].value, said["advice"].flag())


def _event(at: At) -> StatusEvent:
    event, happened, recorded = at.items(3)
    return StatusEvent(event.named(Event, lambda e: str(e.value)), moment(happened), moment(recorded))
