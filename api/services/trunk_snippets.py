"""What a PBX is configured with, from a trunk's real values."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.trunk_snippets import SnippetView
from api.services import trunks
from api.services.network import region_of
from api.services.trunk_views import view_of
from domain.regions import Regions
from domain.snippet_values import SHOWN_NUMBERS
from domain.snippets import SnippetSystem, snippet, values_of
from domain.trunk import DEFAULT_CODECS, AuthMode, TrunkProfile
from sip.transports import Transport
from storage import bindings
from storage.trunks import profile_of

__all__ = ["snippet_for"]


async def snippet_for(
    session: AsyncSession, regions: Regions, org_id: str, trunk_id: str, system: SnippetSystem
) -> SnippetView:
    """The configuration of one system for one trunk, in the organization's region.

    Raises ``NotFound`` and ``Unavailable``.
    """
    trunk = await trunks.get(session, org_id, trunk_id)
    key, region = await region_of(session, regions, org_id)
    profile = profile_of(trunk)
    registers = profile.auth_mode is AuthMode.REGISTER
    made = snippet(
        system,
        values_of(
            trunk_name=view_of(trunk).name,
            sip_server=region.sip_server,
            port=region.port,
            transport=region.transport,
            addresses=region.signaling,
            codecs=profile.options.codecs or DEFAULT_CODECS,
            secure_media=_secures_media(profile, region.transport),
            numbers=await bindings.first_numbers(session, org_id, trunk_id, limit=SHOWN_NUMBERS),
            username=profile.register_username if registers else profile.options.sip_username,
            registers=registers,
        ),
    )
    return SnippetView(
        system=made.system,
        title=made.title,
        where=made.where,
        format=made.format,
        text=made.text,
        region=key,
        example=regions.example,
    )


def _secures_media(profile: TrunkProfile, ours: Transport) -> bool:
    """As it was set; else TLS encrypts media, the trunk's own or the one to our server."""
    if profile.options.secure_media is not None:
        return profile.options.secure_media
    endpoint = profile.endpoint
    transport = None if endpoint is None else endpoint.transport
    return (transport or ours) is Transport.TLS
