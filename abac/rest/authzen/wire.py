"""The messages of AuthZEN 1.0 as types (sections 5 to 8); unknown members are ignored (section 10.1.1).

What in them is a sound JSON text is `sound`'s part, what they mean to us `asking`'s.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

Properties = dict[str, Any] | None
Scalar = str | int | float | bool | None
Flat = dict[str, Scalar | list[Scalar]] | None
"""Properties none of which says more of itself, such as its assurance: the usual ones."""


class Entity(Struct, gc=False, omit_defaults=True):
    """A subject or a resource (sections 5.1 and 5.2)."""

    type: str
    id: str
    properties: Properties = None


class Kind(Struct, gc=False, omit_defaults=True):
    """The searched entity of a subject or resource search: an `id` in it is ignored (sections 8.4 and 8.5)."""

    type: str
    properties: Properties = None


class Action(Struct, gc=False, omit_defaults=True):
    """An action (section 5.3)."""

    name: str
    properties: Properties = None


class Evaluation(Struct, gc=False, omit_defaults=True):
    """A request for one decision (section 6.1)."""

    subject: Entity
    action: Action
    resource: Entity
    context: Properties = None


class Item(Struct, gc=False, omit_defaults=True):
    """One evaluation of a batch; what it leaves out, the batch's own entities fill (section 7.1.1)."""

    subject: Entity | None = None
    action: Action | None = None
    resource: Entity | None = None
    context: Properties = None


class Evaluations(Struct, gc=False, omit_defaults=True):
    """A request for many decisions (section 7.1)."""

    subject: Entity | None = None
    action: Action | None = None
    resource: Entity | None = None
    context: Properties = None
    evaluations: list[Item] | None = None
    options: Properties = None


class FlatEntity(Entity, gc=False, omit_defaults=True):
    """A subject or a resource of flat properties."""

    properties: Flat = None


class FlatAction(Action, gc=False, omit_defaults=True):
    """An action of flat properties."""

    properties: Flat = None


class FlatEvaluation(Evaluation, gc=False, omit_defaults=True):
    """A request for one decision in which everything is flat."""

    subject: FlatEntity
    action: FlatAction
    resource: FlatEntity
    context: Flat = None


class FlatItem(Item, gc=False, omit_defaults=True):
    """One evaluation of a batch in which everything is flat."""

    subject: FlatEntity | None = None
    action: FlatAction | None = None
    resource: FlatEntity | None = None
    context: Flat = None


class FlatEvaluations(Evaluations, gc=False, omit_defaults=True):
    """A request for many decisions in which everything is flat."""

    subject: FlatEntity | None = None
    action: FlatAction | None = None
    resource: FlatEntity | None = None
    context: Flat = None
    evaluations: list[FlatItem] | None = None  # type: ignore[assignment]  # decoded, and then only read
    options: Flat = None


class WholeEvaluations(FlatEvaluations, gc=False, omit_defaults=True):
    """A request for many decisions in which everything is flat, and every evaluation whole."""

    evaluations: list[FlatEvaluation] | None = None  # type: ignore[assignment]  # as above


class Page(Struct, gc=False, omit_defaults=True):
    """Which part of a search's results is wanted (section 8.2.1)."""

    token: str = ""
    limit: int | None = None
    properties: Properties = None


class SubjectSearch(Struct, gc=False, omit_defaults=True):
    """Who may do this (section 8.4.1)."""

    subject: Kind
    action: Action
    resource: Entity
    context: Properties = None
    page: Page | None = None


class ResourceSearch(Struct, gc=False, omit_defaults=True):
    """With what may this subject do this (section 8.5.1)."""

    subject: Entity
    action: Action
    resource: Kind
    context: Properties = None
    page: Page | None = None


class ActionSearch(Struct, gc=False, omit_defaults=True):
    """What may this subject do with this (section 8.6.1); an `action` in it is ignored."""

    subject: Entity
    resource: Entity
    context: Properties = None
    page: Page | None = None
