"""The parts of a health check's request that probes share, each made once."""

from __future__ import annotations

from typing import Final

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.net.health_probe import ProbeJob
from sip.net.probe_report import ProbeIdentity
from sip.probe_message import OptionsTemplate
from sip.transports import Transport
from sip.uri import SipUri, parse_uri

__all__ = ["RequestForms"]

MAX_TEMPLATES: Final = 4096
"""Templates kept for sockets; a template takes about 1 KB."""

Address = tuple[str, int]
NOWHERE: Final[Address] = ("192.0.2.1", 9)


class RequestForms:
    """Makes what a probe's request consists of; the same request as ``ProbeRequests`` builds."""

    def __init__(self, identity: ProbeIdentity) -> None:
        """Raises ``LocalProtocolError`` when the identity cannot stand in a request."""
        self._identity = identity
        self._templates: dict[tuple[Transport, Address, str | None], OptionsTemplate] = {}
        self.new_template(Transport.UDP, NOWHERE, None)

    def template(
        self, transport: Transport, local: Address, from_uri: str | None
    ) -> OptionsTemplate:
        """The template of a socket's probes, kept for the next one; ``from_uri`` as of a ``form``."""
        key = (transport, local, from_uri)
        template = self._templates.get(key)
        if template is None:
            if len(self._templates) >= MAX_TEMPLATES:
                self._templates.clear()
            template = self._templates[key] = self.new_template(transport, local, from_uri)
        return template

    def new_template(
        self, transport: Transport, local: Address, from_uri: str | None
    ) -> OptionsTemplate:
        """As ``template``, without keeping it: for a connection, whose address no other has."""
        address = self._identity.public_address or local[0]
        return OptionsTemplate(
            transport=transport.value,
            via_host=address,
            via_port=local[1],
            from_uri=self._from(from_uri, address),
            user_agent=self._identity.user_agent,
        )

    def form(self, job: ProbeJob) -> tuple[bytes, bytes]:
        """What a template needs of a target.

        Raises ``LocalProtocolError`` when the domain is no host or ``from_uri`` no SIP URI.
        """
        self._from(job.from_uri, job.address)
        params = () if job.transport is Transport.UDP else (("transport", job.transport.value),)
        # TLS on its default port is written out: not every peer derives 5061 from the parameter.
        plain = job.transport is not Transport.TLS and job.port == job.transport.default_port
        port = None if plain else job.port
        return OptionsTemplate.target(
            SipUri(scheme="sip", host=job.domain, port=port, params=params)
        )

    def _from(self, from_uri: str | None, address: str) -> SipUri:
        if from_uri is None:
            host = self._identity.from_domain or address
            return SipUri(scheme="sip", user="trunkline", host=host)
        try:
            uri = parse_uri(from_uri)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"From: {error.message}") from error
        if not isinstance(uri, SipUri):
            raise LocalProtocolError("From is not a SIP URI")
        return uri
