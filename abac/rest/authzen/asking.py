"""From AuthZEN's words to ours: entities and context become attributes, worth what their caller's word is.

`subject.id` and `resource.id` are attributes of that name; `properties` are attributes; `type` is an attribute
where the schema has one for it; `context` is the environment. What the schema does not have is ignored, since
knowing less never permits more, and told to those who look after the policies. Reading bytes is `reading`'s
part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.errors import RequestError
from abac.pip.ceiling import lowered_assertion, lowered_value
from abac.policy.request import Request
from abac.rest.authzen.naming import Attributes, Named, Types, kept, named
from abac.rest.authzen.wire import Action, Entity, Evaluation
from abac.rest.callers.about import About, check
from abac.rest.problems import Problem, bad_request
from abac.service.ceiling import CALLER, STAMPED, Ceiling

Clock = Callable[[], datetime]

WHAT_IF = "what_if"
"""The member of `context` that marks a question about other circumstances; such a one permits nobody."""

NOW = STAMPED.partition(".")[2]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request in our words, the paths of what was ignored of the caller's, and whether it is a what-if."""

    request: Request
    ignored: tuple[str, ...] = ()
    what_if: bool = False


_NOBODY, _NOTHING = Entity("", ""), Action("")
"""What no item of a batch is the very same as."""


class Asker:
    """Puts evaluations into the words of one program, for callers under one ceiling. Share it between threads."""

    def __init__(self, program: Program, ceiling: Ceiling, types: Types, clock: Clock) -> None:
        self.program = program
        self._ceiling, self._types, self._clock = ceiling, types, clock
        self._subject = named(program.schema, Category.SUBJECT, types)
        self._resource = named(program.schema, Category.RESOURCE, types)
        self._action = named(program.schema, Category.ACTION, types)
        self._environment = frozenset(program.schema.names(Category.ENVIRONMENT)) - {NOW}
        self._stamped = STAMPED in program.schema

    def may_ask(self, about: About | None, resource: Entity) -> None:
        """Raise a 403 `Problem` for a resource that a key may not ask about."""
        check(about, resource.type, resource.id, resource.properties, self._resource.kind)

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

    def ask_all(
        self, items: Sequence[Evaluation | Problem], *, flat: bool, own: bool = False
    ) -> list[Asked | Problem]:
        """Return the requests of a batch, at one time; what is the very same in an item as in the last, once.

        Where `own`, no two items share an entity, and nobody else reads them: as in `ask`.
        """
        found: list[Asked | Problem] = []
        now = self._clock()
        who, what, given = _NOBODY, _NOTHING, None
        subject: Attributes = {}
        action: Any = ""
        of_who: list[str] = []
        of_what: list[str] = []
        environment, of_context, what_if = self._circumstances(given, flat=flat, now=now)
        for item in items:
            if isinstance(item, Problem):
                found.append(item)
                continue
            try:
                if item.subject is not who:
                    of_who = []
                    subject = self.entity(item.subject, self._subject, of_who, flat=flat, own=own)
                    who = item.subject
                if item.action is not what:
                    of_what = []
                    action = self.action(item.action, of_what)
                    what = item.action
                if item.context is not given:
                    environment, of_context, what_if = self._circumstances(item.context, flat=flat, now=now)
                    given = item.context
                ignored: list[str] = []
                resource = self.entity(item.resource, self._resource, ignored, flat=flat, own=own)
            except Problem as problem:
                found.append(problem)
                continue
            if of_who or of_what or of_context:
                ignored = [*of_who, *of_what, *ignored, *of_context]
            request = Request(subject, action, resource, environment, CALLER)
            found.append(Asked(request, tuple(ignored) if ignored else (), what_if))
        return found

    def _circumstances(
        self, context: Attributes | None, *, flat: bool, now: datetime
    ) -> tuple[Attributes, list[str], bool]:
        """Return a context's environment, what is ignored of it, and whether it marks a what-if."""
        ignored: list[str] = []
        what_if = context is not None and context.get(WHAT_IF) is True
        return self.environment(context, ignored, flat=flat, what_if=what_if, now=now), ignored, what_if

    def subject(self, entity: Entity, ignored: list[str]) -> Attributes:
        """Return a subject's attributes."""
        return self.entity(entity, self._subject, ignored, flat=False)

    def resource(self, entity: Entity, ignored: list[str]) -> Attributes:
        """Return a resource's attributes."""
        return self.entity(entity, self._resource, ignored, flat=False)

    def entity(
        self, entity: Entity, of: Named, ignored: list[str], *, flat: bool = False, own: bool = False
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
            found = self._lowered(kept(given, of.names, f"{of.word}.properties", ignored))
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
        found = self._lowered(kept(given or {}, of.names, "action.properties", ignored))
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
        return kept(rest, self._environment, "context", ignored)

    def _own_time(self, given: Any) -> Attributes:
        said = given if isinstance(given, dict) else {"value": given, "assurance": str(self._ceiling.assurance)}
        return lowered_assertion(said, self._ceiling.assurance, CALLER.name)

    def _lowered(self, attributes: Attributes) -> Attributes:
        ceiling = self._ceiling.assurance
        return {name: lowered_value(value, ceiling, CALLER.name) for name, value in attributes.items()}


def refused(error: RequestError) -> Problem:
    """Return the problem of a value that is not of its attribute's type, with its path on the wire."""
    category, _, rest = error.path.partition(".")
    place = f"context.{rest}" if category == Category.ENVIRONMENT.value else error.path
    if category != Category.ENVIRONMENT.value and rest and rest not in ("id", "name"):
        place = f"{category}.properties.{rest}"
    return Problem(400, error.code, str(error), path=place)
