"""What a customer's network needs to know of ours (contract 5.1 and 5.2)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from domain.codecs import Codec
from domain.trunk import AuthMode
from sip.transports import Transport

__all__ = [
    "EXAMPLE_FIREWALL",
    "EXAMPLE_SETUP",
    "FirewallPorts",
    "FirewallView",
    "MediaFloor",
    "SetupCredentials",
    "SetupView",
    "TlsFloor",
]

EXAMPLE_FIREWALL: dict[str, Any] = {
    "ip_addresses": ["192.0.2.10", "192.0.2.11"],
    "ports": {"sip": "5061 TLS", "rtp": "10000-20000 UDP"},
    "signaling_addresses": ["192.0.2.10", "192.0.2.11"],
    "media_addresses": ["192.0.2.10", "192.0.2.11"],
    "region": "us",
    "region_name": "US1",
    "changed_on": "2026-03-09",
    "example": False,
    "note": None,
}

EXAMPLE_SETUP: dict[str, Any] = {
    "sip_server": "sip.example.com",
    "port": 5061,
    "transport": "tls",
    "uri": "sip:sip.example.com:5061;transport=tls",
    "instructions": "Send your INVITEs to sip.example.com:5061 over TLS.",
    "region": "us",
    "region_name": "US1",
    "example": False,
    "tls": {"minimum_version": "1.2", "trust": "ISRG Root X1"},
    "media": {
        "srtp_suite": "AES_CM_128_HMAC_SHA1_80",
        "rtp_ports": "10000-20000 UDP",
        "rtcp": "RTP port + 1",
        "dtmf": "RFC 2833",
    },
    "codecs": ["PCMU", "PCMA", "Opus"],
    "optional_codecs": ["G.729", "G.722"],
    "transcoding": False,
    "methods": ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REFER"],
    "number_formats": ["+14150000000", "14150000000"],
    "credentials": None,
}


class FirewallPorts(BaseModel):
    """Port and protocol as people write them."""

    sip: str
    rtp: str


class FirewallView(BaseModel):
    """Which of our addresses to let in."""

    ip_addresses: Annotated[
        list[str], Field(description="All addresses, those of signalling first.")
    ]
    ports: FirewallPorts
    signaling_addresses: list[str]
    media_addresses: list[str]
    region: str
    region_name: str
    changed_on: Annotated[date, Field(description="Since when the list is as it is.")]
    example: Annotated[
        bool, Field(description="The operator has set no regions: these are not real addresses.")
    ]
    note: str | None = None


class TlsFloor(BaseModel):
    """What our TLS asks of a client, and which root it must trust."""

    minimum_version: str
    trust: str


class MediaFloor(BaseModel):
    """How media is exchanged with us."""

    srtp_suite: str
    rtp_ports: str
    rtcp: str
    dtmf: str


class SetupCredentials(BaseModel):
    """How a number's registration is set up; passwords are never shown again."""

    auth_mode: AuthMode
    username: str
    password: str
    registrar: str | None


class SetupView(BaseModel):
    """What to enter in a PBX or at a carrier so that calls reach us."""

    sip_server: str
    port: int
    transport: Transport
    uri: str
    instructions: str
    region: str
    region_name: str
    example: bool
    tls: TlsFloor
    media: MediaFloor
    codecs: list[Codec]
    optional_codecs: list[Codec]
    transcoding: Annotated[
        bool, Field(description="Whether media is converted between codecs: not yet.")
    ]
    methods: list[str]
    number_formats: Annotated[list[str], Field(description="How a called number may be written.")]
    credentials: SetupCredentials | None
