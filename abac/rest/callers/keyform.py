"""A key as plain data, as a document of keys and the entries of the log have it: digests in it, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from abac.audit.clock import stamp
from abac.condition.schema import Assurance
from abac.rest.callers.about import read_about
from abac.rest.callers.keys import Caller, Key, Rate, Role, Secret
from abac.service.ceiling import Ceiling

_BYTES = 32


class _Secret(msgspec.Struct, forbid_unknown_fields=True):
    sha256: str
    until: datetime | None = None


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    per_second: float
    burst: int


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    created: datetime
    secrets: list[_Secret]
    roles: tuple[str, ...] = ("decide",)
    ceiling: str = "declared"
    sets: str = "incomplete"
    discharges: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    rate: _Rate | None = None
    until: datetime | None = None
    about: tuple[str, ...] | None = None


def read_key(identity: str, data: Any) -> Key:
    """Return the key that data say. Raises `ValueError` with what is wrong."""
    try:
        body = msgspec.convert(data, _Key)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    level = next((a for a in Assurance if str(a) == body.ceiling), None)
    if level is None:
        raise ValueError(f"`{body.ceiling}` is not an assurance")
    if body.sets not in ("complete", "incomplete"):
        raise ValueError("`sets` is complete or incomplete")
    for moment in (body.created, body.until, *(s.until for s in body.secrets)):
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a time needs an offset, such as `Z`")
    caller = Caller(
        body.name,
        frozenset(Role(word) for word in body.roles),
        Ceiling(level, body.sets == "complete"),
        frozenset(body.discharges),
        None if body.rate is None else Rate(body.rate.per_second, body.rate.burst),
        frozenset(body.sees),
        body.until,
        None if body.about is None else read_about(body.about),
    )
    digests = tuple(Secret(bytes.fromhex(s.sha256), s.until) for s in body.secrets)
    if any(len(s.sha256) != _BYTES for s in digests):
        raise ValueError("a digest has 64 hexadecimal digits")
    return Key(identity, caller, body.created, digests, body.until)


def written(key: Key) -> dict[str, Any]:
    """Return a key as data."""
    caller = key.caller
    found: dict[str, Any] = {
        "name": caller.name,
        "created": stamp(key.created),
        "roles": sorted(role.value for role in caller.roles),
        "ceiling": str(caller.ceiling.assurance),
        "sets": "complete" if caller.ceiling.complete else "incomplete",
        "secrets": [
            {"sha256": s.sha256.hex()} | ({} if s.until is None else {"until": stamp(s.until)})
            for s in key.secrets
        ],
    }
    if caller.discharges:
        found["discharges"] = sorted(caller.discharges)
    if caller.sees:
        found["sees"] = sorted(caller.sees)
    if caller.about is not None:
        found["about"] = sorted(map(str, caller.about))
    if caller.rate:
        found["rate"] = {"per_second": caller.rate.per_second, "burst": caller.rate.burst}
    if key.until:
        found["until"] = stamp(key.until)
    return found


def described(key: Key) -> dict[str, Any]:
    """Return a key as it is shown to people, without its digests."""
    return shown(key.id, written(key))


def shown(identity: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key's data as they are shown to people, without its digests."""
    return {"id": identity} | {name: value for name, value in data.items() if name != "secrets"}


def changed(key: Key, **of: Any) -> Key:
    """Return the key with another caller's fields: `roles`, `ceiling` and so on; `until` is the key's too."""
    until = of.get("until", key.until)
    return replace(key, caller=replace(key.caller, **of), until=until)
