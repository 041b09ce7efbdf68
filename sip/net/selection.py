"""From a host to its ordered targets: the walk NAPTR, SRV, A and AAAA of RFC 3263 section 4.

A walk has up to three stages. Each may use its share of the time that is left, so that a name server
that is silent for NAPTR leaves time for addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from sip.address_order import order_addresses
from sip.locate import PREFERENCE, Plan, order_srv, select_naptr, srv_objection
from sip.net.failure import address_failure, srv_failure, unavailable_failure
from sip.net.lookups import MAX_ADDRESSES, AddressRecord, Lookups
from sip.resolution import NaptrRecord, Source, SrvRecord, Target
from sip.transports import Transport

__all__ = ["Walk"]

MAX_TARGETS = 64
# Distinct host names in SRV records that are looked up, two questions each.
MAX_TARGET_NAMES = 32
# A domain has three records for our transports, one for each; more point at more domains.
MAX_NAPTR_FOLLOWED = 8


@dataclass(frozen=True, slots=True)
class _Service:
    """An SRV name to ask for, and what led to it."""

    name: str
    transport: Transport
    source: Source
    ttl: int | None = None


_Routes = list[tuple[_Service, SrvRecord]]


@dataclass(slots=True)
class Walk:
    """One resolution under way; `targets`, `decisions`, `dropped` and `failure` are its result.

    `draw(n)` is a random whole number from 0 to n, `source_of` the local address for a destination,
    `deadline` a time of the running loop in seconds.
    """

    lookups: Lookups
    draw: Callable[[int], int]
    source_of: Callable[[str], str | None]
    deadline: float
    targets: dict[tuple[str, int | None, Transport | None], Target] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    naptr_records: tuple[NaptrRecord, ...] = ()
    srv_records: dict[SrvRecord, str | None] = field(default_factory=dict)
    """Every SRV record found, with the objection to it if there is one."""
    failure: str | None = None
    dropped: int = 0
    _unavailable: set[Transport] = field(default_factory=set)
    _addresses: dict[str, list[tuple[AddressRecord, Source]]] = field(default_factory=dict)

    async def call(self, plan: Plan) -> None:
        """Find the targets of one call: the strict procedure."""
        self.decisions.append(plan.reason)
        fallback = plan.fallback
        port = plan.port or fallback.default_port
        if plan.literal:
            self._add(Target(plan.host, port, fallback, plan.host, Source.LITERAL))
            return
        if plan.port is None and not self._is_pinned(plan.host):
            services = await self._services(plan)
            if services[0].source is Source.NAPTR:
                fallback = services[0].transport
            routes = await self._ask_srv(services, stages_left=2)
            exists = any(record.target != "." for record in self.srv_records)
            if exists or fallback in self._unavailable:
                names = self._names_of(routes)
                await self._ask_addresses(names)
                self._add_routes(routes, names)
                self._conclude(partial(self._srv_failure, plan.host, fallback))
                return
            port = fallback.default_port
            self.decisions.append(f"no SRV record: address records, {fallback} port {port}")
        await self._ask_addresses([plan.host])
        self._add_host(plan.host, port, fallback)
        self._conclude(partial(self._host_failure, plan.host))

    async def survey(self, host: str, port: int | None) -> None:
        """Find everything that the DNS says of a host; one failure is never fatal to the rest."""
        routes: _Routes = []
        names: list[str] = []
        async with asyncio.TaskGroup() as group:
            # The host's own addresses wait for nothing and may use all of the time.
            group.create_task(self._ask_addresses([host]))
            if port is not None:
                self.decisions.append(f"explicit port {port}: no NAPTR or SRV look-up")
            elif not self._is_pinned(host):
                routes = await self._survey_services(host)
                names = self._names_of(routes)
                await self._ask_addresses(names)
        self._add_routes(routes, names)
        self._add_host(host, port, None)
        self._conclude(partial(self._host_failure, host))

    async def _survey_services(self, host: str) -> _Routes:
        standard = _standard_services(host, PREFERENCE)
        questions = [(host, "NAPTR"), *((one.name, "SRV") for one in standard)]
        await self._ask(questions, stages_left=3)
        services = self._followed_naptr(host, secure=False, every_order=True)
        named = {(one.name, one.transport) for one in services}
        services += [one for one in standard if (one.name, one.transport) not in named]
        return await self._ask_srv(services, stages_left=2)

    def _is_pinned(self, host: str) -> bool:
        pin = self.lookups.pin_of(host)
        if pin is not None:
            self.decisions.append(f"{host} is known from {pin}: no DNS look-up")
        return pin is not None

    async def _services(self, plan: Plan) -> list[_Service]:
        if plan.ask_naptr:
            await self._ask([(plan.host, "NAPTR")], stages_left=3)
            services = self._followed_naptr(plan.host, secure=plan.secure, every_order=False)
            if services:
                return services
        return _standard_services(plan.host, plan.transports)

    def _followed_naptr(self, host: str, *, secure: bool, every_order: bool) -> list[_Service]:
        found = self.lookups.found(host, "NAPTR")
        self.naptr_records = found.naptr
        choice = select_naptr(found.naptr, secure=secure, every_order=every_order)
        self.decisions.extend(choice.passed_over)
        services: list[_Service] = []
        for record, transport in choice.followed[:MAX_NAPTR_FOLLOWED]:
            self.decisions.append(
                f"NAPTR order {record.order} preference {record.preference}: "
                f"{transport} by SRV {record.replacement}"
            )
            services.append(_Service(record.replacement, transport, Source.NAPTR, record.ttl))
        excess = len(choice.followed) - len(services)
        if excess:
            self._drop(excess, f"{excess} NAPTR records beyond {MAX_NAPTR_FOLLOWED}")
        if not services:
            why = "no NAPTR record leads further"
            if not found.lookup.outcome.definite:
                why = f"the NAPTR look-up failed ({found.lookup.outcome})"
            self.decisions.append(f"{why}: SRV names are asked directly")
        return services

    async def _ask_srv(self, services: list[_Service], stages_left: int) -> _Routes:
        """The usable SRV records, service by service, each set in its weighted order."""
        await self._ask([(one.name, "SRV") for one in services], stages_left)
        routes: _Routes = []
        for service in services:
            found = self.lookups.found(service.name, "SRV")
            if not found.lookup.outcome.definite:
                self.decisions.append(
                    f"the look-up of SRV {service.name} failed ({found.lookup.outcome}): "
                    "taken as no record"
                )
            objections = {record: srv_objection(record) for record in found.srv}
            self.srv_records.update(objections)
            self.decisions.extend(filter(None, objections.values()))
            if found.srv and all(record.target == "." for record in found.srv):
                self._unavailable.add(service.transport)
            usable = [record for record, objection in objections.items() if objection is None]
            routes.extend((service, record) for record in order_srv(usable, self.draw))
        return routes

    def _names_of(self, routes: _Routes) -> list[str]:
        names = list(dict.fromkeys(record.target for _, record in routes))
        excess = len(names) - MAX_TARGET_NAMES
        if excess > 0:
            self._drop(excess, f"{excess} SRV target names beyond {MAX_TARGET_NAMES}")
        return names[:MAX_TARGET_NAMES]

    def _add_routes(self, routes: _Routes, names: list[str]) -> None:
        for service, record in routes:
            for address, _ in self._addresses_of(record.target) if record.target in names else ():
                self._add(
                    Target(
                        address.address,
                        record.port,
                        service.transport,
                        record.target,
                        service.source,
                        record.priority,
                        record.weight,
                        _shortest(service.ttl, record.ttl, address.ttl),
                    )
                )

    async def _ask(self, questions: Iterable[tuple[str, str]], stages_left: int) -> None:
        now = asyncio.get_running_loop().time()
        await self.lookups.ask(questions, now + (self.deadline - now) / stages_left)

    async def _ask_addresses(self, names: Iterable[str]) -> None:
        questions = [(name, rdtype) for name in names for rdtype in ("A", "AAAA")]
        await self._ask(questions, stages_left=1)

    def _addresses_of(self, name: str) -> list[tuple[AddressRecord, Source]]:
        if name not in self._addresses:
            self._addresses[name] = self._ordered_addresses(name)
        return self._addresses[name]

    def _ordered_addresses(self, name: str) -> list[tuple[AddressRecord, Source]]:
        ipv4 = [(one, Source.A) for one in self.lookups.found(name, "A").addresses]
        ipv6 = [(one, Source.AAAA) for one in self.lookups.found(name, "AAAA").addresses]
        excess = len(ipv4) + len(ipv6) - MAX_ADDRESSES
        if excess > 0:
            self._drop(excess, f"{excess} addresses of {name} beyond {MAX_ADDRESSES}")
        # Each family keeps half of the places if it can fill them.
        kept_ipv4 = ipv4[: max(MAX_ADDRESSES // 2, MAX_ADDRESSES - len(ipv6))]
        kept = kept_ipv4 + ipv6[: MAX_ADDRESSES - len(kept_ipv4)]
        if not (ipv4 and ipv6):
            return kept
        by_address = {one.address: (one, source) for one, source in kept}
        return [by_address[address] for address in order_addresses(by_address, self.source_of)]

    def _add_host(self, host: str, port: int | None, transport: Transport | None) -> None:
        for address, source in self._addresses_of(host):
            self._add(Target(address.address, port, transport, host, source, ttl=address.ttl))

    def _add(self, target: Target) -> None:
        key = target.address, target.port, target.transport
        if key in self.targets:
            return
        if len(self.targets) >= MAX_TARGETS:
            self.dropped += 1
        else:
            self.targets[key] = target

    def _drop(self, count: int, words: str) -> None:
        self.dropped += count
        self.decisions.append(f"{words} are left out")

    def _srv_failure(self, host: str, fallback: Transport) -> str:
        if fallback in self._unavailable and all(one.target == "." for one in self.srv_records):
            return unavailable_failure(host, fallback)
        objections = [one for one in self.srv_records.values() if one is not None]
        usable = [record for record, objection in self.srv_records.items() if objection is None]
        return srv_failure(host, usable, () if usable else objections)

    def _host_failure(self, host: str) -> str:
        failure = address_failure(
            host, [self.lookups.found(host, rdtype).lookup for rdtype in ("A", "AAAA")]
        )
        usable = [record for record, objection in self.srv_records.items() if objection is None]
        return f"{failure}; {srv_failure(host, usable, ())}" if usable else failure

    def _conclude(self, failure: Callable[[], str]) -> None:
        if not self.targets:
            self.failure = failure()
            self.decisions.append(self.failure)
        elif len(self.targets) == MAX_TARGETS and self.dropped:
            self.decisions.append(f"no more than {MAX_TARGETS} targets are kept")


def _standard_services(host: str, transports: Iterable[Transport]) -> list[_Service]:
    return [_Service(f"{one.srv_prefix}.{host}", one, Source.SRV) for one in transports]


def _shortest(*ttls: int | None) -> int | None:
    return min((ttl for ttl in ttls if ttl is not None), default=None)
