"""Bodies whose signature is over the bytes as they came."""

from __future__ import annotations

from fastapi import Request

from api.errors import BodyTooLarge

__all__ = ["read_signed"]


async def read_signed(request: Request, limit: int) -> bytes:
    """The bytes of the body, of which no more than ``limit`` are kept. Raises ``BodyTooLarge``."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > limit:
            raise BodyTooLarge(limit)
    return bytes(read)
