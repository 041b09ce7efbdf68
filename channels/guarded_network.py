"""Connections of HTTP clients, each to an address that the guard permits.

The name is resolved once, every address it leads to is put to the guard, and the connection goes to
exactly such an address; the name stays what the certificate is checked against. A name that changes
its answer between a check and a connection therefore gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any

import httpcore

from sip.net.guard import AddressGuard, TargetNotAllowed

__all__ = ["GuardedNetwork", "NameLookup", "NameNotFound", "system_names"]

NameLookup = Callable[[str], Awaitable[Sequence[str]]]
"""A host name to its addresses as text. Raises ``NameNotFound``."""

# A look-up cannot be ended, only abandoned: names that hang must not take the threads of others.
_RESOLVING = ThreadPoolExecutor(max_workers=8, thread_name_prefix="names")

# Behind a name with more addresses than that, one of these answers or none.
_MAX_ADDRESSES = 8


class NameNotFound(Exception):
    """The name leads to no address; ``str`` is a sentence for a person."""


async def system_names(host: str) -> Sequence[str]:
    """Ask the system's resolver. Raises ``NameNotFound``."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(
            _RESOLVING, partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        )
    except (OSError, ValueError) as error:
        raise NameNotFound(f"the name {host[:80]!r} does not resolve") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _ClosedWhenAbandoned(httpcore.AsyncNetworkStream):
    """A stream that is closed when its TLS handshake is cancelled: httpcore closes it on errors only,
    and a deadline is none to it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """A network backend of httpcore. With ``only_allowed`` even public addresses are refused: what
    goes there unencrypted could be read on the way."""

    def __init__(
        self, guard: AddressGuard, names: NameLookup = system_names, *, only_allowed: bool = False
    ) -> None:
        self._guard = guard
        self._names = names
        self._only_allowed = only_allowed
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that takes it, within ``timeout`` seconds altogether.

        Raises ``TargetNotAllowed`` when the guard permits none of them, ``NameNotFound``, and
        httpcore's ``ConnectError`` and ``ConnectTimeout``.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._connected(host, port, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error

    async def _connected(
        self,
        host: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in self._permitted(await self._addresses(host)):
            try:
                stream = await self._network.connect_tcp(
                    address, port, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, OSError) as error:
                failure = error
            else:
                return _ClosedWhenAbandoned(stream)
        raise httpcore.ConnectError("the connection was refused") from failure

    async def _addresses(self, host: str) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return await self._names(host)

    def _permitted(self, addresses: Sequence[str]) -> list[str]:
        if not addresses:
            raise NameNotFound("the name has no address")
        permitted, objection = [], ""
        for address in addresses[:_MAX_ADDRESSES]:
            against = self._objection(address)
            if against is None:
                permitted.append(address)
            objection = against or objection
        if not permitted:
            raise TargetNotAllowed(addresses[0], objection)
        return permitted

    def _objection(self, address: str) -> str | None:
        against = self._guard.objection(address)
        if against is None and self._only_allowed:
            where = ip_address(address)
            if not any(
                where.version == net.version and where in net for net in self._guard.allowed
            ):
                return f"{address} is outside the operator's networks: only https goes there"
        return against
