"""Where the requests within a call go: Record-Route and Contact, resolved before they are needed.

A session asks for the flow to a URI and cannot wait, so each hop is found when the message that
names it arrives. What cannot be found, reached or allowed goes over the INVITE's own flow, which is
known to work: behind a NAT that is the only one that does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from sip.call_addresses import AddressNotes, contact_of, first_route_of
from sip.call_facts import AddressPlace
from sip.message import Message
from sip.net.call_targets import CONNECT_FAILURES
from sip.net.resolver import Resolver
from sip.net.tls import TlsProfile, tls_facts
from sip.net.transport import TransportLayer
from sip.resolution import Target
from sip.transaction import Flow
from sip.transports import Transport
from sip.uri import SipUri, Uri

__all__ = ["HOP_SECONDS", "NextHops"]

HOP_SECONDS = 1.5
"""A hop that takes longer to be found is not used: the peer repeats its answer meanwhile."""

MAX_HOPS = 8
"""Hops looked up in one call: the peer names them, and each may cost DNS questions."""

MAX_TARGETS = 4


class NextHops:
    """The flows of one dialog set. ``profile_for`` gives the TLS profile for a host name."""

    def __init__(
        self,
        transport: TransportLayer,
        resolver: Resolver,
        invite_flow: Flow,
        invite_host: str,
        *,
        addresses: AddressNotes,
        note: Callable[[str], None],
        profile_for: Callable[[str], TlsProfile],
    ) -> None:
        self._transport, self._resolver, self._invite_flow = transport, resolver, invite_flow
        self._addresses, self._note, self._profile_for = addresses, note, profile_for
        self._flows: dict[str, Flow] = {}
        self._names: dict[Flow, str] = {invite_flow: invite_host}
        self._routed = False

    def flow_to(self, uri: Uri) -> Flow:
        """The flow to a hop; the INVITE's for one that was not found."""
        return self._flows.get(str(uri), self._invite_flow)

    async def prepare(self, message: Message) -> None:
        """Find the hop that a message of the peer names for the requests behind it."""
        route, contact = first_route_of(message), contact_of(message)
        self._routed = self._routed or route is not None
        uri = route if route is not None else None if self._routed else contact
        if not isinstance(uri, SipUri) or str(uri) in self._flows or len(self._flows) >= MAX_HOPS:
            return
        place = AddressPlace.CONTACT if route is None else AddressPlace.RECORD_ROUTE
        await self.find(uri, place)

    async def find(self, uri: SipUri, place: AddressPlace) -> None:
        """Find the flow to a hop for `flow_to`."""
        try:
            async with asyncio.timeout(HOP_SECONDS):
                flow = await self._find(uri, place)
        except TimeoutError:
            self._note(f"{uri.host} was not found or did not answer in time")
            flow = None
        self._flows[str(uri)] = flow or self._invite_flow

    async def reconnect(self) -> None:
        """Connect again where the peer closed a connection since."""
        dead = [flow for flow in self._names if not self._transport.is_open(flow)]
        for flow in dead:
            host = self._names.pop(flow)
            uri = SipUri("sip", host, None)
            opened = await self._connect(uri, flow.remote, Transport(flow.transport.lower()))
            if opened is not None:
                self._flows = {
                    key: opened if known == flow else known for key, known in self._flows.items()
                }
                if flow == self._invite_flow:
                    self._invite_flow = opened

    async def _find(self, uri: SipUri, place: AddressPlace) -> Flow | None:
        invite = self._invite_flow
        secure = uri.scheme == "sips" or (uri.transport or "") == "tls"
        if invite.transport == "TLS" and uri.transport is not None and not secure:
            # What was agreed on under TLS, keys included, does not go on in the clear.
            return None
        resolution = await self._resolver.resolve(
            uri.param("maddr") or uri.host,
            port=uri.port,
            transport=uri.transport or invite.transport.lower(),
            secure=uri.scheme == "sips",
        )
        if resolution.failure is not None:
            self._note(f"{uri.host} cannot be resolved: {resolution.failure}")
        targets = resolution.targets[:MAX_TARGETS]
        if any(self._is_invite_flow(target) for target in targets):
            return invite
        for target in targets:
            if self._addresses.note(place, target.address, blocked=True) is None:
                flow = await self._open(uri, target)
                if flow is not None:
                    return flow
        return None

    def _is_invite_flow(self, target: Target) -> bool:
        remote = (target.address, target.port)
        return self._invite_flow.remote == remote and self._same_transport(target)

    def _same_transport(self, target: Target) -> bool:
        return target.transport is not None and target.transport.upper() == (
            self._invite_flow.transport
        )

    async def _open(self, uri: SipUri, target: Target) -> Flow | None:
        invite = self._invite_flow
        if target.port is None or target.transport is None:
            return None
        remote = (target.address, target.port)
        same_family = ip_address(remote[0]).version == ip_address(invite.local[0]).version
        if (target.transport, invite.transport) == (Transport.UDP, "UDP") and same_family:
            return Flow("UDP", invite.local, remote)
        return await self._connect(uri, remote, target.transport)

    async def _connect(
        self, uri: SipUri, remote: tuple[str, int], transport: Transport
    ) -> Flow | None:
        """A flow of its own; None, and a note, when there is none."""
        try:
            if transport is Transport.UDP:
                return self._transport.udp_flow(remote)
            if transport is Transport.TCP:
                flow: Flow | None = await self._transport.stream_flow(
                    remote, None, seconds=HOP_SECONDS
                )
            else:
                flow = await self._open_tls(uri, remote)
        except CONNECT_FAILURES as error:
            words = str(error) or type(error).__name__
            self._note(f"{remote[0]} port {remote[1]} could not be connected to: {words}")
            return None
        if flow is not None:
            self._names[flow] = uri.host
        return flow

    async def _open_tls(self, uri: SipUri, remote: tuple[str, int]) -> Flow | None:
        profile = self._profile_for(uri.host)
        flow = await self._transport.stream_flow(remote, profile, seconds=HOP_SECONDS)
        session = self._transport.ssl_object(flow)
        if session is None:
            return None
        facts = tls_facts(session, profile)
        if profile.verify and not facts.verifies:
            self._note(f"{uri.host} was not used: {facts.problem}")
            self._transport.close_flow(flow)
            return None
        return flow
