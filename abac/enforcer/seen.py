"""What an answer of an enforcer rests on, and whether it is all still as it was.

Everything that stock pycasbin reads in `enforce_ex` is here: the model and its definitions, the policy list and
its rows, role managers and their links, functions, the effector. The question is asked before every answer, so it
compares identities and stamps, and takes a whole copy only of what cannot be watched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from abac.enforcer.grammar import Context
from abac.enforcer.roles import Roles, roles_of
from abac.enforcer.watched import Rows, WatchedAssertion, adopt

_NEVER = object()


@dataclass(slots=True)
class Seen:
    """The inputs of one compiled state, as they were just before it was compiled."""

    model: Any
    effector: Any
    assertions: tuple[tuple[str, str, Any, object], ...]
    sections: int
    definitions: int
    managers: tuple[tuple[Any, object], ...]
    flags: tuple[bool, bool]
    roles: Mapping[str, Roles]
    rows: Any
    count: int
    copies: tuple[tuple[Any, Any], ...] = ()
    functions: tuple[tuple[str, Any], ...] = ()
    """The functions that conditions call, by name; told once they are known."""
    every: Mapping[str, Any] | None = None
    """All functions, until it is known which are called: one that is added may be what was missing."""

    def take_functions(self, functions: Mapping[str, Any]) -> None:
        """Rest on every function there is."""
        self.every = self._own(functions)

    def rest_on(self, called: Collection[str]) -> None:
        """Rest on the functions that are called, and on no other."""
        assert self.every is not None  # noqa: S101  # they were taken before
        self.functions = tuple((name, held) for name, held in self.every.items() if name in called)
        self.every = None

    def _own(self, functions: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: held for name, held in functions.items() if name not in self.roles
        }  # stock adds those itself

    @classmethod
    def of(cls, enforcer: Any, context: Context) -> Seen:
        """Take the inputs of a context. Raises `KeyError` where the model lacks one of its definitions."""
        model = enforcer.model
        adopt(model)
        sections = model.model
        named = [("r", context.request), ("p", context.policy), ("m", context.matcher)]
        named += [("g", key) for key in sections.get("g") or ()]
        held = [(section, key, sections[section][key]) for section, key in named]
        stamped = tuple((s, k, a, getattr(a, "stamp", None)) for s, k, a in held)  # before anything is read
        flags = (len(enforcer.rm_map) != 0, len(enforcer.cond_rm_map) != 0)
        roles = {}
        if any(flags):
            roles = {k: roles_of(model, k, conditional=flags[1]) for s, k, _ in held if s == "g"}
            enforcer.fm.get_functions().update({k: own.ask for k, own in roles.items()})  # stock leaves them there
        policy = sections["p"][context.policy].policy
        unwatched = [a for _, _, a in held if type(a) is not WatchedAssertion or not _is_watched(a.policy)]
        return cls(
            model,
            enforcer.eft,
            stamped,
            len(sections),
            len(sections.get("g") or ()),
            tuple((r.manager, r.stamp) for r in roles.values() if r.stamp is not None),
            flags,
            roles,
            policy,
            len(policy),
            tuple((a, _copied(a)) for _, _, a in held) if unwatched else (),
        )

    def holds(self, enforcer: Any) -> bool:
        """Whether nothing has changed since."""
        model = enforcer.model
        if model is not self.model or enforcer.eft is not self.effector:
            return False
        sections = model.model
        try:
            for section, key, assertion, stamp in self.assertions:
                if sections[section][key] is not assertion or assertion.stamp is not stamp:
                    return False
        except (KeyError, TypeError):  # a definition, or a section, is gone
            return False
        except AttributeError:  # of a class that cannot be watched, so that copies are held
            pass
        if len(self.rows) != self.count or len(sections) != self.sections:
            return False
        if self.roles and not self._roles_hold(enforcer, sections):
            return False
        if self.functions:
            functions = enforcer.fm.get_functions()
            for name, held in self.functions:
                if functions.get(name, _NEVER) is not held:
                    return False
        return (self.every is None and not self.copies) or self._rest_holds(enforcer)

    def _roles_hold(self, enforcer: Any, sections: Any) -> bool:
        for manager, stamp in self.managers:
            if manager.stamp is not stamp:
                return False
        conditional = len(enforcer.cond_rm_map) != 0
        if conditional is not self.flags[1] or (len(enforcer.rm_map) != 0) is not self.flags[0]:
            return False
        return len(sections["g"]) == self.definitions

    def _rest_holds(self, enforcer: Any) -> bool:
        """Whether what can only be compared whole is as it was."""
        if self.every is not None and self.every != self._own(enforcer.fm.get_functions()):
            return False
        return all(_copied(assertion) == copied for assertion, copied in self.copies)


def _is_watched(policy: Any) -> bool:
    return type(policy) is Rows and all(type(row) is not list for row in policy)


def _copied(assertion: Any) -> Any:
    """Return a copy of all that stock reads of an assertion."""
    rows = [list(row) if isinstance(row, list | tuple) else row for row in assertion.policy]
    return assertion.value, list(assertion.tokens), rows, id(assertion.rm), id(assertion.cond_rm)
