"""Keys over HTTP: made, changed, rotated and ended by keys that may publish, which grant no more than they have.

Nobody comes to two names by it: a key that may publish, for somebody else, is made of a digest, so that its holder
alone has its text, and waits until a third approves it (`storage.policies.api_keys`). Any other key's text is in
the one answer that makes it, and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from abac.condition.schema import Assurance
from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Asked, Moment, Why, examples
from abac.rest.callers import keys
from abac.rest.callers.about import WORD, read_about, within
from abac.rest.callers.keyform import changed, read_key, shown, written
from abac.rest.callers.keys import DIGEST, Caller, Key, Rate, Role
from abac.rest.problems import Problem, forbidden
from abac.rest.settings import Level
from abac.service.ceiling import Ceiling
from abac.service.store import Store
from abac.storage.policies.api_keys import ApiKey, Terms
from abac.storage.policies.names import same_person

TAG = "Keys"
MOST = 200

Identity = Annotated[str, Path(pattern=r"^[0-9a-f]{1,64}$", description="The key's id.")]
Resources = Annotated[tuple[Annotated[str, Field(pattern=WORD, max_length=400)], ...], Field(max_length=MOST)]
Names = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=MOST)]


class KeyRate(Asked):
    """So many requests a second in the long run, and so many at once."""

    per_second: Annotated[float, Field(gt=0, le=1e9)]
    burst: Annotated[int, Field(ge=1, le=1_000_000_000)]


class Granted(Asked):
    """What a key may do, and what its word is worth; what is left out of a change stays as it is."""

    roles: Annotated[tuple[Role, ...] | None, Field(min_length=1)] = None
    ceiling: Level | None = None
    complete_sets: bool | None = None
    discharges: Names | None = None
    sees: Annotated[
        Names | None, Field(description="Attributes, or sealed fields, whose values it may be shown; `*`: all.")
    ] = None
    rate: KeyRate | None = None
    about: Annotated[
        Resources | None,
        Field(
            min_length=1,
            description="What it may ask about: `TYPE`, all of a type, or `TYPE=ID`, one. Default: everything.",
        ),
    ] = None
    until: Moment | None = None


class NewKey(Granted):
    """A key to be made: for whom, and why."""

    model_config = examples(
        {
            "name": "gateway",
            "roles": ["decide"],
            "rate": {"per_second": 500, "burst": 1000},
            "why": "The new gateway",
        },
        {
            "name": "Bob",
            "roles": ["publish", "read"],
            "digest": f"{'0a' * 8}:{'5e' * 32}",
            "until": "2027-06-01T00:00:00Z",
            "why": "Bob approves from now on",
        },
    )
    name: Annotated[str, Field(min_length=1, max_length=200)]
    digest: Annotated[
        str | None,
        Field(pattern=DIGEST, description="Of a text that the holder keeps, as `abac key text` gives it."),
    ] = None
    why: Why


class ChangedKey(Granted):
    """Other terms for a key, and why."""

    model_config = examples({"sees": ["subject.id"], "why": "It answers requests under Art. 15 GDPR."})
    why: Why


class Because(Asked):
    """Why it is done."""

    model_config = examples({"why": "It was seen in a repository."})
    why: Why


class Rotation(Asked):
    """Why a key gets a new secret, and for how many hours the one it had still holds."""

    model_config = examples({"why": "Its quarter is over.", "overlap_hours": 48})
    why: Why
    overlap_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 24.0


class ShownKey(BaseModel):
    """A key without its secrets. `pending` is who made it, until somebody else approves it."""

    id: str
    name: str
    roles: list[Role]
    ceiling: Level
    sets: str
    created: str
    discharges: list[str] = []
    sees: list[str] = []
    rate: KeyRate | None = None
    about: list[str] | None = None
    until: str | None = None
    pending: str = ""
    seq: int


class MadeKey(BaseModel):
    """A key with its text, which is told this once; None where its holder has it already."""

    key: ShownKey
    text: str | None


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    table, clock = store.policies.api_keys, store.log.clock

    @on.read.get("/admin/v1/keys", tags=[TAG], summary="The keys of the database, without their secrets")
    def keys_shown() -> list[ShownKey]:
        return [_shown(one) for one in table.all()]

    @on.publish.post("/admin/v1/keys", tags=[TAG], summary="Make a key", status_code=201)
    def make_key(body: NewKey, caller: Asking) -> MadeKey:
        first = Caller(body.name)
        holder, text = replace(first, **_said(body, first)), None
        if body.digest is not None:
            made = keys.generate_from(body.digest, holder, clock(), until=body.until)
        elif _is_second_person(holder, caller):
            message = "a key by which somebody else publishes is made of a digest: only they may have its text"
            raise Problem(403, "key-digest", message, path="digest", more={"next": "they run: abac key text"})
        else:
            made, text = keys.generate(holder, clock(), until=body.until)
        _within(made, caller)
        kept = table.make(made.id, written(made), who=caller.name, why=body.why)
        return MadeKey(key=_shown(kept), text=text)

    @on.publish.post("/admin/v1/keys/{identity}/approval", tags=[TAG], summary="Approve a key that waits")
    def approve_key(identity: Identity, body: Because, caller: Asking) -> ShownKey:
        _within(_read(identity, _known(identity).terms), caller)
        return _shown(table.approve(identity, who=caller.name, why=body.why))

    @on.publish.patch("/admin/v1/keys/{identity}", tags=[TAG], summary="Change what a key may do")
    def change_key(identity: Identity, body: ChangedKey, caller: Asking) -> ShownKey:
        _known(identity)

        def edit(terms: Terms) -> Terms:
            before = _read(identity, terms)
            after = changed(before, **_said(body, before.caller))
            _within(after, caller)
            return written(after)

        return _shown(table.change(identity, edit, who=caller.name, why=body.why))

    @on.publish.post("/admin/v1/keys/{identity}/rotation", tags=[TAG], summary="Give a key a new secret")
    def rotate_key(identity: Identity, body: Rotation, caller: Asking) -> MadeKey:
        _known(identity)
        told: list[str] = []

        def edit(terms: Terms) -> Terms:
            before = _read(identity, terms)
            _within(before, caller)
            now = clock()
            after, text = keys.rotate(before, now, now + timedelta(hours=body.overlap_hours))
            told.append(text)
            return written(after)

        kept = table.rotate(identity, edit, who=caller.name, why=body.why)
        return MadeKey(key=_shown(kept), text=told[-1])

    @on.publish.post("/admin/v1/keys/{identity}/revocation", tags=[TAG], summary="End a key, at once")
    def revoke_key(identity: Identity, body: Because, caller: Asking) -> ShownKey:
        _known(identity)

        def edit(terms: Terms) -> Terms:
            return written(keys.revoke(_read(identity, terms), clock()))

        return _shown(table.revoke(identity, edit, who=caller.name, why=body.why))

    def _is_second_person(holder: Caller, caller: Caller) -> bool:
        two = Role.PUBLISH in holder.roles and not same_person(holder.name, caller.name)
        return two and not store.policies.settings.one_person()

    def _known(identity: str) -> ApiKey:
        found = table.get(identity)
        if found is None:
            raise Problem(404, "policy-key", f"there is no key `{identity}`")
        return found


def exceeding(granted: Key, by: Caller) -> list[str]:
    """Return what a key would have that a caller has not: nobody grants more than that."""
    of = granted.caller
    found = [f"role {role.value}" for role in sorted(of.roles - by.roles, key=lambda r: r.value)]
    if of.ceiling.assurance > by.ceiling.assurance:
        found.append(f"ceiling {of.ceiling.assurance}")
    if of.ceiling.complete and not by.ceiling.complete:
        found.append("complete sets")
    found += [f"discharges {name}" for name in sorted(of.discharges - by.discharges)]
    found += [f"sees {name}" for name in sorted(of.sees) if not by.may_see(name)]
    if not within(of.about, by.about):
        found.append("resources that it may not ask about")
    if by.rate is not None and (
        of.rate is None or of.rate.per_second > by.rate.per_second or of.rate.burst > by.rate.burst
    ):
        found.append(f"more than {by.rate.per_second:g} requests a second, {by.rate.burst} at once")
    if by.until is not None and (granted.until is None or granted.until > by.until):
        found.append(f"a life beyond {by.until.isoformat()}")
    return found


def _within(granted: Key, by: Caller) -> None:
    if more := exceeding(granted, by):
        raise forbidden(f"this key cannot give what it has not: {'; '.join(more)}"[:400])


def _said(body: Granted, before: Caller) -> dict[str, Any]:
    """Return what a body says of a caller's fields."""
    found: dict[str, Any] = {}
    if body.roles is not None:
        found["roles"] = frozenset(body.roles)
    if body.ceiling is not None or body.complete_sets is not None:
        level = before.ceiling.assurance if body.ceiling is None else _LEVELS[body.ceiling]
        complete = before.ceiling.complete if body.complete_sets is None else body.complete_sets
        found["ceiling"] = Ceiling(level, complete)
    if body.discharges is not None:
        found["discharges"] = frozenset(body.discharges)
    if body.sees is not None:
        found["sees"] = frozenset(body.sees)
    if body.rate is not None:
        found["rate"] = Rate(body.rate.per_second, body.rate.burst)
    if body.about is not None:
        found["about"] = read_about(body.about)
    if body.until is not None:
        found["until"] = body.until
    return found


_LEVELS = {str(level): level for level in Assurance}


def _read(identity: str, terms: Terms) -> Key:
    try:
        return read_key(identity, terms)
    except ValueError:
        raise _damaged(identity) from None


def _shown(held: ApiKey) -> ShownKey:
    try:
        return ShownKey.model_validate(shown(held.id, held.terms) | {"pending": held.pending, "seq": held.seq})
    except ValueError:
        raise _damaged(held.id) from None


def _damaged(identity: str) -> Problem:
    message = f"key `{identity}` was changed behind the log's back"
    return Problem(409, "policy-changed", message, more={"next": "abac audit verify"})
