"""Read a body: bytes in, a message of AuthZEN out, or the problem that says what is wrong with it and where.

A body of the usual form is decoded once, in C, as one in which every value is bare, encoded again, and compared: a
text that is what its own value is written as is sound. Anything else is counted, or read again, slowly, by
`sound.check`, which also finds the better words for what is wrong. What a message means to us is `asking`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from abac.rest import sound
from abac.rest.authzen.wire import (
    Action,
    ActionSearch,
    Entity,
    Evaluation,
    Evaluations,
    FlatEvaluation,
    FlatEvaluations,
    Item,
    ResourceSearch,
    SubjectSearch,
    WholeEvaluations,
)
from abac.rest.problems import Problem, bad_request

DEPTH = 16
"""How many objects and arrays of a body may lie in one another."""

MALFORMED = "malformed"
"""The code of a message that is sound JSON and not what is asked for."""

ALL, FIRST_DENY, FIRST_PERMIT = "execute_all", "deny_on_first_deny", "permit_on_first_permit"
SEMANTICS = (ALL, FIRST_DENY, FIRST_PERMIT)
"""How a batch may be evaluated (section 7.1.2.1)."""

Search = TypeVar("Search", SubjectSearch, ResourceSearch, ActionSearch)

_OBJECTS = 8
"""Objects of an evaluation without assertions: itself, its entities and their properties, its context."""

_encode = msgspec.json.Encoder().encode
_flat_evaluation = msgspec.json.Decoder(FlatEvaluation).decode
_whole_evaluations = msgspec.json.Decoder(WholeEvaluations).decode
_flat_evaluations = msgspec.json.Decoder(FlatEvaluations).decode
_evaluation = msgspec.json.Decoder(Evaluation).decode
_evaluations = msgspec.json.Decoder(Evaluations).decode
_searches: Mapping[type, Any] = {
    kind: msgspec.json.Decoder(kind).decode for kind in (SubjectSearch, ResourceSearch, ActionSearch)
}


class Batch(NamedTuple):
    """The evaluations of a batch, each whole or the problem with it, and how they are to be evaluated.

    Where `flat`, no value in it says more of itself, such as its assurance; where `own`, no two share an entity.
    """

    items: Sequence[Evaluation | Problem]
    semantic: str
    flat: bool
    own: bool = False


def read_evaluation(body: bytes) -> tuple[Evaluation, bool]:
    """Return the evaluation a body asks for, and whether no value in it says more of itself. Raises `Problem`."""
    try:
        found: Evaluation = _flat_evaluation(body)
        flat = True
    except _FAULTS:
        try:
            found = _evaluation(body)
        except _FAULTS as error:
            raise refused(body, error) from None
        flat = False
    _check(body, found, 1, flat=flat)
    return found, flat


def read_evaluations(body: bytes, most: int) -> Batch | tuple[Evaluation, bool]:
    """Return the batch a body asks for, or the single evaluation (section 7.1). Raises `Problem`."""
    flat = True
    try:
        found: Evaluations = _whole_evaluations(body)
    except _FAULTS:  # at the first evaluation that is not, so little is lost
        try:
            found = _flat_evaluations(body)
        except _FAULTS:
            flat = False
            try:
                found = _evaluations(body)
            except _FAULTS as error:
                return _leniently(sound.check(body, DEPTH), error, most)
    semantic = _semantic(found.options)
    if not found.evaluations:
        return read_evaluation(body)
    _not_more(len(found.evaluations), most)
    _check(body, found, 1 + len(found.evaluations), flat=flat)
    if found.__class__ is WholeEvaluations and found.context is None:
        return Batch(cast("list[Evaluation | Problem]", found.evaluations), semantic, flat, own=True)
    return Batch([_whole(item, found) for item in found.evaluations], semantic, flat)


_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _check(body: bytes, found: Evaluation | Evaluations, count: int, *, flat: bool) -> None:
    """Raise `Problem` for a body that is not sound, given what was decoded of it: so many evaluations."""
    encoded = _encode(found)
    if flat and encoded == body:
        return
    if not sound.visibly(body, encoded, None if flat else _OBJECTS * count):
        sound.check(body, DEPTH)


def read_search(body: bytes, kind: type[Search]) -> Search:
    """Return the search a body asks for. Raises `Problem`."""
    sound.check(body, DEPTH)
    try:
        found: Search = _searches[kind](body)
    except _FAULTS as error:
        raise refused(body, error) from None
    if found.page is not None and found.page.limit is not None and found.page.limit < 0:
        raise bad_request(MALFORMED, "a limit is not negative", "page.limit")
    return found


def refused(body: bytes, error: Exception) -> Problem:
    """Return what is wrong with a body that does not decode; the slow reading has the better words."""
    try:
        sound.check(body, DEPTH)
    except Problem as problem:
        return problem
    return misshapen(error)


def misshapen(error: Exception) -> Problem:
    """Return what is wrong with a sound body that is not the message that is due, with the path to it."""
    message, _, place = str(error).partition(" - at `$")
    return bad_request(MALFORMED, message, place.rstrip("`").lstrip("."))


# --- batches -----------------------------------------------------------------------------------------------


def _semantic(options: Mapping[str, Any] | None) -> str:
    chosen = ALL if options is None else options.get("evaluations_semantic", ALL)
    if chosen not in SEMANTICS:
        known = ", ".join(SEMANTICS)
        raise bad_request(MALFORMED, f"not one of {known}", "options.evaluations_semantic")
    return str(chosen)


def _not_more(count: int, most: int) -> None:
    if count > most:
        raise bad_request("batch-limit", f"{count:,} evaluations in one request; at most {most:,}", "evaluations")


def _whole(item: Item, batch: Evaluations) -> Evaluation | Problem:
    """Return an item with the batch's entities, each taken whole, where it has none of its own."""
    if item.subject is None:
        item.subject = batch.subject
    if item.action is None:
        item.action = batch.action
    if item.resource is None:
        item.resource = batch.resource
    if item.context is None:
        item.context = batch.context
    if item.subject is None or item.action is None or item.resource is None:
        return _missing(subject=item.subject, action=item.action, resource=item.resource)
    return item  # type: ignore[return-value]  # it has all that one has


def _missing(**entities: Any) -> Problem:
    name = next(name for name, found in entities.items() if found is None)
    return bad_request(MALFORMED, f"neither the evaluation nor the batch has `{name}`", name)


_TYPES: Mapping[str, Any] = {
    "subject": Entity,
    "action": Action,
    "resource": Entity,
    "context": dict[str, Any] | None,
}


def _leniently(value: Any, error: Exception, most: int) -> Batch | tuple[Evaluation, bool]:
    """Return a batch of which an item, or an entity for items, is malformed; each such item has its problem."""
    items = value.get("evaluations") if isinstance(value, dict) else None
    options = value.get("options") if isinstance(value, dict) else None
    if not isinstance(items, list) or not items or not isinstance(options, dict | None):
        raise misshapen(error)
    if any(not isinstance(value.get(name), dict | None) for name in _TYPES):
        raise misshapen(error)
    semantic = _semantic(options)
    _not_more(len(items), most)
    own = {name: _converted(value[name], name) for name in _TYPES if value.get(name) is not None}
    return Batch([_lenient(item, own) for item in items], semantic, flat=False)


def _lenient(item: Any, own: Mapping[str, Any]) -> Evaluation | Problem:
    if not isinstance(item, dict):
        return bad_request(MALFORMED, f"Expected `object`, got `{type(item).__name__}`")
    held = dict(own)
    held.update({name: _converted(item[name], name) for name in _TYPES if item.get(name) is not None})
    problems: Iterable[Problem] = (found for found in held.values() if isinstance(found, Problem))
    for problem in problems:
        return problem
    three = {name: held.get(name) for name in ("subject", "action", "resource")}
    if None in three.values():
        return _missing(**three)
    return Evaluation(**three, context=held.get("context"))  # type: ignore[arg-type]  # none of them is None


def _converted(value: Any, name: str) -> Any:
    try:
        return msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError as error:
        found = misshapen(error)
        return bad_request(MALFORMED, found.message, f"{name}.{found.path}".rstrip("."))
