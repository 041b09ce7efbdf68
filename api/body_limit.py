"""Upper bound of a request body, kept while it arrives: its announced length is only a hint."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import error_response
from api.errors import BodyTooLarge, FileTooLarge
from papers.uploads import MAX_UPLOAD_BYTES

__all__ = ["MAX_BODY_BYTES", "MAX_STATE_BYTES", "BodyLimit", "limit_of", "too_large"]

# 100 numbers with all their options are about 40 KiB (contract section 2).
MAX_BODY_BYTES = 1024 * 1024
MAX_STATE_BYTES = 8 * 1024 * 1024
"""Of a whole configuration: ten thousand numbers with settings of their own."""

UPLOAD_OVERHEAD = 64 * 1024
"""What the other parts and the headers of a multipart body may take."""

_UPLOAD = ("POST", "/v1/sip/port/document")
_LARGER = {
    ("PUT", "/v1/sip/state"): MAX_STATE_BYTES,
    _UPLOAD: MAX_UPLOAD_BYTES + UPLOAD_OVERHEAD,
}


def limit_of(method: str, path: str, otherwise: int = MAX_BODY_BYTES) -> int:
    """The bound of a route's bodies in bytes."""
    return _LARGER.get((method, path), otherwise)


def too_large(method: str, path: str, limit: int) -> BodyTooLarge | FileTooLarge:
    """How a body beyond ``limit`` bytes is refused; of an upload it is the file that is too large."""
    return FileTooLarge(MAX_UPLOAD_BYTES) if (method, path) == _UPLOAD else BodyTooLarge(limit)


class _Exceeded(Exception):
    """More bytes arrived than the bound allows."""


class BodyLimit:
    """ASGI middleware: 413 as soon as a body is known to be larger than ``limit`` bytes, or than the
    bound of its route."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["method"], scope["path"], self._limit)
        refusal = too_large(scope["method"], scope["path"], limit)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            await error_response(refusal)(scope, receive, send)
            return
        received = 0
        exceeded = False

        async def receive_bounded() -> Message:
            nonlocal received, exceeded
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                exceeded = True
                raise _Exceeded
            return message

        async def send_unless_exceeded(message: Message) -> None:
            # The framework answers 400 to any trouble with the body; the reason is known better here.
            if not exceeded:
                await send(message)

        with suppress(_Exceeded):
            await self._app(scope, receive_bounded, send_unless_exceeded)
        if exceeded:
            await error_response(refusal)(scope, receive, send)
