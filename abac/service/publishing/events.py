"""Record what happened to a directive: the program that follows from another by one dated event more.

The clauses stay as they are; when they are in force changes. What comes of it is a draft like any other, to be
approved by somebody else. An event is recorded now, whenever it was: so it changes what is known from now on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from abac.compiler.link import DIRECTIVES, directive_policy
from abac.compiler.program import Program, assemble
from abac.errors import NOWHERE, CompileError, Diagnostic, did_you_mean
from abac.policy.directive import Directive, Event, StatusEvent


def with_event(program: Program, directive: str, event: Event, at: datetime, recorded: datetime) -> Program:
    """Return the program in which the directive has one event more, at a time, recorded at another.

    Raises `CompileError` for a directive that the program does not have, and for an event that changes nothing:
    one that is there already, or a suspension of what is not in force then.
    """
    known = {d.id: d for d in program.directives}
    if directive not in known:
        raise _refused("unknown-directive", f"no directive `{directive[:80]}`", did_you_mean(directive, known))
    old = known[directive]
    new = replace(old, events=_told(old, StatusEvent(event, at, recorded)))
    if event is not Event.PUBLISHED and new.in_force() == old.in_force():
        message = f"`{event.value}` at that time leaves `{directive}` in force when it was"
        raise _refused("no-change", message, "see its events and their times")
    directives = [new if d is old else d for d in program.directives]
    others = [child for child in program.root.children if child.id != DIRECTIVES]
    return assemble(
        program.schema,
        replace(program.root, children=(directive_policy(directives, None), *others)),
        program.functions,
        directives=directives,
        persons=program.persons,
        lists=program.lists,
        warnings=program.warnings,
        previous=program,
    )


def _told(directive: Directive, more: StatusEvent) -> tuple[StatusEvent, ...]:
    """Return the directive's events with one more, in the order of what happened."""
    if any((e.event, e.at) == (more.event, more.at) for e in directive.events):
        raise _refused("no-change", f"`{directive.id}` has that event already")
    return tuple(sorted((*directive.events, more), key=lambda e: (e.at, e.recorded)))


def _refused(code: str, message: str, hint: str = "") -> CompileError:
    return CompileError([Diagnostic(NOWHERE, code, message, "error", hint)])
