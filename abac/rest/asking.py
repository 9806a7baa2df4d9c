"""From AuthZEN's words to ours: entities and context become attributes, worth what their caller's word is.

`subject.id` and `resource.id` are attributes of that name; `properties` are attributes; `type` is an attribute
where the schema has one for it; `context` is the environment. What the schema does not have is ignored, since
knowing less never permits more, and told to those who look after the policies. Reading bytes is `reading`'s
part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.condition.types import INT_MAX, INT_MIN, ScalarType
from abac.errors import RequestError
from abac.policy.request import Request
from abac.rest.lowering import lowered, lowered_assertion
from abac.rest.problems import Problem, bad_request
from abac.rest.wire import Action, Entity, Evaluation
from abac.service.ceiling import CALLER, STAMPED, Ceiling

Clock = Callable[[], datetime]
Attributes = dict[str, Any]

WHAT_IF = "what_if"
"""The member of `context` that marks a question about other circumstances; such a one permits nobody."""

NOW = STAMPED.partition(".")[2]
KINDS = ("kind", "type")
"""The attributes that an entity's `type` becomes, the first that the schema has."""


@dataclass(frozen=True, slots=True)
class Types:
    """What an entity's `type` becomes: the attribute, by category, and our word for a type where it is another.

    An attribute that is not named is `kind` or `type`, whichever the schema has; the empty string is none.
    """

    attributes: Mapping[Category, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request in our words, the paths of what was ignored of the caller's, and whether it is a what-if."""

    request: Request
    ignored: tuple[str, ...] = ()
    what_if: bool = False


@dataclass(slots=True)
class _Last:
    """What the last item of a batch had, as it came and in our words, and the one time of all of them."""

    now: datetime
    who: Entity | None = None
    named: Action | None = None
    context: Attributes | None = None
    subject: Any = None
    action: Any = None
    environment: Attributes | None = None
    of_who: list[str] = field(default_factory=list)
    of_action: list[str] = field(default_factory=list)
    of_context: list[str] = field(default_factory=list)


class _Category(NamedTuple):
    """What the schema has of one category: names, whether there is an id, the attribute of a type, its values."""

    word: str
    names: frozenset[str]
    has_id: bool
    kind: str
    values: frozenset[str] | None


class Asker:
    """Puts evaluations into the words of one program, for callers under one ceiling. Share it between threads."""

    def __init__(self, program: Program, ceiling: Ceiling, types: Types, clock: Clock) -> None:
        self.program = program
        self._ceiling, self._types, self._clock = ceiling, types, clock
        self._subject = self._category(Category.SUBJECT)
        self._resource = self._category(Category.RESOURCE)
        self._action = self._category(Category.ACTION)
        self._environment = frozenset(program.schema.names(Category.ENVIRONMENT)) - {NOW}
        self._stamped = STAMPED in program.schema

    def ask(self, asked: Evaluation, *, flat: bool = False) -> Asked:
        """Return the request of an evaluation; where `flat`, no value is an object. Raises `Problem`.

        The evaluation's own properties may become the request's: it is asked once.
        """
        ignored: list[str] = []
        context = asked.context
        what_if = context is not None and context.get(WHAT_IF) is True
        request = Request(
            self.entity(asked.subject, self._subject, ignored, flat=flat, own=True),
            self.action(asked.action, ignored),
            self.entity(asked.resource, self._resource, ignored, flat=flat, own=True),
            self.environment(context, ignored, flat=flat, what_if=what_if),
            CALLER,
        )
        return Asked(request, tuple(ignored), what_if)

    def ask_all(self, items: Sequence[Evaluation | Problem], *, flat: bool) -> list[Asked | Problem]:
        """Return the requests of a batch, at one time; what an item shares with the last, once."""
        found: list[Asked | Problem] = []
        last = _Last(self._clock())
        for item in items:
            if isinstance(item, Problem):
                found.append(item)
                continue
            try:
                found.append(self._next(item, last, flat=flat))
            except Problem as problem:
                found.append(problem)
        return found

    def _next(self, asked: Evaluation, last: _Last, *, flat: bool) -> Asked:
        """Return the request of an item, with what is the very same in it as in the last one taken from there."""
        who, what, context = asked.subject, asked.resource, asked.context
        what_if = context is not None and context.get(WHAT_IF) is True
        if who is not last.who:
            told: list[str] = []
            last.subject, last.who, last.of_who = self.entity(who, self._subject, told, flat=flat), who, told
        if asked.action is not last.named:
            told = []
            last.action, last.named, last.of_action = self.action(asked.action, told), asked.action, told
        if context is not last.context or last.environment is None:
            told = []
            last.environment = self.environment(context, told, flat=flat, what_if=what_if, now=last.now)
            last.context, last.of_context = context, told
        ignored: list[str] = []
        resource = self.entity(what, self._resource, ignored, flat=flat)
        ignored = [*last.of_who, *last.of_action, *ignored, *last.of_context]
        return Asked(
            Request(last.subject, last.action, resource, last.environment, CALLER), tuple(ignored), what_if
        )

    def subject(self, entity: Entity, ignored: list[str]) -> Attributes:
        """Return a subject's attributes."""
        return self.entity(entity, self._subject, ignored, flat=False)

    def resource(self, entity: Entity, ignored: list[str]) -> Attributes:
        """Return a resource's attributes."""
        return self.entity(entity, self._resource, ignored, flat=False)

    def entity(
        self, entity: Entity, of: _Category, ignored: list[str], *, flat: bool = False, own: bool = False
    ) -> Attributes:
        """Return an entity's attributes: its properties, its id, and its type where the schema has it.

        Where `own`, nobody else reads the properties, so they need not be copied.
        """
        given = entity.properties
        if given is None:
            found: Attributes = {}
        elif of.names.issuperset(given):
            found = given if flat and own else given.copy() if flat else self._lowered(given)
        else:
            found = self._lowered(_kept(given, of.names, f"{of.word}.properties", ignored))
        if of.has_id:
            found["id"] = entity.id
        if of.kind and of.kind not in found:
            word = self._types.words.get(entity.type, entity.type)
            if of.values is None or word in of.values:
                found[of.kind] = word
            else:
                ignored.append(f"{of.word}.type")
        return found

    def action(self, action: Action, ignored: list[str]) -> Any:
        """Return an action's attributes, or just its name where there are no others."""
        of, given = self._action, action.properties
        if not given and of.has_id:
            return action.name
        found = self._lowered(_kept(given or {}, of.names, "action.properties", ignored))
        return {**found, "name": action.name} if of.has_id else found

    def environment(
        self,
        context: Attributes | None,
        ignored: list[str],
        *,
        flat: bool = False,
        what_if: bool = False,
        now: datetime | None = None,
    ) -> Attributes:
        """Return the environment: the context, and our own time (`now`, or the clock's), except in a what-if."""
        found: Attributes = {}
        if context:
            if self._environment.issuperset(context):
                found = context.copy() if flat else self._lowered(context)
            else:
                found = self._lowered(self._context(context, ignored))
            if what_if and self._stamped and context.get(NOW) is not None:
                return {**found, NOW: self._own_time(context[NOW])}
        if self._stamped:
            found[NOW] = self._clock() if now is None else now
        return found

    # --- what a caller says --------------------------------------------------------------------------------

    def _context(self, context: Attributes, ignored: list[str]) -> Attributes:
        """Return the context without what is no attribute, and without the time, which is not the caller's."""
        rest = {name: value for name, value in context.items() if name not in (NOW, WHAT_IF)}
        if not isinstance(context.get(WHAT_IF), bool | None):
            raise bad_request("malformed", "expected true or false", f"context.{WHAT_IF}")
        if NOW in context and context.get(WHAT_IF) is not True:
            ignored.append(f"context.{NOW}")
        return _kept(rest, self._environment, "context", ignored)

    def _own_time(self, given: Any) -> Attributes:
        said = given if isinstance(given, dict) else {"value": given, "assurance": str(self._ceiling.assurance)}
        return lowered_assertion(said, self._ceiling.assurance)

    def _lowered(self, attributes: Attributes) -> Attributes:
        return lowered(attributes, self._ceiling.assurance)

    # --- what the schema has -------------------------------------------------------------------------------

    def _category(self, category: Category) -> _Category:
        schema = self.program.schema
        names = schema.names(category)
        kind = self._types.attributes.get(category, next((k for k in KINDS if k in names), ""))
        definition = schema.get(f"{category.value}.{kind}") if kind else None
        own = "name" if category is Category.ACTION else "id"
        values: frozenset[str] | None = None
        if definition is not None and isinstance(definition.type, ScalarType) and definition.type.values:
            values = frozenset(definition.type.values)
        return _Category(
            category.value, frozenset(names) - {own}, own in names, kind if definition is not None else "", values
        )


def _kept(given: Attributes, names: frozenset[str], where: str, ignored: list[str]) -> Attributes:
    found: Attributes = {}
    for name, value in given.items():
        if name in names:
            found[name] = value
        elif value.__class__ is int and not INT_MIN <= value <= INT_MAX:
            raise bad_request("number", "integer outside 64 bits", f"{where}.{name}")
        else:
            ignored.append(f"{where}.{name}")
    return found


def refused(error: RequestError) -> Problem:
    """Return the problem of a value that is not of its attribute's type, with its path on the wire."""
    category, _, rest = error.path.partition(".")
    place = f"context.{rest}" if category == Category.ENVIRONMENT.value else error.path
    if category != Category.ENVIRONMENT.value and rest and rest not in ("id", "name"):
        place = f"{category}.properties.{rest}"
    return Problem(400, error.code, str(error), path=place)
