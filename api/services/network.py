"""The organization's region as its firewall and its PBX need it (contract 5.1, 5.2 and 9)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from email.utils import format_datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound, Unavailable
from api.schemas.common import Region
from api.schemas.network import (
    FirewallPorts,
    FirewallView,
    MediaFloor,
    SetupCredentials,
    SetupView,
    TlsFloor,
)
from api.schemas.trunk_fields import REDACTED
from api.services.numbers import configured
from domain.codecs import Codec
from domain.regions import RegionFacts, Regions
from domain.trunk import DEFAULT_CODECS, AuthMode, Direction
from storage import organizations, trunks
from storage.tables import NumberBinding

__all__ = ["etag_of", "firewall", "last_modified_of", "region_of", "setup"]

TRUSTED_ROOT: Final = "ISRG Root X1"
METHODS: Final = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REFER")
"""Contract section 9."""

_EXAMPLE_NOTE: Final = (
    "The operator has not set TRUNKLINE_REGIONS_FILE: these are the addresses of the public "
    "contract's example, not of this platform. Do not open your firewall for them."
)
_NO_ADDRESSES: Final = "No addresses are published for this region. Ask the operator."


async def region_of(
    session: AsyncSession, regions: Regions, org_id: str
) -> tuple[str, RegionFacts]:
    """The organization's region, its key and its facts.

    Raises ``Unavailable`` when the operator's file does not have it.
    """
    organization = await organizations.get(session, org_id)
    if organization is None:
        raise NotFound("no such organization")
    key = Region(organization.region).value
    region = regions.regions.get(key)
    if region is None:
        raise Unavailable(f"the operator has not described the region {key}")
    return key, region


def firewall(key: str, region: RegionFacts, *, example: bool) -> FirewallView:
    """The addresses and ports to let in."""
    notes = [_EXAMPLE_NOTE] if example else []
    if not region.addresses:
        notes.append(_NO_ADDRESSES)
    return FirewallView(
        ip_addresses=list(region.addresses),
        ports=FirewallPorts(sip=_sip_port(region), rtp=_rtp_ports(region)),
        signaling_addresses=list(region.signaling),
        media_addresses=list(region.media_addresses),
        region=key,
        region_name=region.name,
        changed_on=region.changed_on,
        example=example,
        note=" ".join(notes) or None,
    )


def etag_of(content: str) -> str:
    """A strong entity tag (RFC 9110 section 8.8.3)."""
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def last_modified_of(region: RegionFacts) -> str:
    """The day of the last change as an HTTP date."""
    return format_datetime(datetime.combine(region.changed_on, time(), UTC), usegmt=True)


async def setup(
    session: AsyncSession, regions: Regions, org_id: str, number: str | None
) -> SetupView:
    """What a PBX needs, with the number's registration when it has one.

    Raises ``InvalidRequest``, ``NotFound`` and ``Unavailable``.
    """
    key, region = await region_of(session, regions, org_id)
    credentials = None
    if number is not None:
        _, found = await configured(session, org_id, number)
        credentials = await _credentials(session, org_id, found)
    protocol = region.transport.upper()
    return SetupView(
        sip_server=region.sip_server,
        port=region.port,
        transport=region.transport,
        uri=f"sip:{region.sip_server}:{region.port};transport={region.transport}",
        instructions=(
            f"Send your INVITEs to {region.sip_server}:{region.port} over {protocol}, with the "
            "called number as +E.164 or E.164 in the Request-URI, and let the addresses of "
            "firewall-ips in."
        ),
        region=key,
        region_name=region.name,
        example=regions.example,
        tls=TlsFloor(minimum_version="1.2", trust=TRUSTED_ROOT),
        media=MediaFloor(
            srtp_suite="AES_CM_128_HMAC_SHA1_80",
            rtp_ports=_rtp_ports(region),
            rtcp="RTP port + 1",
            dtmf="RFC 2833",
        ),
        codecs=list(DEFAULT_CODECS),
        optional_codecs=[codec for codec in Codec if codec not in DEFAULT_CODECS],
        transcoding=False,
        methods=list(METHODS),
        number_formats=["+14150000000", "14150000000"],
        credentials=credentials,
    )


async def _credentials(
    session: AsyncSession, org_id: str, found: list[NumberBinding]
) -> SetupCredentials | None:
    carriers = await trunks.by_ids(session, org_id, {each.trunk_id for each in found})
    for binding in found:
        trunk = carriers[binding.trunk_id]
        registers = trunk.auth_mode is AuthMode.REGISTER and trunk.register_username is not None
        if binding.direction is Direction.INBOUND and registers:
            return SetupCredentials(
                auth_mode=trunk.auth_mode,
                username=trunk.register_username or "",
                password=REDACTED,
                registrar=trunk.sip_endpoint,
            )
    return None


def _sip_port(region: RegionFacts) -> str:
    return f"{region.port} {region.transport.upper()}"


def _rtp_ports(region: RegionFacts) -> str:
    first, last = region.rtp_ports
    return f"{first}-{last} UDP"
