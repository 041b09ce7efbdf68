"""A connection to one peer that is kept between the probes of whoever is asked over it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from sip.net.health_probe import ProbeEnd, end_of_errno
from sip.net.probe_report import ssl_words
from sip.net.streams import StreamConnection, StreamOwner
from sip.net.tls import TlsProblem, TlsProfile, client_context, matches_name, tls_facts, tls_problem
from sip.net.tls_credentials import pin_problem
from sip.net.wire import family_of

__all__ = ["ConnectFailed", "Peer", "open_connection"]


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may be asked over one connection: TLS of one profile at an address and port, or TCP."""

    remote: tuple[str, int]
    tls: TlsProfile | None = None
    exact_names: bool = False


class ConnectFailed(Exception):
    """There is no connection, and this is how a probe that waits for it ends."""

    def __init__(self, end: ProbeEnd, detail: str) -> None:
        super().__init__(end, detail)
        self.end, self.detail = end, detail


NO_CONNECTION: Final = "TCP was not answered"
NO_HANDSHAKE: Final = "the TLS handshake was not answered"


async def open_connection(
    peer: Peer, owner: StreamOwner, number: int, *, seconds: float
) -> StreamConnection:
    """Connect within ``seconds``; TLS is verified as for a call. Raises ``ConnectFailed``.

    ``owner`` hears of the connection from then on; on any error it is closed.
    """
    if peer.tls is not None:
        _check_server_name(peer.tls.server_name)
    deadline = asyncio.get_running_loop().time() + seconds
    sock = await _tcp(peer.remote, deadline)
    connection = StreamConnection(owner, number, "TLS" if peer.tls else "TCP", accepted=False)
    try:
        await _speak(peer.tls, connection, sock, deadline)
    except BaseException:
        sock.close()
        raise
    problem = None
    if connection.flow is None or connection.closing:
        problem = ConnectFailed(ProbeEnd.CLOSED, "closed at once")
    elif peer.tls is not None:
        distrust = _distrust(peer.tls, connection.ssl_object, exact_names=peer.exact_names)
        if distrust is not None:
            problem = ConnectFailed(ProbeEnd.TLS_FAILED, distrust)
    if problem is not None:
        connection.abort("of no use")
        await connection.lost
        raise problem
    return connection


def _check_server_name(name: str) -> None:
    """As ``ssl`` does, which tells it to event loops that handle it badly. Raises `ConnectFailed`."""
    try:
        name.encode("idna")
    except UnicodeError as error:
        detail = f"the domain cannot be a TLS server name: {error}"
        raise ConnectFailed(ProbeEnd.CONNECT_FAILED, detail) from error


async def _tcp(remote: tuple[str, int], deadline: float) -> socket.socket:
    try:
        sock = socket.socket(family_of(remote[0]), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise ConnectFailed(*end_of_errno(error.errno)) from error
    try:
        async with asyncio.timeout_at(deadline):
            await asyncio.get_running_loop().sock_connect(sock, remote)
    except TimeoutError as error:
        sock.close()
        # The kernel's own patience is an OSError of its own.
        if error.errno is not None:
            raise ConnectFailed(*end_of_errno(error.errno)) from error
        raise ConnectFailed(ProbeEnd.TIMEOUT, NO_CONNECTION) from error
    except OSError as error:
        sock.close()
        raise ConnectFailed(*end_of_errno(error.errno)) from error
    except BaseException:
        sock.close()
        raise
    return sock


async def _speak(
    tls: TlsProfile | None, connection: StreamConnection, sock: socket.socket, deadline: float
) -> None:
    try:
        context = None if tls is None else client_context(tls)
    except OSError as error:
        detail = f"our TLS authorities or certificate cannot be used: {ssl_words(error)}"
        raise ConnectFailed(ProbeEnd.CONNECT_FAILED, detail) from error
    try:
        async with asyncio.timeout_at(deadline):
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                sock=sock,
                ssl=context,
                server_hostname=None if tls is None else tls.server_name,
            )
    except TimeoutError as error:
        raise ConnectFailed(ProbeEnd.TLS_FAILED, NO_HANDSHAKE) from error
    except ssl.SSLError as error:
        raise ConnectFailed(ProbeEnd.TLS_FAILED, _words(error)) from error
    except OSError as error:
        words = "the connection broke during the TLS handshake"
        raise ConnectFailed(ProbeEnd.TLS_FAILED, words) from error


def _words(error: ssl.SSLError) -> str:
    words = ssl_words(error)
    match tls_problem(error):
        case TlsProblem.NOT_TLS:
            return f"the peer does not speak TLS there ({words})"
        case TlsProblem.OLD_VERSION:
            return f"the peer speaks no TLS 1.2 ({words})"
        case TlsProblem.CLIENT_CERTIFICATE:
            return f"the peer asks for a client certificate ({words})"
        case _:
            return words


def _distrust(
    profile: TlsProfile, session: ssl.SSLObject | None, *, exact_names: bool
) -> str | None:
    """Why the peer is not taken for itself; ``None`` when it is."""
    if session is None:
        return "the connection broke behind the handshake"
    unpinned = pin_problem(session, profile.pin)
    if unpinned is not None or not profile.verify:
        return unpinned
    facts = tls_facts(session, profile)
    if facts.problem is not None or not exact_names:
        return facts.problem
    return matches_name(facts.chain[0].names if facts.chain else (), profile.server_name).note
