"""One question put to a list of DNS servers until one of them answers.

UDP over connected sockets, so that a refusal by the server's machine is heard and nobody else's
datagram is; TCP after a truncated answer (RFC 7766). A server that has not answered in time is asked
again after the others, and its late answer still counts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import dns.name
import dns.rcode
import dns.rdatatype

from sip.net.dns_answer import MAX_ANSWER_BYTES, Answer, MalformedAnswer, Query, read_answer
from sip.resolution import Outcome, Try

__all__ = ["Exchange", "Server", "ask_servers", "server_text"]

Server = tuple[str, int]
"""IP address and port of a DNS server."""

# Datagrams kept while nobody reads them: more than a server's honest answers, little memory.
_INBOX_LIMIT = 64

# Even a careless setting must not turn a silent server into a target of a flood.
_MIN_PATIENCE = 0.01

_WITHOUT_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP})

# Of several servers' failures, the one that says most about the name is the question's.
_TELLING = (
    Outcome.SERVFAIL,
    Outcome.REFUSED,
    Outcome.LAME,
    Outcome.MALFORMED,
    Outcome.TIMEOUT,
    Outcome.UNREACHABLE,
)


@dataclass(slots=True)
class Exchange:
    """The end of one question: an answer with its server, or the failure of all servers."""

    outcome: Outcome
    answer: Answer | None = None
    server: Server | None = None
    transport: str | None = None
    truncated: bool = False
    detail: str = ""
    tries: tuple[Try, ...] = ()


def server_text(server: Server) -> str:
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def ask_servers(
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
    servers: Sequence[Server],
    *,
    patience: float,
    deadline: float,
) -> Exchange:
    """Ask the servers in turn until the deadline, a time of the running loop in seconds.

    `patience` is how many seconds the first try waits for one server; each repetition waits twice as
    long. Failures are values. The sockets are closed when this returns or is cancelled.
    """
    asking = _Asking(name, rdtype, servers, patience, deadline)
    try:
        return await asking.run()
    finally:
        asking.close()


@dataclass(slots=True)
class _Contact:
    """What is under way with one server."""

    query: Query
    transport: asyncio.DatagramTransport | None = None
    sent_at: float = 0.0
    sent: int = 0
    waiting: bool = True
    edns: bool = True


@dataclass(slots=True)
class _Datagrams(asyncio.DatagramProtocol):
    server: Server
    inbox: asyncio.Queue[tuple[Server, bytes | OSError]]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._put(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self._put(exc)

    def _put(self, item: bytes | OSError) -> None:
        if not self.inbox.full():
            self.inbox.put_nowait((self.server, item))


class _Asking:
    def __init__(
        self,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        servers: Sequence[Server],
        patience: float,
        deadline: float,
    ) -> None:
        self._name = name
        self._rdtype = rdtype
        self._deadline = deadline
        self._alive = deque(dict.fromkeys(servers))
        self._contacts: dict[Server, _Contact] = {}
        self._inbox: asyncio.Queue[tuple[Server, bytes | OSError]] = asyncio.Queue(_INBOX_LIMIT)
        self._tries: list[Try] = []
        self._strays = 0
        self._loop = asyncio.get_running_loop()
        # A short lifetime is shared out, so that the last server is asked too.
        share = max(deadline - self._loop.time(), 0) / max(len(self._alive), 1)
        self._patience = min(max(patience, _MIN_PATIENCE), share)

    async def run(self) -> Exchange:
        while self._alive and self._loop.time() < self._deadline:
            server = self._alive[0]
            self._alive.rotate(-1)
            if not await self._send(server):
                continue
            patience = self._patience * 2 ** (self._contacts[server].sent - 1)
            found = await self._listen(server, min(self._loop.time() + patience, self._deadline))
            if found is not None:
                found.tries = tuple(self._tries)
                return found
        return self._failed()

    def close(self) -> None:
        for contact in self._contacts.values():
            if contact.transport is not None:
                contact.transport.close()

    async def _send(self, server: Server) -> bool:
        contact = self._contacts.get(server)
        if contact is None:
            contact = _Contact(Query.of(self._name, self._rdtype, edns=True))
            self._contacts[server] = contact
        contact.sent_at = self._loop.time()
        if contact.transport is None:
            try:
                contact.transport, _ = await self._loop.create_datagram_endpoint(
                    lambda: _Datagrams(server, self._inbox), remote_addr=server
                )
            except OSError as error:
                self._fail(server, "udp", Outcome.UNREACHABLE, error.strerror or str(error))
                return False
        contact.sent += 1
        contact.waiting = True
        contact.transport.sendto(contact.query.wire)
        return True

    async def _listen(self, current: Server, until: float) -> Exchange | None:
        """Wait for an answer of any server asked; `None` when the next one should be asked."""
        while True:
            try:
                async with asyncio.timeout_at(until):
                    server, item = await self._inbox.get()
            except TimeoutError:
                self._note(current, "udp", Outcome.TIMEOUT)
                return None
            if server not in self._alive:
                continue
            found = await self._weigh(server, item)
            if found is not None:
                return found
            if not self._contacts[current].waiting:
                return None

    async def _weigh(self, server: Server, item: bytes | OSError) -> Exchange | None:
        if isinstance(item, OSError):
            self._fail(server, "udp", Outcome.UNREACHABLE, item.strerror or "refused")
            return None
        try:
            answer = read_answer(item, self._contacts[server].query)
        except MalformedAnswer as error:
            self._fail(server, "udp", Outcome.MALFORMED, str(error))
            return None
        if answer is None:
            self._strays += 1
            return None
        if not answer.truncated:
            return self._judge(server, "udp", answer, truncated=False)
        return await self._over_tcp(server)

    async def _over_tcp(self, server: Server) -> Exchange | None:
        contact = self._contacts[server]
        contact.sent_at = self._loop.time()
        until = min(contact.sent_at + 2 * self._patience, self._deadline)
        try:
            wire = await _exchange_stream(server, contact.query.wire, until)
            answer = read_answer(wire, contact.query)
        except TimeoutError:
            self._fail(server, "tcp", Outcome.TIMEOUT, "truncated over UDP, silent over TCP")
            return None
        except OSError as error:
            words = f"truncated over UDP, then TCP failed: {error.strerror or error}"
            self._fail(server, "tcp", Outcome.UNREACHABLE, words)
            return None
        except (MalformedAnswer, EOFError) as error:
            self._fail(server, "tcp", Outcome.MALFORMED, str(error))
            return None
        if answer is None or answer.truncated:
            self._fail(server, "tcp", Outcome.MALFORMED, "truncated, or no answer, over TCP")
            return None
        return self._judge(server, "tcp", answer, truncated=True)

    def _judge(
        self, server: Server, transport: str, answer: Answer, *, truncated: bool
    ) -> Exchange | None:
        contact = self._contacts[server]
        if answer.rcode in _WITHOUT_EDNS and contact.edns:
            # RFC 6891 7: an old server chokes on the OPT record; it is asked once more without.
            contact.edns = contact.waiting = False
            contact.query = Query.of(self._name, self._rdtype, edns=False)
            self._alive.remove(server)
            self._alive.appendleft(server)
            return None
        outcome, detail = _outcome_of(answer)
        if outcome not in (Outcome.ANSWERED, Outcome.NXDOMAIN):
            self._fail(server, transport, outcome, detail)
            return None
        self._note(server, transport, outcome)
        return Exchange(outcome, answer, server, transport, truncated)

    def _fail(self, server: Server, transport: str, outcome: Outcome, detail: str = "") -> None:
        self._note(server, transport, outcome, detail)
        self._contacts[server].waiting = False
        self._alive.remove(server)

    def _note(self, server: Server, transport: str, outcome: Outcome, detail: str = "") -> None:
        ms = (self._loop.time() - self._contacts[server].sent_at) * 1000
        self._tries.append(Try(server_text(server), transport, outcome, round(ms, 1), detail))

    def _failed(self) -> Exchange:
        tries = tuple(self._tries)
        detail = f"{self._strays} datagrams did not match the question" if self._strays else ""
        if not tries:
            none_at_all = not self._alive
            words = "no DNS server is configured" if none_at_all else "no time was left"
            outcome = Outcome.UNREACHABLE if none_at_all else Outcome.TIMEOUT
            return Exchange(outcome, detail=words)
        telling = min(tries, key=lambda one: _TELLING.index(one.outcome))
        server = next(server for server in self._contacts if server_text(server) == telling.server)
        words = "; ".join(filter(None, (telling.detail, detail)))
        return Exchange(telling.outcome, None, server, telling.transport, detail=words, tries=tries)


def _outcome_of(answer: Answer) -> tuple[Outcome, str]:
    if answer.rcode == dns.rcode.NXDOMAIN:
        return Outcome.NXDOMAIN, ""
    if answer.rcode == dns.rcode.SERVFAIL:
        return Outcome.SERVFAIL, ""
    if answer.rcode != dns.rcode.NOERROR:
        words = "" if answer.rcode == dns.rcode.REFUSED else f"RCODE {answer.rcode}"
        return Outcome.REFUSED, words
    knows = answer.authoritative or answer.recursion_available
    if not answer.records and not answer.has_soa and answer.has_referral and not knows:
        return Outcome.LAME, "the server only named other servers"
    return Outcome.ANSWERED, ""


async def _exchange_stream(server: Server, wire: bytes, until: float) -> bytes:
    """Ask over a TCP connection of its own (RFC 1035 4.2.2).

    Raises `TimeoutError`, `OSError`, `EOFError` and `MalformedAnswer`.
    """
    async with asyncio.timeout_at(until):
        reader, writer = await asyncio.open_connection(*server)
        try:
            writer.write(len(wire).to_bytes(2, "big") + wire)
            size = int.from_bytes(await reader.readexactly(2), "big")
            if size > MAX_ANSWER_BYTES:
                raise MalformedAnswer(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
            return await reader.readexactly(size)
        finally:
            # The answer is read or not wanted: nothing is left that an orderly close would save.
            writer.transport.abort()
