"""Addresses in a peer's messages that cannot work from here: private ones behind a NAT, mostly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Final

from sip.call_facts import AddressFinding, AddressPlace
from sip.errors import RemoteProtocolError
from sip.headers import parse_addresses
from sip.message import Message, Request, Response
from sip.uri import SipUri, Uri

__all__ = ["AddressNotes", "Objection", "contact_of", "first_route_of"]

Objection = Callable[[str], str | None]
"""Why nothing may be sent to an address, as a sentence; None when it may."""

MAX_FINDINGS: Final = 16
"""Findings kept of one call."""


class AddressNotes:
    """Collects findings, each once. ``objection`` is that of the address guard."""

    def __init__(self, objection: Objection) -> None:
        self._objection = objection
        self._findings: dict[tuple[AddressPlace, str], AddressFinding] = {}

    @property
    def findings(self) -> tuple[AddressFinding, ...]:
        return tuple(self._findings.values())

    def note(self, place: AddressPlace, host: str, *, blocked: bool = False) -> str | None:
        """Judge an address; ``blocked`` when it would have been sent to. Return the objection.

        A host name has no answer before it is resolved.
        """
        try:
            address = str(ip_address(host))
        except ValueError:
            return None
        problem = self._objection(address)
        if problem is None:
            return None
        key = place, address
        before = self._findings.get(key)
        if before is not None or len(self._findings) < MAX_FINDINGS:
            blocked = blocked or (before is not None and before.blocked)
            self._findings[key] = AddressFinding(
                place=place, address=address, problem=problem, blocked=blocked
            )
        return problem

    def read(self, message: Message) -> None:
        """Judge what stands in a message: Contact, Record-Route and, in a request, Via."""
        for uri in _dialog_contacts(message):
            if isinstance(uri, SipUri):
                self.note(AddressPlace.CONTACT, uri.host)
        for uri in record_routes_of(message):
            if isinstance(uri, SipUri):
                self.note(AddressPlace.RECORD_ROUTE, uri.host)
        if isinstance(message, Request):
            # The hops above the first are the peer's own network, and no business of ours.
            self.note(AddressPlace.VIA, message.via.host)


def _dialog_contacts(message: Message) -> tuple[Uri, ...]:
    """Contact of what makes or changes a dialog; in a 3xx or 485 it is no place of the peer's."""
    if isinstance(message, Response) and message.status >= 300:
        return ()
    return tuple(contact.uri for contact in message.contacts[:1])


def record_routes_of(message: Message) -> Iterator[Uri]:
    """The URIs of Record-Route, top first; one that is malformed ends them."""
    for value in message.headers.get_all("Record-Route"):
        try:
            yield from (route.uri for route in parse_addresses(value))
        except RemoteProtocolError:
            return


def first_route_of(message: Message) -> Uri | None:
    """The first route of the dialog that a response to our INVITE makes (RFC 3261 12.1.2)."""
    routes = [uri for uri in record_routes_of(message) if isinstance(uri, SipUri)]
    return routes[-1] if routes else None


def contact_of(message: Message) -> SipUri | None:
    """The remote target that a message of the peer gives to its dialog."""
    for uri in _dialog_contacts(message):
        return uri if isinstance(uri, SipUri) else None
    return None
