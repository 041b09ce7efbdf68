"""The DNS look-ups of one resolution: asked once each, in parallel, and all written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import dns.exception
import dns.name
import dns.rdatatype
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from sip.net.dns_answer import Answer
from sip.net.dns_exchange import Exchange, Server, ask_servers, server_text
from sip.resolution import Lookup, NaptrRecord, Outcome, SrvRecord, Try

__all__ = ["MAX_ADDRESSES", "AddressRecord", "Found", "Lookups"]

# Longer chains than any provider's; a resolver's own limit is usually 16 and more.
_MAX_ALIASES = 8
_MAX_RECORDS = 32
MAX_ADDRESSES = 16
# Bounds sockets under way; a name server sees no more questions at a time from one resolution.
_MAX_PARALLEL = 16

_HOSTS_FILE = "hosts file"
# RFC 6761 6.3: these names are loopback whatever the DNS says.
_LOCALHOST = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """`address` is canonical text; `ttl` is `None` for an address that no DNS record gave."""

    address: str
    ttl: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up and its records, of which only those of its type are filled."""

    lookup: Lookup
    addresses: tuple[AddressRecord, ...] = ()
    srv: tuple[SrvRecord, ...] = ()
    naptr: tuple[NaptrRecord, ...] = ()


@dataclass(slots=True)
class _Chain:
    """Where a question's aliases have led so far."""

    name: dns.name.Name
    aliases: list[dns.name.Name] = field(default_factory=list)
    ttls: list[int] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    failure: Outcome | None = None

    def follow(self, answer: Answer) -> bool:
        """Walk the answer's CNAME records; whether they led to another name."""
        links = {
            record.owner: (record.rdata.target, record.ttl)
            for record in answer.records
            if isinstance(record.rdata, CNAME)
        }
        start = len(self.aliases)
        seen = {self.name, *self.aliases}
        while self.name in links:
            self.name, ttl = links[self.name]
            if self.name in seen:
                self.failure = Outcome.CNAME_LOOP
                break
            if len(self.aliases) == _MAX_ALIASES:
                self.failure = Outcome.CNAME_LIMIT
                break
            seen.add(self.name)
            self.aliases.append(self.name)
            self.ttls.append(ttl)
        return len(self.aliases) > start


class Lookups:
    """Asks DNS servers on behalf of one resolution, and remembers every answer.

    `pinned` maps lower-case names to addresses that need no DNS (a hosts file), `patience` is how many
    seconds a first try waits for one server.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        patience: float,
        pinned: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._servers = tuple(servers)
        self._patience = patience
        self._pinned = pinned
        self._asked: dict[tuple[str, str], asyncio.Task[Found]] = {}
        self._failed_servers: set[str] = set()
        self._slots = asyncio.Semaphore(_MAX_PARALLEL)

    @property
    def trail(self) -> tuple[Lookup, ...]:
        """All look-ups that have ended, in the order asked."""
        return tuple(task.result().lookup for task in self._asked.values() if task.done())

    def pin_of(self, name: str) -> str | None:
        """Who fixes this name's addresses without the DNS; `None` for a name to look up."""
        if name == "localhost" or name.endswith(".localhost"):
            return "localhost (RFC 6761)"
        return _HOSTS_FILE if name in self._pinned else None

    def found(self, name: str, rdtype: str) -> Found:
        """The answer to a question that was asked before."""
        return self._asked[name, rdtype].result()

    async def ask(self, questions: Iterable[tuple[str, str]], deadline: float) -> None:
        """Ask for (name, type) pairs in parallel, each once; the deadline is a time of the loop."""
        wanted = list(dict.fromkeys(questions))
        async with asyncio.TaskGroup() as group:
            for one in wanted:
                if one not in self._asked:
                    self._asked[one] = group.create_task(self._look_up(*one, deadline))
        # Another call may have asked some of them before and still be waiting.
        if under_way := [self._asked[one] for one in wanted if not self._asked[one].done()]:
            await asyncio.wait(under_way)

    async def _look_up(self, name: str, rdtype: str, deadline: float) -> Found:
        pin = self.pin_of(name)
        if pin is not None:
            return self._from_pin(name, rdtype, pin)
        try:
            chain = _Chain(dns.name.from_text(name))
        except dns.exception.DNSException:
            # A host name of full length has no room for the labels of an SRV name before it.
            detail = "the name is too long for the DNS"
            return Found(Lookup(name, rdtype, Outcome.MALFORMED, detail=detail))
        async with self._slots:
            started = asyncio.get_running_loop().time()
            exchange = await self._ask_along(chain, rdtype, deadline)
        ms = round((asyncio.get_running_loop().time() - started) * 1000, 1)
        lookup = Lookup(
            name,
            rdtype,
            chain.failure or exchange.outcome,
            aliases=tuple(_text(alias) for alias in chain.aliases),
            ms=ms,
            server=None if exchange.server is None else server_text(exchange.server),
            transport=exchange.transport,
            truncated=exchange.truncated,
            detail=exchange.detail,
            tries=tuple(chain.tries),
        )
        if exchange.answer is None or lookup.outcome is not Outcome.ANSWERED:
            return Found(lookup)
        return _with_records(lookup, chain, exchange.answer)

    async def _ask_along(self, chain: _Chain, rdtype: str, deadline: float) -> Exchange:
        while True:
            # A server that failed a question of this resolution is asked last from then on.
            servers = sorted(
                self._servers, key=lambda server: server_text(server) in self._failed_servers
            )
            exchange = await ask_servers(
                chain.name,
                dns.rdatatype.from_text(rdtype),
                servers,
                patience=self._patience,
                deadline=deadline,
            )
            chain.tries.extend(exchange.tries)
            self._failed_servers.update(
                one.server for one in exchange.tries if not one.outcome.definite
            )
            answer = exchange.answer
            if answer is None or not chain.follow(answer) or chain.failure is not None:
                return exchange
            ends_here = any(record.owner == chain.name for record in answer.records)
            complete = answer.has_soa or answer.recursion_available
            if ends_here or complete or exchange.outcome is not Outcome.ANSWERED:
                return exchange

    def _from_pin(self, name: str, rdtype: str, pin: str) -> Found:
        known = self._pinned[name] if pin == _HOSTS_FILE else _LOCALHOST
        version = {"A": ".", "AAAA": ":"}.get(rdtype)
        mine = [address for address in known if version is not None and version in address]
        kept, dropped = _kept(mine, MAX_ADDRESSES)
        lookup = Lookup(
            name,
            rdtype,
            Outcome.ANSWERED if kept else Outcome.NO_DATA,
            answers=tuple(kept),
            server=pin,
            dropped=dropped,
        )
        return Found(lookup, addresses=tuple(AddressRecord(address, None) for address in kept))


def _with_records(lookup: Lookup, chain: _Chain, answer: Answer) -> Found:
    """Fill in the records that lie at the end of the alias chain."""
    last = [record for record in answer.records if record.owner == chain.name]
    ttl = min([*chain.ttls, *(record.ttl for record in last)], default=None)
    addresses: list[AddressRecord] = []
    srv: list[SrvRecord] = []
    naptr: list[NaptrRecord] = []
    for record in last:
        hold = min([*chain.ttls, record.ttl])
        match record.rdata:
            case A() | AAAA() as rdata if lookup.rdtype == dns.rdatatype.to_text(rdata.rdtype):
                addresses.append(AddressRecord(rdata.address, hold))
            case SRV() as rdata if lookup.rdtype == "SRV":
                srv.append(_srv_record(lookup.question, rdata, hold))
            case NAPTR() as rdata if lookup.rdtype == "NAPTR":
                naptr.append(_naptr_record(rdata, hold))
            case _:
                pass
    # The limits keep what would be tried first.
    srv.sort(key=lambda record: (record.priority, -record.weight))
    naptr.sort(key=lambda record: (record.order, record.preference))
    addresses, lost = _kept(addresses, MAX_ADDRESSES)
    srv, lost_srv = _kept(srv, _MAX_RECORDS)
    naptr, lost_naptr = _kept(naptr, _MAX_RECORDS)
    answers = (*(one.address for one in addresses), *map(str, srv), *map(str, naptr))
    lookup = replace(
        lookup,
        outcome=Outcome.ANSWERED if answers else Outcome.NO_DATA,
        answers=answers,
        ttl=ttl,
        dropped=lost + lost_srv + lost_naptr,
    )
    return Found(lookup, tuple(addresses), tuple(srv), tuple(naptr))


_Kept = TypeVar("_Kept")


def _kept(items: list[_Kept], limit: int) -> tuple[list[_Kept], int]:
    unique = list(dict.fromkeys(items))
    return unique[:limit], max(len(unique) - limit, 0)


def _srv_record(service: str, rdata: SRV, ttl: int) -> SrvRecord:
    return SrvRecord(service, rdata.priority, rdata.weight, rdata.port, _text(rdata.target), ttl)


def _naptr_record(rdata: NAPTR, ttl: int) -> NaptrRecord:
    return NaptrRecord(
        rdata.order,
        rdata.preference,
        _characters(rdata.flags),
        _characters(rdata.service),
        _characters(rdata.regexp),
        _text(rdata.replacement),
        ttl,
    )


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _characters(text: bytes) -> str:
    return text.decode("ascii", "backslashreplace")
