"""An authoritative DNS server on loopback, over UDP and TCP, that misbehaves when told to.

    async with DnsServer({("example.com", "A"): ["192.0.2.1"]}) as server:
        server.fail("example.com", "AAAA", Fault.SERVFAIL)

A name that has no record of a type exists when it has another one, or when a name below it exists.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

__all__ = ["ANY_NAME", "Asked", "DnsServer", "Fault", "Zone"]

Zone = Mapping[tuple[str, str], Sequence[str]]
"""(name without the trailing dot, type) to its records in zone file text."""

ANY_NAME = "*"
_TTL = 300


class Fault(StrEnum):
    SERVFAIL = "servfail"
    REFUSED = "refused"
    NOTIMP = "notimp"
    FORMERR_TO_EDNS = "formerr_to_edns"
    """Answers properly only a question without an OPT record."""
    SILENCE = "silence"
    TRUNCATED = "truncated"
    """TC over UDP, the whole answer over TCP."""
    TRUNCATED_THEN_SILENCE = "truncated_then_silence"
    TRUNCATED_THEN_CLOSE = "truncated_then_close"
    TRUNCATED_ALWAYS = "truncated_always"
    WRONG_ID = "wrong_id"
    FORGED_FIRST = "forged_first"
    """The address 203.0.113.66 with a wrong id, then the true answer."""
    WRONG_QUESTION = "wrong_question"
    GARBAGE = "garbage"
    """The right id, then bytes that are no message."""
    LAME = "lame"
    """A referral to the root servers."""


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    rdtype: str
    transport: str


class DnsServer:
    """Serves a zone until its context ends; `address` is its (IP address, port).

    `chase` follows aliases inside the zone within one answer, `recursive` sets RA, `soa` puts the SOA
    record into negative answers. `asked` has every question that arrived.
    """

    def __init__(
        self,
        zone: Zone | None = None,
        *,
        host: str = "127.0.0.1",
        chase: bool = True,
        recursive: bool = False,
        soa: bool = True,
    ) -> None:
        self.address = (host, 0)
        self.asked: list[Asked] = []
        self._chase = chase
        self._recursive = recursive
        self._soa = soa
        self._sets: dict[tuple[str, str], list[dns.rrset.RRset]] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        self._delays: dict[tuple[str, str], float] = defaultdict(float)
        self._raw: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bugs: list[BaseException] = []
        for (name, rdtype), records in (zone or {}).items():
            self.put(name, rdtype, *records)

    def put(self, name: str, rdtype: str, *records: str, ttl: int = _TTL) -> None:
        """Replace the records of a name and type."""
        self.change(name, rdtype, records, ttl=ttl)

    def change(self, name: str, rdtype: str, *answers: Sequence[str], ttl: int = _TTL) -> None:
        """Answer differently from look-up to look-up; the last answer stays."""
        self._sets[name, rdtype] = [
            dns.rrset.from_text_list(f"{name}.", ttl, "IN", rdtype, list(records))
            for records in answers
        ]

    def fail(self, name: str, rdtype: str, fault: Fault) -> None:
        """Misbehave for a question; the name "*" means every name."""
        self._faults[name, rdtype] = fault

    def delay(self, name: str, rdtype: str, seconds: float) -> None:
        """Answer that much later."""
        self._delays[name, rdtype] = seconds

    def raw(self, name: str, rdtype: str, body: bytes) -> None:
        """Answer with these bytes behind the question's id."""
        self._raw[name, rdtype] = body

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        host = self.address[0]
        while True:
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(host, 0)
            )
            port: int = self._udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await asyncio.start_server(self._serve_stream, host, port)
            except OSError:
                # The free UDP port is taken for TCP: another one will do.
                self._udp.close()
                continue
            self.address = (host, port)
            return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._tcp.wait_closed()
        if self._bugs:
            raise self._bugs[0]

    def datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer_datagram(wire, peer))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bugs.append(bug)

    async def _answer_datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        for answer in await self._answers(wire, "udp"):
            self._udp.sendto(answer, peer)

    async def _serve_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                answers = await self._answers(await reader.readexactly(size), "tcp")
                if answers == [b""]:
                    return
                for answer in answers:
                    writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        except (EOFError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answers(self, wire: bytes, transport: str) -> list[bytes]:
        """The messages to send back; an empty one asks to close the connection."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(Asked(name, rdtype, transport))
        key = name.lower(), rdtype
        await asyncio.sleep(self._delays[key])
        if key in self._raw:
            return [wire[:2] + self._raw[key]]
        fault = self._faults.get(key) or self._faults.get((ANY_NAME, rdtype))
        response = self._respond(query)
        if fault is None or (fault is Fault.FORMERR_TO_EDNS and query.edns < 0):
            return [_fitted(response, transport)]
        return _misbehave(fault, query, response, transport)

    def _respond(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=self._recursive)
        response.flags |= dns.flags.AA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        seen = {name}
        while (name, rdtype) not in self._sets and (name, "CNAME") in self._sets:
            alias = self._next(name, "CNAME")
            response.answer.append(alias)
            name = alias[0].to_text().removesuffix(".").lower()
            if not self._chase or name in seen:
                return response
            seen.add(name)
        if (name, rdtype) in self._sets:
            response.answer.append(self._next(name, rdtype))
            return response
        if not any(known == name or known.endswith(f".{name}") for known, _ in self._sets):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if self._soa:
            zone = name.partition(".")[2] or "test"
            soa = f"ns.{zone}. admin.{zone}. 1 60 60 60 60"
            response.authority.append(dns.rrset.from_text(f"{zone}.", 60, "IN", "SOA", soa))
        return response

    def _next(self, name: str, rdtype: str) -> dns.rrset.RRset:
        answers = self._sets[name, rdtype]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.datagram(data, addr)


def _fitted(response: dns.message.Message, transport: str) -> bytes:
    """An answer that is too long for UDP is cut off, as real servers do."""
    wire = response.to_wire(max_size=65535)
    return wire if transport == "tcp" or len(wire) <= 1232 else _truncated(response)


def _truncated(response: dns.message.Message) -> bytes:
    cut = dns.message.from_wire(response.to_wire(max_size=65535))
    cut.flags |= dns.flags.TC
    cut.answer.clear()
    return cut.to_wire()


def _misbehave(
    fault: Fault, query: dns.message.Message, response: dns.message.Message, transport: str
) -> list[bytes]:
    honest = response.to_wire(max_size=65535)
    match fault:
        case Fault.SERVFAIL | Fault.REFUSED | Fault.NOTIMP | Fault.FORMERR_TO_EDNS:
            refusal = dns.message.make_response(query)
            refusal.set_rcode(dns.rcode.from_text(fault.partition("_")[0]))
            return [refusal.to_wire(max_size=65535)]
        case Fault.SILENCE:
            return []
        case Fault.TRUNCATED if transport == "tcp":
            return [honest]
        case Fault.TRUNCATED_THEN_SILENCE if transport == "tcp":
            return []
        case Fault.TRUNCATED_THEN_CLOSE if transport == "tcp":
            return [b""]
        case (
            Fault.TRUNCATED
            | Fault.TRUNCATED_THEN_SILENCE
            | Fault.TRUNCATED_THEN_CLOSE
            | Fault.TRUNCATED_ALWAYS
        ):
            return [_truncated(response)]
        case Fault.WRONG_ID:
            return [_other_id(honest)]
        case Fault.FORGED_FIRST:
            return [_other_id(_forged(query)), honest]
        case Fault.WRONG_QUESTION:
            other = dns.message.make_query("elsewhere.test", query.question[0].rdtype, id=query.id)
            return [dns.message.make_response(other).to_wire(max_size=65535)]
        case Fault.GARBAGE:
            return [honest[:12] + b"\xff" * 20]
        case Fault.LAME:
            referral = dns.message.make_response(query)
            referral.authority.append(
                dns.rrset.from_text(".", _TTL, "IN", "NS", "a.root-servers.net.")
            )
            return [referral.to_wire(max_size=65535)]


def _other_id(wire: bytes) -> bytes:
    return (int.from_bytes(wire[:2], "big") ^ 1).to_bytes(2, "big") + wire[2:]


def _forged(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query)
    forged = dns.rrset.from_text(query.question[0].name, _TTL, "IN", "A", "203.0.113.66")
    response.answer.append(forged)
    return response.to_wire(max_size=65535)
