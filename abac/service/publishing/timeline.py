"""What was in force at each moment, as known then and as known now: the two answers that an auditor asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from abac.audit.clock import stamp
from abac.storage.policies import DirectiveStatus, Policies
from abac.storage.policies.directives import Resource


class Told(NamedTuple):
    """What was in force: the revision, or None, and the directives in force."""

    revision: str | None
    directives: tuple[DirectiveStatus, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the directives."""
        return tuple(d.directive for d in self.directives)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"revision": self.revision, "directives": [d.as_json() for d in self.directives]}


class Moment(NamedTuple):
    """One moment: what was in force as known then, and as known now."""

    at: datetime
    then: Told
    now: Told

    @property
    def revised(self) -> bool:
        """Whether later knowledge changed the answer."""
        return (self.then.revision, self.then.names) != (self.now.revision, self.now.names)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        answers = {"as_known_then": self.then.as_json(), "as_known_now": self.now.as_json()}
        return {"at": stamp(self.at), **answers, "revised": self.revised}


def timeline(
    policies: Policies,
    dates: Sequence[datetime] = (),
    *,
    model: Resource | None = None,
    known_at: datetime | None = None,
) -> list[Moment]:
    """Return what was in force at each date, for a model where one is given; `known_at` is now by default.

    Without dates, those at which anything took effect.
    """
    moments = sorted(set(dates)) or policies.directives.boundaries()
    return [Moment(at, told(policies, at, at, model), told(policies, at, known_at, model)) for at in moments]


def told(
    policies: Policies, at: datetime | None, known_at: datetime | None, model: Resource | None = None
) -> Told:
    """Return what was in force at a time as known at another; both default to now."""
    publication = policies.publication(at, known_at)
    revision = None if publication is None else publication.revision
    return Told(revision, policies.directives_in_force(at, known_at, model))
