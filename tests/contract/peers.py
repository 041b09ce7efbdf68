"""The examples of the contract as the lab's peers can answer them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.call_timeline import TimelineWord
from lab.identities import ASTERISK
from sip.uri import SipUri, parse_uri
from tests.contract.exchange import Example

__all__ = ["as_published", "with_peers"]

PEERS: Final = {
    "sip.example.com": "asterisk",
    "203.0.113.10": "asterisk",
    "trunk.provider.com": "asterisk",
    "trunk.acme.example": "tls-only",
}
"""Published hosts that the system connects to, and the lab's peer in their place. The other hosts of
the examples are only stored."""

PEERS_OF: Final = {
    # Nothing is found before the first look.
    "4.2 a discovery is started and polled": {"sip.example.com": "silent"},
    "7.6 a trunk that cannot be reached over TLS": {"trunk.acme.example": "old-tls"},
}
"""The same for single examples."""

SAID: Final[tuple[tuple[Any, Any], ...]] = (
    ("Asterisk PBX 18.0.0", dict(ASTERISK.banner)["Server"]),
    (
        ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"],
        dict(ASTERISK.capabilities)["Allow"].split(", "),
    ),
)
"""What the published peer says of itself, and what the lab's says."""

VARIES: Final = {
    "4.2 a discovery is started and polled": ("data.resolved_addresses", "data.attempts"),
    "4.2 (newer) a discovery is waited for, on one port and transport": (
        "data.attempts.0.response_time_ms",
    ),
    "4.3 a completed discovery": ("data.attempts.0.response_time_ms",),
    "4.5 a call that has just begun": ("data.status", "data.timeline"),
    "4.5 a call that was answered and has ended": ("data.duration_seconds",),
    "5.3 a number that was answered": ("data.response_time_ms",),
    # Unknown until the first samples are written, minutes later.
    "5.3 (newer) a number that was answered": ("data.avg_response_ms", "data.uptime_percent"),
    "7.6 a trunk that answers": ("data.response_time_ms",),
}
"""What depends on the moment."""

EVENTS: Final = frozenset(
    {
        TimelineWord.INITIATED,
        TimelineWord.RINGING,
        TimelineWord.ANSWERED,
        TimelineWord.COMPLETED,
    }
)
"""The words that the contract has for what happens in a call; the others are beside them."""


def with_peers(example: Example, lab: Mapping[str, str]) -> Example:
    """The example about peers of a lab, of which ``lab`` has the SIP URI by name.

    Raises ``KeyError`` when the lab lacks one.
    """
    name = example["name"]
    hosts = {host: _host(lab[peer]) for host, peer in (PEERS | PEERS_OF.get(name, {})).items()}
    replaced: Example = _replaced(example, hosts)
    return {**replaced, "name": name, "varies": (*example.get("varies", ()), *VARIES.get(name, ()))}


def as_published(said: Any) -> Any:
    """An answer without the events of a call that the contract has no words for, and without the port
    requests of the examples before, which were canceled."""
    data = said["data"]
    if data and "port_requests" in data:
        listed = [each for each in data["port_requests"] if each["status"] != "canceled"]
        return {**said, "data": {**data, "port_requests": listed}}
    if not data or "timeline" not in data:
        return said
    timeline = [each for each in data["timeline"] if each["event"] in EVENTS]
    return {**said, "data": {**data, "timeline": timeline}}


def _host(uri: str) -> str:
    peer = parse_uri(uri)
    if not isinstance(peer, SipUri):
        raise ValueError(f"{uri} is no SIP URI")
    return peer.hostport


def _replaced(value: Any, hosts: Mapping[str, str]) -> Any:
    for published, here in SAID:
        if value == published:
            return here
    if isinstance(value, dict):
        return {name: _replaced(inner, hosts) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, hosts) for inner in value]
    if isinstance(value, str):
        for published, here in hosts.items():
            value = value.replace(published, here)
    return value
