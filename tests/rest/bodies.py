"""Bodies that are wrong in some way: every one must be refused with a message, never answered, never a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.rest.conformance.asked import asked

WHOLE: dict[str, Any] = asked(
    {"type": "user", "id": "alice", "properties": {"role": "manager"}},
    {"name": "delete", "properties": {"soft": True}},
    {"type": "record", "id": "record-1", "properties": {"status": "active"}},
    context={"time": "2025-06-27T18:03-07:00"},
)
REQUIRED = [
    ("subject",),
    ("action",),
    ("resource",),
    ("subject", "type"),
    ("subject", "id"),
    ("action", "name"),
    ("resource", "type"),
    ("resource", "id"),
]
OBJECTS = [
    ("subject",),
    ("action",),
    ("resource",),
    ("context",),
    ("subject", "properties"),
    ("resource", "properties"),
    ("action", "properties"),
]
OTHER_TYPES: list[Any] = [7, 1.5, True, "text", [], [{}], -1, "", [[]]]
HUGE = [
    "1e999",
    "-1e999",
    "9" * 30,
    "-" + "9" * 400,
    "1" + "0" * 5_000,
    "NaN",
    "Infinity",
    "-Infinity",
    "0x1",
    "01",
    ".5",
    "+1",
]
BAD_BYTES = [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf", b"\x00", b"\x1f"]
BAD_ESCAPES = ['"\\ud800"', '"\\udc00x"', '"\\x41"', '"\\u12"', '"\\"', "'text'"]


def malformed(count: int, seed: int) -> Iterator[bytes]:
    """Yield bodies, each wrong for certain."""
    source = random.Random(seed)
    kinds = [truncated, deep, huge, twice, bad_utf8, bad_escape, wrong_type, missing, noise, not_an_object]
    for n in range(count):
        yield kinds[n % len(kinds)](source)


def _at(path: tuple[str, ...], value: Any) -> str:
    """Return the whole body as text, with a raw JSON text in the place of one value."""
    mark = "\0place\0"
    body = json.loads(json.dumps(WHOLE))
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = mark
    return json.dumps(body).replace(json.dumps(mark), value)


def _place(source: random.Random) -> tuple[str, ...]:
    return source.choice(
        [
            ("subject", "properties", "role"),
            ("subject", "properties", "x"),
            ("context", "x"),
            ("unknown",),
            *REQUIRED,
        ]
    )


def truncated(source: random.Random) -> bytes:
    text = json.dumps(WHOLE, indent=source.choice([None, 1])).encode()
    return text[: source.randrange(len(text))]


def deep(source: random.Random) -> bytes:
    levels = source.choice([17, 40, 400, 2_000, 50_000])
    left, right = source.choice([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
    closed = right * levels if source.random() < 0.7 else ""
    return _at(
        source.choice([("subject", "properties", "x"), ("context", "x"), ("unknown",)]),
        left * levels + "1" + closed,
    ).encode()


def huge(source: random.Random) -> bytes:
    return _at(_place(source), source.choice(HUGE)).encode()


def twice(source: random.Random) -> bytes:
    """Name a member twice, in one of the ways in which that may be hidden."""
    whole = json.dumps(WHOLE, separators=source.choice([(",", ":"), (", ", ": "), (" , ", " : ")]))
    name = source.choice(["subject", "id", "role", "name", "type", "properties"])
    at = whole.index(f'"{name}"')
    spelt = source.choice([name, f"\\u{ord(name[0]):04x}{name[1:]}"])
    value = source.choice(['"x"', "{}", "1", "null", '{"a":":"}', '"\\":"'])
    return f'{whole[:at]}"{spelt}":{value},{whole[at:]}'.encode()


def bad_utf8(source: random.Random) -> bytes:
    text = _at(_place(source), '"MARK"').encode()
    return text.replace(b"MARK", b"a" + source.choice(BAD_BYTES) + b"z")


def bad_escape(source: random.Random) -> bytes:
    return _at(_place(source), source.choice(BAD_ESCAPES)).encode()


def wrong_type(source: random.Random) -> bytes:
    path = source.choice([*OBJECTS, *REQUIRED])
    fits = path in REQUIRED and len(path) == 2  # a string is due there
    others = [v for v in OTHER_TYPES if not (fits and isinstance(v, str))]
    return _at(path, json.dumps(source.choice(others))).encode()


def missing(source: random.Random) -> bytes:
    path = source.choice(REQUIRED)
    body = json.loads(json.dumps(WHOLE))
    place = body
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return json.dumps(body).encode()


def noise(source: random.Random) -> bytes:
    return bytes(source.choice(b'{}[]",:\\ abc019-.\xff\n') for _ in range(source.randrange(1, 60)))


def not_an_object(source: random.Random) -> bytes:
    whole = json.dumps(WHOLE)
    return source.choice(
        [f"[{whole}]", f'"{len(whole)}"', whole + whole, whole + "x", "\ufeff" + whole, "null", "7"]
    ).encode()
