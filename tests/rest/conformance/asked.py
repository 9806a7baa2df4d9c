"""The entities of the certification fixture, as requests name them."""

from __future__ import annotations

from typing import Any

ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
ADMIN = BOB | {"properties": {"role": "admin"}}
READ, WRITE = {"name": "read"}, {"name": "write"}
RECORD, OTHER = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}
ACTIVE = RECORD | {"properties": {"status": "active"}}
ARCHIVED = OTHER | {"properties": {"status": "archived"}}


def asked(subject: Any = ALICE, action: Any = READ, resource: Any = RECORD, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "action": action, "resource": resource, **more}


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return a body without the member at a path."""
    if len(path) == 1:
        return {name: value for name, value in body.items() if name != path[0]}
    return body | {path[0]: without(body[path[0]], *path[1:])}
