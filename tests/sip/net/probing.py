"""What the tests of the prober share: how the lab's peers come out, and a prober that asks them."""

from __future__ import annotations

import secrets

from lab import Lab
from lab.call_peers import CALL_PEERS
from lab.media_peers import MEDIA_PEERS
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity, ProbeOutcome, ProbeTarget
from sip.net.prober import Prober
from sip.net.wire import WireTap
from tests.sip.net.stacks import LOOPBACK

__all__ = ["ENDLESS", "OUTCOMES", "PATIENCE", "STATUSES", "Target", "prober_of", "target_of"]

PATIENCE = 0.8
"""Seconds for probes that end in silence."""

Target = tuple[str, str, int]

OUTCOMES: dict[Target, ProbeOutcome] = {
    ("silent", "udp", 5060): ProbeOutcome.SILENT,
    ("silent", "tcp", 5060): ProbeOutcome.CONNECTED_SILENT,
    ("silent", "tls", 5061): ProbeOutcome.TLS_SILENT,
    ("refusing", "udp", 5060): ProbeOutcome.REFUSED,
    ("refusing", "tcp", 5060): ProbeOutcome.REFUSED,
    ("refusing", "tls", 5061): ProbeOutcome.REFUSED,
    ("filtered", "udp", 5060): ProbeOutcome.SILENT,
    ("filtered", "tcp", 5060): ProbeOutcome.CONNECT_TIMEOUT,
    ("filtered", "tls", 5061): ProbeOutcome.CONNECT_TIMEOUT,
    ("stuck", "udp", 5060): ProbeOutcome.PROVISIONAL_ONLY,
    ("stuck", "tcp", 5060): ProbeOutcome.PROVISIONAL_ONLY,
    ("hanging-up", "tcp", 5060): ProbeOutcome.CLOSED,
    ("garbage", "udp", 5060): ProbeOutcome.NOT_SIP,
    ("garbage", "tcp", 5060): ProbeOutcome.NOT_SIP,
    ("garbage", "tls", 5061): ProbeOutcome.NOT_SIP,
    ("alternate-port", "udp", 5060): ProbeOutcome.REFUSED,
    ("old-tls", "tls", 5061): ProbeOutcome.TLS_OLD_VERSION,
    ("client-certificate", "tls", 5061): ProbeOutcome.TLS_CLIENT_CERTIFICATE,
    ("not-tls", "tls", 5061): ProbeOutcome.NOT_TLS,
}

ENDLESS = {
    target
    for target, outcome in OUTCOMES.items()
    if outcome
    in (
        ProbeOutcome.SILENT,
        ProbeOutcome.CONNECTED_SILENT,
        ProbeOutcome.TLS_SILENT,
        ProbeOutcome.CONNECT_TIMEOUT,
        ProbeOutcome.PROVISIONAL_ONLY,
    )
} | {("garbage", "udp", 5060)}
"""What ends by the prober's patience alone."""

CHALLENGING = {"auth-loop": 401, "stale-nonces": 401, "proxy-challenge": 407}

STATUSES: dict[Target, int] = {
    ("asterisk", "udp", 5060): 200,
    ("asterisk", "tcp", 5060): 200,
    ("freeswitch", "udp", 5060): 200,
    ("freeswitch", "tcp", 5080): 200,
    ("kamailio", "udp", 5060): 200,
    ("kamailio", "tcp", 5060): 200,
    ("kamailio", "tls", 5061): 200,
    ("opensips", "udp", 5060): 200,
    ("3cx", "tcp", 5060): 200,
    ("3cx", "tls", 5061): 200,
    ("cisco", "udp", 5060): 200,
    ("twilio", "tls", 5061): 200,
    ("shy", "udp", 5060): 200,
    ("renamed", "udp", 5060): 200,
    ("slow", "udp", 5060): 200,
    ("slow", "tcp", 5060): 200,
    ("other-address", "udp", 5060): 200,
    ("alternate-port", "udp", 5080): 200,
    ("alternate-port", "tcp", 5080): 200,
    ("tls-only", "tls", 5061): 200,
    ("expired-certificate", "tls", 5061): 200,
    ("wrong-name", "tls", 5061): 200,
    ("self-signed", "tls", 5061): 200,
    ("not-tls", "udp", 5060): 200,
    ("challenge", "udp", 5060): 401,
    ("challenge", "tcp", 5060): 401,
    ("forbidden", "udp", 5060): 403,
    ("maintenance", "tcp", 5060): 503,
    # The peers that differ in calls alone.
    **{
        (peer.name, port.transport.lower(), port.number): CHALLENGING.get(peer.name, 200)
        for peer in (*CALL_PEERS, *MEDIA_PEERS)
        for port in peer.behaviour.ports[:1]
    },
}


def prober_of(lab: Lab, guard: AddressGuard = LOOPBACK, tap: WireTap | None = None) -> Prober:
    """A prober that trusts the lab's authority."""
    identity = ProbeIdentity(
        user_agent="Trunkline/test (+https://trunkline.test)", ca_file=str(lab.ca_file)
    )
    return Prober(guard=guard, identity=identity, token=lambda: secrets.token_hex(8), tap=tap)


def target_of(lab: Lab, name: str, transport: str, port: int) -> ProbeTarget:
    """A port of a peer, asked for by its address."""
    address = lab.peers[name].address
    return ProbeTarget(address=address, port=port, transport=transport, host=address)
