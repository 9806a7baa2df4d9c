"""The floor: a bare ASGI endpoint on the same uvicorn, which decodes a body in C and decides nothing."""

from __future__ import annotations

from typing import Any

import msgspec

_decode = msgspec.json.decode
_BODY = b'{"decision":true}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())],
}


async def app(_: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    _decode(body)
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})
