"""API keys as a table: whom they are for and what they may do, every state of each an entry of the log.

A key's terms are plain data, as a document of keys has them (`rest.keyform` reads them); of its text there is the
SHA-256 only. Whoever publishes under two names must not hold both of them: a key with the role `publish` for
somebody else waits for a second person, and its new secrets go to its holder alone. What a caller may grant is
left to the door that knows the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from abac.audit.deciding import TOKEN
from abac.storage.appending import Appending
from abac.storage.log import DecisionLog
from abac.storage.policies.acts import KEY_APPROVED, KEY_CHANGED, KEY_MADE, KEY_REVOKED, KEY_ROTATED, carry_out
from abac.storage.policies.errors import PolicyKeyError, PolicySamePersonError
from abac.storage.policies.names import same_person, told_name, told_why
from abac.storage.policies.settings import is_one_person, two_persons
from abac.storage.tables import API_KEYS

PUBLISH = "publish"
"""The role whose holder counts as a person when two are wanted."""

Terms = Mapping[str, Any]
Edit = Callable[[Terms], Terms]


class ApiKey(NamedTuple):
    """A key as it is: the entry that says so, and its terms. `pending` is who made it, until somebody approves."""

    id: str
    seq: int
    holder: str
    pending: str
    terms: Terms


class _Said(NamedTuple):
    who: str
    why: str
    approver: str


class ApiKeys:
    """The API keys of one database. Share it between threads."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log

    # --- acts ------------------------------------------------------------------------------------------------

    def make(self, identity: str, terms: Terms, *, who: str, why: str, approver: str = "") -> ApiKey:
        """Keep a new key. One that may publish, for somebody else, opens nothing until a second person approves.

        Raises `PolicyWordsError` for a name or a reason, `PolicySamePersonError` for an approver who is not
        another, `PolicyKeyError` where there is a key of that id.
        """
        said = _said(who, why, approver)
        if told_name(terms["name"], "the key's holder").startswith(TOKEN):
            raise PolicyKeyError(f"`{TOKEN}` begins the names of those who come with a token", "name it otherwise")
        with self._log.appending() as appending:
            if _row(appending.connection, identity) is not None:
                raise PolicyKeyError(f"there is a key `{identity}` already")
            pending = said.who if self._wants_two(appending, said, terms) and not said.approver else ""
            if said.approver:
                self._check_approver(appending, said.approver, said.who, terms["name"])
            return self._put(appending, KEY_MADE, identity, terms, said, pending)

    def approve(self, identity: str, *, who: str, why: str) -> ApiKey:
        """Let a key that waits open what it is for; neither who made it nor its holder can."""
        said = _said(who, why, "")
        with self._log.appending() as appending:
            key = self._standing(appending, identity)
            if not key.pending:
                raise PolicyKeyError(f"key `{identity}` waits for nobody")
            self._check_approver(appending, said.who, key.pending, key.holder)
            return self._put(appending, KEY_APPROVED, identity, key.terms, said, "")

    def change(self, identity: str, edit: Edit, *, who: str, why: str, approver: str = "") -> ApiKey:
        """Give a key other terms, its holder apart; to let somebody else publish takes two persons."""
        return self._edited(KEY_CHANGED, identity, edit, _said(who, why, approver))

    def rotate(self, identity: str, edit: Edit, *, who: str, why: str, approver: str = "") -> ApiKey:
        """Give a key another secret, which `who` is shown: of one that may publish, only its holder, or by two."""
        return self._edited(KEY_ROTATED, identity, edit, _said(who, why, approver))

    def revoke(self, identity: str, edit: Edit, *, who: str, why: str) -> ApiKey:
        """End a key; anybody who may look after keys can end any."""
        said = _said(who, why, "")
        with self._log.appending() as appending:
            key = self._standing(appending, identity)
            return self._put(appending, KEY_REVOKED, identity, edit(key.terms), said, key.pending)

    def _edited(self, kind: str, identity: str, edit: Edit, said: _Said) -> ApiKey:
        with self._log.appending() as appending:
            key = self._standing(appending, identity)
            if key.pending:
                raise PolicyKeyError(f"key `{identity}` waits for a second person", "approve it, or revoke it")
            terms = edit(key.terms)
            if terms["name"] != key.holder:
                raise PolicyKeyError(f"key `{identity}` is {key.holder}'s, and stays so", "make another key")
            gains = kind == KEY_ROTATED or PUBLISH not in key.terms["roles"]
            if gains and self._wants_two(appending, said, terms):
                what = (
                    f"to have the secret of {key.holder}'s key" if kind == KEY_ROTATED else "to let others publish"
                )
                two_persons(said.who, said.approver, what, "make a new key, which somebody else approves")
                self._check_approver(appending, said.approver, said.who, key.holder)
            return self._put(appending, kind, identity, terms, said, "")

    # --- rules -----------------------------------------------------------------------------------------------

    def _wants_two(self, appending: Appending, said: _Said, terms: Terms) -> bool:
        """Whether terms would put a name other than their maker's into the maker's hands."""
        one = is_one_person(appending.connection)
        return PUBLISH in terms["roles"] and not same_person(said.who, terms["name"]) and not one

    def _check_approver(self, appending: Appending, approver: str, maker: str, holder: str) -> None:
        if is_one_person(appending.connection):
            return
        for other, what in ((maker, "made the key"), (holder, "would hold the key")):
            if same_person(approver, other):
                raise PolicySamePersonError(f"`{approver}` {what}, and cannot approve it")

    def _standing(self, appending: Appending, identity: str) -> ApiKey:
        found = _row(appending.connection, identity)
        if found is None:
            raise PolicyKeyError(f"there is no key `{identity[:80]}`")
        return found

    def _put(
        self, appending: Appending, kind: str, identity: str, terms: Terms, said: _Said, pending: str
    ) -> ApiKey:
        what = {"id": identity, "pending": pending, "terms": dict(terms)}
        carry_out(appending, kind, what, who=said.who, why=said.why, approver=said.approver)
        made = _row(appending.connection, identity)
        assert made is not None  # noqa: S101  # just written
        return made

    # --- reading ---------------------------------------------------------------------------------------------

    def get(self, identity: str) -> ApiKey | None:
        """Return the key of that id, or None."""
        with self._log.database.reading() as connection:
            return _row(connection, identity)

    def all(self) -> list[ApiKey]:
        """Return every key, in the order in which they came to be as they are."""
        with self._log.database.reading() as connection:
            return [_key(row) for row in connection.execute(sa.select(API_KEYS).order_by(API_KEYS.c.seq))]

    def version(self) -> int:
        """Return what grows whenever any key changes; cheap enough to ask again and again."""
        with self._log.database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.sum(API_KEYS.c.seq))) or 0)


def _said(who: str, why: str, approver: str) -> _Said:
    return _Said(told_name(who), told_why(why), told_name(approver, "--approver") if approver.strip() else "")


def _row(connection: sa.Connection, identity: str) -> ApiKey | None:
    row = connection.execute(sa.select(API_KEYS).where(API_KEYS.c.id == identity)).one_or_none()
    return None if row is None else _key(row)


def _key(row: sa.Row[Any]) -> ApiKey:
    try:
        terms = json.loads(row.terms)
    except ValueError:
        terms = {}  # changed by hand, as `derive` tells: it opens nothing
    return ApiKey(row.id, row.seq, row.holder, row.pending, terms)
