"""Snippets for gateways and commercial systems: Cisco CUBE, AudioCodes, 3CX.

They name the fields and commands of the vendors' administration guides; none of these systems was
at hand to load them.
"""

from __future__ import annotations

from ipaddress import IPv6Network, ip_network
from typing import Final

from domain.codecs import Codec
from domain.snippet_values import PASSWORD, SnippetValues
from sip.transports import Transport

__all__ = ["audiocodes", "cisco_cube", "three_cx"]

_CISCO_CODECS: Final = {
    Codec.PCMU: "g711ulaw",
    Codec.PCMA: "g711alaw",
    Codec.G729: "g729r8",
    Codec.OPUS: "opus",
    Codec.G722: "g722-64",
}
_AUDIOCODES_CODECS: Final = {
    Codec.PCMU: "g711-ulaw",
    Codec.PCMA: "g711-alaw",
    Codec.G729: "g729",
    Codec.OPUS: "opus",
    Codec.G722: "g722",
}


def cisco_cube(values: SnippetValues) -> str:
    """Trusted addresses, codec class, tenant and two dial-peers."""
    session = "tcp tls" if values.transport is Transport.TLS else values.transport.value
    lines = [f"! {values.name}", "voice service voip", " ip address trusted list"]
    for address in values.addresses:
        network = ip_network(address)
        if isinstance(network, IPv6Network):
            lines.append(f"  ipv6 {network}")
        else:
            lines.append(f"  ipv4 {network.network_address} {network.netmask}")
    lines += [" allow-connections sip to sip", "!", "voice class codec 710"]
    lines += [
        f" codec preference {rank} {_CISCO_CODECS[codec]}"
        for rank, codec in enumerate(values.codecs, start=1)
    ]
    lines += ["!"]
    if values.secure_media:
        lines += ["voice class srtp-crypto 710", " crypto 1 AES_CM_128_HMAC_SHA1_80", "!"]
    lines += ["voice class tenant 710"]
    if values.username is not None:
        lines.append(f" authentication username {values.username} password 0 {PASSWORD}")
    lines += [
        f" sip-server dns:{values.sip_server}:{values.port}",
        f" session transport {session}",
        *([" srtp-crypto 710"] if values.secure_media else []),
        "!",
        *_dial_peer(
            values, 7100, "to Trunkline", "destination-pattern <PATTERN OF CALLED NUMBERS>"
        ),
        " session target sip-server",
        "!",
        *_dial_peer(values, 7101, "from Trunkline", _incoming(values)),
    ]
    return "\n".join([*lines, ""])


def _dial_peer(values: SnippetValues, tag: int, description: str, match: str) -> list[str]:
    return [
        f"dial-peer voice {tag} voip",
        f" description {description}",
        f" {match}",
        " session protocol sipv2",
        " voice-class codec 710",
        " voice-class sip tenant 710",
        " dtmf-relay rtp-nte",
        *([" srtp"] if values.secure_media else []),
    ]


def _incoming(values: SnippetValues) -> str:
    if not values.numbers:
        return "incoming called-number ."
    first = values.numbers[0]
    return f"incoming called-number {first.replace('+', chr(92) + '+')}"


def audiocodes(values: SnippetValues) -> str:
    """Proxy set, IP profile, IP group and classification."""
    protocol = values.transport.value
    lines = [
        "configure voip",
        " proxy-set 7",
        f'  proxy-name "{values.name}"',
        "  proxy-enable-keep-alive using-options",
        "  proxy-keep-alive-time 60",
        "  proxy-ip 0",
        f'   proxy-address "{values.sip_server}:{values.port}"',
        f"   transport-type {protocol}",
        "   exit",
        "  exit",
        " coders-and-profiles audio-coders-groups 7",
    ]
    for index, codec in enumerate(values.codecs):
        lines += [f"  audio-coders {index}", f"   name {_AUDIOCODES_CODECS[codec]}", "   exit"]
    lines += [
        "  exit",
        " coders-and-profiles ip-profile 7",
        f'  profile-name "{values.name}"',
        f"  sbc-media-security-behaviour {'srtp' if values.secure_media else 'rtp'}",
        "  sbc-rfc2833-behavior extend",
        "  exit",
        " ip-group 7",
        "  type server",
        f'  name "{values.name}"',
        f'  proxy-set-name "{values.name}"',
        f'  ip-profile-name "{values.name}"',
        f'  sip-group-name "{values.sip_server}"',
        "  classify-by-proxy-set disable",
    ]
    if values.username is not None:
        lines += [f'  username "{values.username}"', f'  password "{PASSWORD}"']
    lines += ["  exit"]
    for index, address in enumerate(values.addresses):
        lines += [
            f" sbc classification {70 + index}",
            f'  classification-name "{values.name}-{index}"',
            f'  src-ip-address "{address}"',
            f'  src-ip-group-name "{values.name}"',
            "  exit",
        ]
    return "\n".join([*lines, ""])


def three_cx(values: SnippetValues) -> str:
    """The fields of the trunk's pages."""
    registration = "Do not require - IP Based"
    if values.username is not None:
        registration = "Register/Account based"
    fields = [
        ("Name of Trunk", values.name),
        ("Registrar/Server", values.sip_server),
        ("Registrar/Server port", str(values.port)),
        ("Type of Authentication", registration),
        ("Transport", values.transport.upper()),
        ("SRTP", "Enabled" if values.secure_media else "Disabled"),
        ("Codecs", ", ".join(values.codecs)),
        ("Main Trunk No", values.numbers[0] if values.numbers else "<MAIN NUMBER>"),
        ("DID Numbers", ", ".join(values.shown_numbers) or "<YOUR NUMBERS>"),
        ("Allowed addresses of ours", ", ".join(values.addresses) or "<ASK THE OPERATOR>"),
    ]
    if values.username is not None:
        fields += [("Authentication ID", values.username), ("Authentication Password", PASSWORD)]
    return "".join(f"{name}: {value}\n" for name, value in fields)
