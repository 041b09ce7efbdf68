"""The catalogue of providers and PBXs: what to enter as the destination, and where to find it.

Source: public contract 9.2. Only facts that hold for every customer of the provider are stated.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PROVIDERS", "Provider", "ProviderKind", "provider_for_host", "provider_with_id"]


class ProviderKind(StrEnum):
    CARRIER = "carrier"
    PBX = "pbx"
    UCAAS = "ucaas"
    OTHER = "other"


class Provider(BaseModel):
    """One entry of the catalogue, as the wizard shows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    kind: ProviderKind
    supported: bool = Field(default=True, description="A direct connection is possible.")
    destination_label: str = Field(description="The vendor's own word for the destination.")
    enter: str = Field(description="What to enter, in one sentence.")
    where: str = Field(description="Where its owner finds that, in one sentence.")
    example: str | None = Field(default=None, description="An input that parses.")
    notes: tuple[str, ...] = ()
    host_suffixes: tuple[str, ...] = Field(
        default=(), description="Domains by which a destination is recognised as this provider's."
    )


PROVIDERS = (
    Provider(
        id="twilio",
        name="Twilio",
        kind=ProviderKind.CARRIER,
        destination_label="SIP Domain URI",
        enter="The termination SIP URI of your Elastic SIP Trunk, or the URI of your SIP Domain.",
        where="Twilio Console: Elastic SIP Trunking, your trunk, Termination, Termination SIP URI.",
        example="your-trunk.pstn.twilio.com",
        notes=(
            "Add our addresses to the trunk's IP access control list, or give it a credential "
            "list; without either of them calls are refused.",
            "Encrypted media needs Secure Trunking to be switched on for the trunk.",
        ),
        host_suffixes=("pstn.twilio.com", "sip.twilio.com"),
    ),
    Provider(
        id="vonage",
        name="Vonage",
        kind=ProviderKind.CARRIER,
        destination_label="SIP endpoint",
        enter="The SIP endpoint of your Vonage trunk.",
        where="Vonage SIP dashboard: your trunk, its regional domain.",
        example="yourcompany.sip-us.vonage.com",
        notes=(
            "Calls are authenticated with a credential list or by an access control list that "
            "names our addresses.",
        ),
        host_suffixes=("vonage.com", "nexmo.com"),
    ),
    Provider(
        id="asterisk",
        name="Asterisk / FreePBX",
        kind=ProviderKind.PBX,
        destination_label="Public IP or hostname",
        enter="The public address or host name of the PBX, with the port if it is not 5060.",
        where="FreePBX: Settings, Asterisk SIP Settings, External Address. Asterisk: the bind "
        "option of the transport in pjsip.conf.",
        example="pbx.example.com:5060",
        notes=(
            "Behind NAT, forward the SIP port and the RTP port range to the PBX.",
            "A 401 answer in the discovery is normal: PJSIP asks for credentials even for OPTIONS.",
        ),
    ),
    Provider(
        id="3cx",
        name="3CX",
        kind=ProviderKind.PBX,
        destination_label="SIP trunk FQDN",
        enter="The FQDN of your 3CX system.",
        where="The address of the 3CX web client or admin console, without https:// and the port.",
        example="yourcompany.3cx.us",
        notes=("SIP is at 5060, SIP over TLS at 5061, unless the installation was changed.",),
        host_suffixes=("3cx.us", "3cx.eu", "3cx.com", "my3cx.us", "my3cx.eu"),
    ),
    Provider(
        id="cisco",
        name="Cisco UCM / CUBE",
        kind=ProviderKind.PBX,
        destination_label="Gateway address",
        enter="The address of the CUBE or of the UCM node that takes SIP trunk calls.",
        where="UCM: System, Server. CUBE: the address of the interface its SIP service is bound to.",
        example="cube.example.com",
        notes=(
            "UCM answers only addresses for which it has a SIP trunk: add our addresses as the "
            "trunk's destination (Device, Trunk).",
            "CUBE refuses callers that are not in its trusted address list.",
        ),
    ),
    Provider(
        id="ringcentral",
        name="RingCentral",
        kind=ProviderKind.UCAAS,
        destination_label="SIP endpoint",
        enter="The SIP endpoint that RingCentral gave you.",
        where="RingCentral's provisioning information for your trunk or device.",
        host_suffixes=("ringcentral.com",),
    ),
    Provider(
        id="teams",
        name="Microsoft Teams",
        kind=ProviderKind.UCAAS,
        supported=False,
        destination_label="Certified SBC",
        enter="The FQDN of your certified session border controller, not an address of Microsoft.",
        where="The administrator of the SBC: Direct Routing connects Teams to it.",
        example="sbc.example.com",
        notes=(
            "Teams takes calls from certified SBCs only, so a direct connection is not possible. "
            "Connect the SBC to Teams, and us to the SBC.",
        ),
        host_suffixes=("pstnhub.microsoft.com",),
    ),
    Provider(
        id="other",
        name="Other",
        kind=ProviderKind.OTHER,
        destination_label="SIP endpoint",
        enter="Any standard SIP endpoint: a host name, an address or a SIP URI.",
        where="The provider's documentation, under SIP server, proxy, registrar or termination.",
        example="sip.example.com",
    ),
)

_BY_ID = {provider.id: provider for provider in PROVIDERS}


def provider_with_id(provider_id: str) -> Provider | None:
    """The catalogue entry with this id, if there is one."""
    return _BY_ID.get(provider_id)


def provider_for_host(host: str) -> Provider | None:
    """The provider whose domain ``host`` is in; None for a host that is nobody's in particular."""
    name = host.lower().rstrip(".")
    for provider in PROVIDERS:
        for suffix in provider.host_suffixes:
            if name == suffix or name.endswith(f".{suffix}"):
                return provider
    return None
