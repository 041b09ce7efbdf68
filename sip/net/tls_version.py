"""Name the TLS version of a peer that is too old to talk to."""

from __future__ import annotations

import asyncio

from sip.net.guard import AddressGuard
from sip.net.tls import TlsProfile, client_context

__all__ = ["old_tls_version"]


async def old_tls_version(
    guard: AddressGuard, remote: tuple[str, int], server_name: str, *, seconds: float
) -> str | None:
    """Version a peer agrees to when ours goes down to TLS 1.0, for instance ``TLSv1.1``.

    A handshake for diagnosis only: nothing of SIP is sent, the connection is dropped at once.
    ``None`` when the peer does not shake hands in ``seconds``. Raises
    ``TargetNotAllowed``.
    """
    guard.check(remote[0])
    context = client_context(TlsProfile(server_name=server_name), diagnose_old=True)
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(
                remote[0], remote[1], ssl=context, server_hostname=server_name
            )
    except OSError:
        return None
    session = writer.get_extra_info("ssl_object")
    version: str | None = session.version() if session is not None else None
    writer.transport.abort()
    return version
