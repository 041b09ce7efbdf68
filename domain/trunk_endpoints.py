"""What of a trunk is probed: its endpoints in order, as whom, and by which rule they are judged.

Whatever changes what a peer sees of a probe, or what we accept of the peer, makes it another probe;
what belongs to one organization (an authority, a pin, a client certificate) makes it that
organization's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.health_rule import STANDARD_RULE, HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, tls_difference
from domain.trunk import Direction, Endpoint, TrunkOptions, TrunkProfile
from sip.transports import Transport

__all__ = ["PlacedEndpoint", "endpoints_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEndpoint:
    """An endpoint of a trunk; ``position`` 0 is the primary. ``label`` names it to people."""

    position: int
    label: str
    identity: NameIdentity
    rule: HealthRule = STANDARD_RULE


def endpoints_of(profile: TrunkProfile, org_id: str) -> tuple[PlacedEndpoint, ...]:
    """The endpoints that are probed for a trunk, the primary first, then those of its failover.

    None for a trunk that carries inbound calls only: nothing is sent there.
    """
    if not profile.direction.serves(Direction.OUTBOUND):
        return ()
    rule = profile.options.health_check or STANDARD_RULE
    return tuple(
        PlacedEndpoint(
            position=position,
            label=_label(endpoint),
            identity=NameIdentity(
                host=endpoint.host,
                port=endpoint.port,
                transport=endpoint.transport,
                profile=_profile(endpoint, profile.options, org_id),
            ),
            rule=rule,
        )
        for position, endpoint in enumerate(profile.endpoints)
    )


def _profile(endpoint: Endpoint, options: TrunkOptions, org_id: str) -> ProbeProfile:
    tls, own = "", False
    # Without a transport the DNS may choose TLS (RFC 3263 4.1).
    if endpoint.transport in (None, Transport.TLS):
        tls = tls_difference(
            exact_names=bool(options.exact_tls_names),
            ca_pem=options.ca_pem,
            pin=options.certificate_pin,
            client_chain=options.client_certificate,
        )
        own = any((options.ca_pem, options.certificate_pin, options.client_certificate))
    return ProbeProfile(
        domain=endpoint.host,
        from_uri=None if options.from_domain is None else f"sip:{_in_uri(options.from_domain)}",
        tls=tls,
        org_id=org_id if own else None,
    )


def _label(endpoint: Endpoint) -> str:
    """As the endpoint was configured, such as ``sip1.provider.com:5061/tls``."""
    label = _in_uri(endpoint.host)
    if endpoint.port is not None:
        label = f"{label}:{endpoint.port}"
    return label if endpoint.transport is None else f"{label}/{endpoint.transport.value}"


def _in_uri(host: str) -> str:
    return f"[{host}]" if ":" in host else host
