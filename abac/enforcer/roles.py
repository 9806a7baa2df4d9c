"""Role managers: pycasbin's own are watched and answered by sets, any other is asked every time.

A question to a role manager of pycasbin's own without matching functions is closed-world, so `g(x, "role")` is
membership in a set. With matching functions it is a function of the names, remembered until links change. A
conditional one, or one of somebody else's class, may answer differently at every call and is never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from casbin.rbac.default_role_manager.role_manager import DomainManager, RoleManager
from casbin.util import generate_conditional_g_function, generate_g_function

from abac.condition.types import Scalar


class _Watched:
    """What makes a role manager leave a new stamp when it changes."""

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        object.__setattr__(self, "stamp", object())

    def add_link(self, *names: str) -> None:
        try:
            super().add_link(*names)  # type: ignore[misc]  # the class it is mixed into has it
        finally:
            self.stamp = object()

    def delete_link(self, *names: str) -> None:
        try:
            super().delete_link(*names)  # type: ignore[misc]  # the class it is mixed into has it
        finally:
            self.stamp = object()


class WatchedRoleManager(_Watched, RoleManager):  # type: ignore[misc]  # casbin ships no types
    """pycasbin's role manager, watched."""


class WatchedDomainManager(_Watched, DomainManager):  # type: ignore[misc]  # casbin ships no types
    """pycasbin's role manager with domains, watched."""


_PLAIN_DOMAIN_MATCH = DomainManager().matching_func.__code__


class Answering(Enum):
    """How the questions of one role definition are answered."""

    SETS = "sets"
    REMEMBERED = "remembered"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Roles:
    """The role manager behind one definition at one time: how it answers, and what tells that it changed."""

    manager: Any
    answering: Answering
    ask: Callable[..., Any]
    arity: int
    stamp: object


def roles_of(model: Any, definition: str, *, conditional: bool) -> Roles:
    """Return how stock pycasbin would answer `definition` now; the manager is watched from then on.

    `conditional` says whether the enforcer has any conditional role manager: stock then asks no other.
    """
    assertion = model["g"][definition]
    arity = len(assertion.tokens)
    if conditional:
        conditions = assertion.cond_rm
        answering = Answering.ASKED if conditions is not None else Answering.REMEMBERED
        return Roles(conditions, answering, generate_conditional_g_function(conditions), arity, None)
    manager = assertion.rm
    if type(manager) is RoleManager:
        manager.__class__, manager.stamp = WatchedRoleManager, object()
    elif type(manager) is DomainManager:
        manager.__class__, manager.stamp = WatchedDomainManager, object()
    stamp = getattr(manager, "stamp", None)  # before anything is read from it
    return Roles(manager, _answering(manager), generate_g_function(manager), arity, stamp)


def _answering(manager: Any) -> Answering:
    if manager is None:
        return Answering.REMEMBERED  # it is equality
    if type(manager) is WatchedRoleManager:
        return Answering.SETS if manager.matching_func is None else Answering.REMEMBERED
    if type(manager) is WatchedDomainManager:
        plain = getattr(manager.matching_func, "__code__", None) is _PLAIN_DOMAIN_MATCH
        return Answering.SETS if plain and manager.domain_matching_func is None else Answering.REMEMBERED
    return Answering.ASKED


@dataclass(slots=True)
class RoleLinks:
    """Role questions answered by sets, for the linker; `found` holds each that was asked."""

    roles: Mapping[str, Roles]
    found: dict[tuple[str, ...], frozenset[Scalar]] = field(default_factory=dict)
    _below: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)

    def arity(self, definition: str) -> int | None:
        """Return how many names a question has; None for what sets do not answer."""
        held = self.roles.get(definition)
        return held.arity if held is not None and held.answering is Answering.SETS else None

    def members(self, definition: str, role: str, domain: tuple[str, ...]) -> frozenset[Scalar]:
        """Return everyone who has `role` in `domain`, the role itself included, by the links it follows."""
        key = (definition, role, *domain)
        if key not in self.found:
            self.found[key] = self._members(definition, role, domain[0] if domain else "")
        return self.found[key]

    def domains(self, definition: str) -> Iterable[str]:
        """Return every domain that has links."""
        manager = self.roles[definition].manager
        return manager.all_links if isinstance(manager, DomainManager) else ()

    def _members(self, definition: str, role: str, domain: str) -> frozenset[Scalar]:
        manager = self.roles[definition].manager
        below = self._links(definition, domain)
        found = edge = {role}
        for _ in range(manager.max_hierarchy_level - 1):  # the role itself is the first level
            edge = {who for name in edge for who in below.get(name, ())} - found
            found = found | edge
        return frozenset(found) if manager.max_hierarchy_level > 0 else frozenset()

    def _links(self, definition: str, domain: str) -> dict[str, list[str]]:
        manager = self.roles[definition].manager
        key = (definition, domain)
        if key not in self._below:
            below: dict[str, list[str]] = {}
            if isinstance(manager, DomainManager):
                for who, role in manager.all_links.get(domain, ()):
                    below.setdefault(role, []).append(who)
            else:  # what it follows are the roles, not the list of links
                for name, role in list(manager.all_roles.items()):
                    below[name] = [user.name for user in list(role.users)]
            self._below[key] = below
        return self._below[key]
