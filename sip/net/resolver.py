"""Locating SIP servers (RFC 3263 section 4), with the trail of every question and decision.

`resolve` and `locate` give the targets of one call in the order in which to try them: whoever sends
walks the list, since a target that does not answer is only found out by sending. `survey` gives all
that the DNS says of a host, for discovery. A target's address has not been judged: the address guard
stands where the connection is made.

What goes wrong is in the result; only a bug raises. Search lists are not applied, `localhost` is
loopback without a question, and a name in the system's hosts file is not asked for in the DNS.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sip.locate import PlanError, address_literal, check_host, check_port, plan_call
from sip.net.dns_exchange import Server
from sip.net.lookups import Lookups
from sip.net.selection import Walk
from sip.net.system_dns import SystemDns
from sip.resolution import Lookup, Outcome, Resolution, Source, Target
from sip.uri import SipUri

__all__ = ["Lookup", "Outcome", "Resolution", "Resolver", "Target"]

# A server that asks others needs about this long for a name it does not know yet.
_TIMEOUT = timedelta(seconds=1)
# Three stages, each with time for a second try; also what a person is ready to wait.
_LIFETIME = timedelta(seconds=5)


class Resolver:
    """Resolves destinations through the given DNS servers, or the system's.

    `nameservers` are (IP address, port) pairs; `None` reads resolv.conf and the hosts file, again
    whenever they change. `timeout` is the first wait for one server, `lifetime` bounds a whole
    resolution. `clock` gives aware UTC times, `draw(n)` a random whole number from 0 to n for the lot
    among SRV records of one priority. An instance keeps no state between resolutions.
    """

    def __init__(
        self,
        nameservers: Sequence[Server] | None = None,
        *,
        timeout: timedelta = _TIMEOUT,
        lifetime: timedelta = _LIFETIME,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        draw: Callable[[int], int] = lambda upper: secrets.randbelow(upper + 1),
        system: SystemDns | None = None,
    ) -> None:
        self._nameservers = None if nameservers is None else tuple(nameservers)
        self._timeout = timeout
        self._lifetime = lifetime
        self._clock = clock
        self._draw = draw
        self._system = system or SystemDns()

    async def locate(self, uri: SipUri) -> Resolution:
        """The targets of a request to a SIP URI; a maddr parameter takes the host's place."""
        return await self.resolve(
            uri.param("maddr") or uri.host,
            port=uri.port,
            transport=uri.transport,
            secure=uri.scheme == "sips",
        )

    async def resolve(
        self,
        host: str,
        *,
        port: int | None = None,
        transport: str | None = None,
        secure: bool = False,
    ) -> Resolution:
        """The targets of one call in the order to try, each with its port and transport.

        `host` is an IP address or a name in ASCII form, `transport` one of udp, tcp and tls,
        `secure` whether the URI is a sips URI.
        """
        try:
            plan = plan_call(host, port=port, transport=transport, secure=secure)
        except PlanError as error:
            return self._refused(host, error)
        walk = await self._walk()
        await walk.call(plan)
        return self._result(plan.host, walk)

    async def survey(self, host: str, *, port: int | None = None) -> Resolution:
        """All that the DNS says of a host: NAPTR, the three SRV names, A and AAAA.

        Targets from NAPTR and SRV records come first, each with port and transport; then the host's
        own addresses with transport `None` and the given port, which is `None` without one. With a
        port, only addresses are asked for.
        """
        literal = address_literal(host)
        try:
            check_port(port)
            name = literal or check_host(host)
        except PlanError as error:
            return self._refused(host, error)
        if literal is not None:
            target = Target(literal, port, None, literal, Source.LITERAL)
            reason = f"{literal} is an IP address: no DNS look-up"
            return Resolution(literal, (target,), self._clock(), decisions=(reason,))
        walk = await self._walk()
        await walk.survey(name, port)
        return self._result(name, walk)

    async def _walk(self) -> Walk:
        deadline = asyncio.get_running_loop().time() + self._lifetime.total_seconds()
        servers, pinned = self._nameservers, dict[str, tuple[str, ...]]()
        if servers is None:
            names = await self._system.read()
            servers, pinned = names.servers, names.hosts
        lookups = Lookups(servers, patience=self._timeout.total_seconds(), pinned=pinned)
        return Walk(lookups, self._draw, _source_of, deadline)

    def _refused(self, host: str, error: PlanError) -> Resolution:
        return Resolution(host, (), self._clock(), decisions=(str(error),), failure=str(error))

    def _result(self, host: str, walk: Walk) -> Resolution:
        return Resolution(
            host,
            tuple(walk.targets.values()),
            self._clock(),
            walk.naptr_records,
            tuple(walk.srv_records),
            walk.lookups.trail,
            tuple(walk.decisions),
            walk.failure,
            walk.dropped,
        )


def _source_of(address: str) -> str | None:
    """The local address from which the system would send; no packet is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            source: str = probe.getsockname()[0]
    except OSError:
        return None
    return source
