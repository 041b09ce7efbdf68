"""One POST over HTTP/1.1 to a place that others chose, and the answer as a value.

Limits: ``CONNECTING`` for a connection, ``DEADLINE`` for everything with its redirects, ``MAX_BODY`` of
the answer, ``READING`` for its body. Each delivery has a connection of its own, so nothing that one
receiver does outlives it. TLS is verified against the name in the URL. No proxy is used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore
import httpx

from channels.base import Delivered, Failed, Receipt, Refused, reason
from channels.guarded_network import GuardedNetwork, NameLookup, NameNotFound, system_names
from sip.net.guard import AddressGuard, TargetNotAllowed

__all__ = [
    "CONNECTING",
    "DEADLINE",
    "LONGEST_WAIT",
    "MAX_BODY",
    "MAX_REDIRECTS",
    "READING",
    "HttpAnswer",
    "HttpSender",
    "receipt_of",
]

CONNECTING: Final = 3.0
DEADLINE: Final = 10.0
READING: Final = 2.0
"""Seconds. Once the status is known, the body tells little; who feeds it in drips is not waited for."""

MAX_BODY: Final = 4096
MAX_REDIRECTS: Final = 3
LONGEST_WAIT: Final = timedelta(hours=1)
"""Of a Retry-After; a receiver cannot put alerts off for a year."""

_KEEPS_METHOD: Final = frozenset({307, 308})
_TRY_AGAIN: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The final response: as much of its ``body`` as was read, and how long to wait by it."""

    status: int
    body: bytes
    retry_after: timedelta | None = None


class HttpSender:
    """Posts to URLs; ``guard`` decides which addresses, ``tls`` what to trust."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        user_agent: str,
        tls: ssl.SSLContext | None = None,
        names: NameLookup = system_names,
        connecting: float = CONNECTING,
        deadline: float = DEADLINE,
        reading: float = READING,
    ) -> None:
        self._guard = guard
        self._user_agent = user_agent
        self._tls = tls or ssl.create_default_context()
        self._names = names
        self._connecting = connecting
        self._deadline = deadline
        self._reading = reading

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Sequence[tuple[str, str]] = (),
        *,
        redirects: int = 0,
    ) -> HttpAnswer | Refused | Failed:
        """The answer of whoever answers in the end, or why there is none.

        Redirects are followed, ``redirects`` times at most, only those that keep the method (307,
        308) and lead to https; the guard is asked about each. Any other is the answer.
        """
        try:
            async with asyncio.timeout(self._deadline):
                return await self._posted(httpx.URL(url), body, headers, redirects)
        except httpx.InvalidURL:
            return Refused("the URL cannot be read: correct it")
        except TargetNotAllowed as error:
            return Refused(f"the address is not permitted: {reason(str(error))}")
        except NameNotFound as error:
            return Failed(f"{reason(str(error))}: check the URL and its DNS")
        except ssl.SSLCertVerificationError as error:
            return _untrusted(error)
        except httpcore.ConnectError as error:
            cause = _verification(error)
            if cause is not None:
                return _untrusted(cause)
            return Failed(f"no connection: {reason(str(error)) or 'refused'}")
        except (TimeoutError, httpcore.TimeoutException):
            return Failed(f"no answer within {self._deadline:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Failed(f"the connection broke: {reason(str(error)) or 'closed by the receiver'}")

    async def _posted(
        self, url: httpx.URL, body: bytes, headers: Sequence[tuple[str, str]], redirects: int
    ) -> HttpAnswer | Refused | Failed:
        while True:
            if url.scheme not in {"https", "http"} or not url.host or url.userinfo:
                return Refused("the URL must start with https:// and hold no user name")
            answer, location = await self._once(url, body, headers)
            if answer.status not in _KEEPS_METHOD or location is None or redirects == 0:
                return answer
            redirects -= 1
            url = url.join(location)
            if url.scheme != "https":
                return Refused("it redirects to a place without https: enter the final URL")

    async def _once(
        self, url: httpx.URL, body: bytes, headers: Sequence[tuple[str, str]]
    ) -> tuple[HttpAnswer, str | None]:
        network = GuardedNetwork(self._guard, self._names, only_allowed=url.scheme == "http")
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        sent = [(b"user-agent", self._user_agent.encode()), (b"accept", b"*/*")]
        sent += [(name.encode(), value.encode()) for name, value in headers]
        timeouts = {"connect": self._connecting, "read": self._deadline, "write": self._deadline}
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(
                httpcore.AsyncConnectionPool(self._tls, max_connections=1, network_backend=network)
            )
            response = await stack.enter_async_context(
                pool.stream(
                    "POST", target, headers=sent, content=body, extensions={"timeout": timeouts}
                )
            )
            found = {name.lower(): value for name, value in response.headers}
            answer = HttpAnswer(
                status=response.status,
                body=await self._start_of(response),
                retry_after=_wait(found.get(b"retry-after")),
            )
        location = found.get(b"location")
        return answer, None if location is None else location.decode("latin-1")

    async def _start_of(self, response: httpcore.Response) -> bytes:
        """The first bytes of the body; one that breaks off or hangs changes nothing."""
        read = bytearray()
        try:
            async with asyncio.timeout(self._reading):
                async for part in response.aiter_stream():
                    read += part
                    if len(read) >= MAX_BODY:
                        break
        except (
            TimeoutError,
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
        ):
            pass
        return bytes(read[:MAX_BODY])


def receipt_of(answer: HttpAnswer, *, is_final: bool) -> Receipt:
    """What a status means.

    2xx is success, 410 asks to stop. 408, 425, 429 and 5xx pass. Of the others a webhook's are
    repeated, as Standard Webhooks says: a receiver that is being put up answers anything. With
    ``is_final`` a 4xx is the answer of a service that knows what it says.
    """
    words = f"HTTP {answer.status}"
    if 200 <= answer.status < 300:
        return Delivered(words)
    if answer.status == 410:
        return Refused(f"{words}: the receiver wants nothing more", gone=True)
    if answer.status in _TRY_AGAIN or answer.status >= 500:
        return Failed(words, answer.retry_after)
    if 300 <= answer.status < 400:
        words = f"{words}: a redirect that is not followed; enter the final URL"
    return Refused(words) if is_final else Failed(words, answer.retry_after)


def _wait(value: bytes | None) -> timedelta | None:
    """Retry-After (RFC 9110 10.2.3), seconds or a date, within bounds; ``None`` without sense."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            moment = parsedate_to_datetime(text)
            seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return max(timedelta(0), min(timedelta(seconds=seconds), LONGEST_WAIT))


def _verification(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The certificate error behind a failed connection."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _untrusted(error: ssl.SSLCertVerificationError) -> Failed:
    return Failed(f"its certificate is not trusted: {reason(error.verify_message)}")
