"""What is left to decide once part of a request is stated: the policies, with what is known put in.

Law: `residual(program, q).decide(rest)` is `decide(program, q + rest)`, in every field. Asking which rows of a
table are permitted is `listing`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from abac.compiler.program import Program
from abac.condition.expr import Literal, attributes
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.text import condition_text
from abac.condition.truth import FALSE, TRUE
from abac.errors import RequestError, did_you_mean
from abac.pdp.partial import Partial
from abac.pdp.settled import answers
from abac.policy import reference
from abac.policy.decision import Decision, Extended, Outcome
from abac.policy.request import Request, assertions
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

DEFINITE = frozenset({Extended.PERMIT, Extended.DENY})
R = TypeVar("R", Rule, ObligationRule)


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left to decide: a policy tree of the same meaning, in which all that is stated has been put in.

    `open` names the attributes that the tree still reads and that may be stated later; `later` all that may be.
    `stated` keeps the assertions that could not be put in whole: partly known sets.
    """

    root: PolicySet
    open: tuple[str, ...]
    later: frozenset[str]
    stated: Mapping[str, Assertion]
    schema: Schema
    functions: Mapping[str, Function]
    revision: str

    @property
    def decision(self) -> Decision | None:
        """The decision, where it is settled whatever is stated later; else None.

        Its reasons, obligations and advice may still depend on what is `open`. A sound test, not a complete one:
        what only a relation between two open conditions would settle is not seen.
        """
        found = {answer.decision for answer in answers(self.root, self.later)}
        return found.pop() if len(found) == 1 else None

    @property
    def outcome(self) -> Outcome | None:
        """The whole outcome, no obligation discharged, where nothing is `open`; else None."""
        return None if self.open else self._decide({}, frozenset())

    def decide(self, rest: Request | None = None, *, discharges: frozenset[str] = frozenset()) -> Outcome:
        """Return the outcome of the request that the residual was made of and `rest` together.

        Raises `RequestError` for a value that is not of its attribute's type, and for an attribute that is not
        open: what has been stated, be it as unknown, is not stated again.
        """
        given = assertions(rest, self.schema) if rest is not None else {}
        for path in given:
            if path not in self.later:
                raise RequestError(path, "was stated when the residual was made, and is not open")
        return self._decide(given, discharges)

    def _decide(self, given: Mapping[str, Assertion], discharges: frozenset[str]) -> Outcome:
        whole = {**self.stated, **given}
        return reference.decide(self.root, whole, self.functions, discharges=discharges, revision=self.revision)

    def __str__(self) -> str:
        return "\n".join(_lines(self.root, 0))


def residual(program: Program, request: Request, *, later: Iterable[str] | None = None) -> Residual:
    """Return what `request` leaves to decide under `program`.

    An attribute that the request gives a value is *stated*; one that it gives as None is *stated as unknown*. Of
    the others those named in `later`, by full name (`resource.tier`) or by category (`resource`), are *open*, and
    the rest are unknown for good; by default every attribute that the request leaves out is open. Raises
    `RequestError` for a value not of its attribute's type, for a name the schema does not have, and for one both
    stated and named in `later`.

        >>> import abac
        >>> program = abac.compile(
        ...     schema="policies/schema.yaml", model="models/abac.conf", policies=["policies/rules/baseline.csv"]
        ... )
        >>> ana = {"id": "ana", "kind": "person", "relation": "customer", "organisation": "none"}
        >>> noon = {"now": "2026-06-12T12:00:00Z"}
        >>> left = residual(program, abac.Request(ana, "invoke", {"released": "2026-06-09T16:00:00Z"}, noon))
        >>> print(left.open, left.decision)
        ('resource.access',) None
        >>> print(left)
        root: deny-overrides
          rows: deny-overrides, else DENY
            PERMIT baseline#1 if resource.access == "public"
        >>> left.decide(abac.Request(resource={"access": "public"})).decision.name
        'PERMIT'
    """
    stated = assertions(request, program.schema)
    mentioned = {d.path for d in program.schema if _mentions(request, d)}
    names = [c.value for c in Category] if later is None else list(later)
    named = frozenset(path for name in names for path in _named(name, program.schema, mentioned))
    partial = Partial(stated, named, program.functions)
    root = _left(program.root, partial, named)
    assert isinstance(root, PolicySet)  # noqa: S101  # a set stays one
    read = _read(root)
    return Residual(
        root,
        tuple(sorted(read & named)),
        named,
        {path: one for path, one in stated.items() if path in read},
        program.schema,
        program.functions,
        program.revision,
    )


def _mentions(request: Request, definition: AttributeDefinition) -> bool:
    """Whether a request says something of an attribute, be it that it is unknown."""
    values: Any = getattr(request, definition.category.value)
    if isinstance(values, str):
        return definition.name == "name"
    return definition.name in values if isinstance(values, Mapping) else hasattr(values, definition.name)


def _named(name: str, schema: Schema, mentioned: set[str]) -> Iterator[str]:
    categories = [c.value for c in Category]
    if name in categories:
        yield from (d.path for d in schema if d.category.value == name and d.path not in mentioned)
    elif name not in schema:
        hint = did_you_mean(name, [*categories, *schema.attributes])
        raise RequestError(name, "no such attribute or category in the schema" + (f"; {hint}" if hint else ""))
    elif name in mentioned:
        raise RequestError(name, "both stated in the request and left for later")
    else:
        yield name


# --- the tree ----------------------------------------------------------------------------------------------


def _left(node: Policy | PolicySet, partial: Partial, later: frozenset[str]) -> Policy | PolicySet:
    """Return a node without what can no longer stand, and what is no longer reached."""
    if isinstance(node, Policy):
        return replace(
            node,
            rules=tuple(_standing(node.rules, partial, in_order=node.algorithm.in_order)),
            obligation_rules=tuple(_standing(node.obligation_rules, partial, in_order=False)),
        )
    children: list[Policy | PolicySet] = []
    for child in node.children:
        left = _left(child, partial, later)
        possible = answers(left, later)
        if _has_rules(left) or possible != {Extended.NOT_APPLICABLE}:
            children.append(left)
        if node.algorithm.in_order and possible <= DEFINITE:
            break
    return replace(node, children=tuple(children))


def _standing(rules: Iterable[R], partial: Partial, *, in_order: bool) -> Iterator[R]:
    for rule in rules:
        condition = partial.condition(rule.condition)
        truth = condition.truth if isinstance(condition, Literal) else None
        if truth is not FALSE:
            yield replace(rule, condition=condition)
        if truth is TRUE and in_order:
            return


def _has_rules(node: Policy | PolicySet) -> bool:
    return any(p.rules or p.obligation_rules for p in policies(node))


def _read(root: PolicySet) -> set[str]:
    found: set[str] = set()
    for policy in policies(root):
        for condition in [r.condition for r in policy.rules] + [r.condition for r in policy.obligation_rules]:
            found |= attributes(condition).keys()
    return found


# --- as text -----------------------------------------------------------------------------------------------


def _lines(node: Policy | PolicySet, depth: int) -> Iterator[str]:
    """Yield a tree as indented text: what combines how, and under which condition each rule still stands."""
    margin, tail = "  " * depth, ", else DENY" if node.default_deny else ""
    yield f"{margin}{node.id}: {node.algorithm.value}{tail}"
    if isinstance(node, PolicySet):
        for child in node.children:
            yield from _lines(child, depth + 1)
        return
    for rule in node.rules:
        yield f"{margin}  {rule.effect.value} {rule.id} if {condition_text(rule.condition, demands=True)}"
    for rider in node.obligation_rules:
        owed = ", ".join(o.id for o in rider.obligations)
        where = condition_text(rider.condition, demands=True)
        yield f"{margin}  on {rider.rides_on.value} {rider.id} owes {owed} if {where}"
