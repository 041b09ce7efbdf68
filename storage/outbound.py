"""Where calls from a number go: its outbound configurations in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.call_settings import (
    CallerId,
    CallSettings,
    IdentityHeader,
    MediaSecurity,
    NumberFormat,
)
from domain.codecs import Codec
from domain.trunk import DEFAULT_CODECS, Direction, TrunkProfile
from sip.transports import Transport
from storage.outbound_order import Turn, ordered, routes_of, trial_is_free
from storage.secret_box import SecretBox
from storage.tables import NumberBinding, Trunk
from storage.trunk_vault import opened
from storage.trunks import profile_of

__all__ = ["OutboundConfig", "outbound_of", "password_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundConfig:
    """One endpoint of a configuration with its defaults filled in: what a call needs, but the
    password.

    ``position`` 0 is the configuration's own endpoint, those behind it are of its failover.
    ``number`` is as stored: E.164 with ``+``, or a DID or extension. Without ``transport``
    RFC 3263 selects one. ``headers`` are the trunk's as stored (contract 3.7).
    """

    binding_id: str
    trunk_id: str
    position: int
    number: str
    host: str
    port: int | None
    transport: Transport | None
    username: str | None
    realm: str | None
    minimum_digest: str | None
    media: MediaSecurity
    codecs: tuple[Codec, ...]
    caller_id: CallerId
    identity_header: IdentityHeader
    number_format: NumberFormat
    from_domain: str | None
    exact_tls_names: bool
    ca_pem: str | None
    certificate_pin: str | None
    headers: dict[str, Any] | None

    def call_to(self, callee: str) -> CallSettings:
        """The settings of a call from the number to ``callee``."""
        return CallSettings(
            host=self.host,
            port=self.port,
            transport=self.transport,
            callee=callee,
            caller_number=self.number,
            caller_id=self.caller_id,
            identity_header=self.identity_header,
            number_format=self.number_format,
            from_domain=self.from_domain,
            username=self.username,
            realm=self.realm,
            minimum_digest=self.minimum_digest,
            media=self.media,
            codecs=self.codecs,
            exact_tls_names=self.exact_tls_names,
            ca_pem=self.ca_pem,
            certificate_pin=self.certificate_pin,
            headers=self.headers,
        )


async def outbound_of(session: AsyncSession, number: str) -> list[OutboundConfig]:
    """Where calls of a stored number may go, the first to try first: its configurations by
    priority, within each its endpoints as the trunk's published route orders them, before there is
    one by their own priority; needs a tenant's session.

    Empty when the number is unknown or has no outbound configuration. Who asks places a call: an
    endpoint that came back may get it as its trial, and no other until the transaction ends.
    """
    found = await session.execute(
        select(NumberBinding, Trunk)
        .join(
            Trunk,
            (col(Trunk.id) == col(NumberBinding.trunk_id))
            & (col(Trunk.org_id) == col(NumberBinding.org_id)),
        )
        .where(
            col(NumberBinding.phone_number) == number,
            col(NumberBinding.direction) == Direction.OUTBOUND,
        )
        .order_by(col(NumberBinding.priority))
    )
    bound = [list(_configs(binding, profile_of(trunk))) for binding, trunk in found]
    routes = await routes_of(session, {each.trunk_id for configs in bound for each in configs})
    now = datetime.now(UTC)
    in_order: list[OutboundConfig] = []
    for configs in bound:
        route = routes.get(configs[0].trunk_id) if configs else None
        free = route is not None and await trial_is_free(session, configs[0].trunk_id, route)
        in_order += ordered(configs, route, Turn(now, random, free))
    return in_order


async def password_of(session: AsyncSession, box: SecretBox, trunk_id: str) -> str | None:
    """The password that answers the trunk's digest challenges; ``None`` when it has none.

    Raises ``SecretBoxError`` when the ring cannot open it.
    """
    row = (
        await session.execute(
            select(col(Trunk.org_id), col(Trunk.sip_password_sealed)).where(
                col(Trunk.id) == trunk_id
            )
        )
    ).one_or_none()
    return None if row is None else opened(box, row[0], "sip_password", row[1])


def _configs(binding: NumberBinding, profile: TrunkProfile) -> Iterator[OutboundConfig]:
    options = profile.options
    for position, endpoint in enumerate(profile.endpoints):
        yield OutboundConfig(
            binding_id=binding.id,
            trunk_id=binding.trunk_id,
            position=position,
            number=binding.phone_number,
            host=endpoint.host,
            port=endpoint.port,
            transport=endpoint.transport,
            username=options.sip_username,
            realm=options.sip_realm,
            minimum_digest=options.minimum_digest,
            media=endpoint.media,
            codecs=options.codecs or DEFAULT_CODECS,
            caller_id=options.caller_id or CallerId.NUMBER,
            identity_header=options.identity_header or IdentityHeader.NONE,
            number_format=options.number_format or NumberFormat.PLUS_E164,
            from_domain=options.from_domain,
            exact_tls_names=bool(options.exact_tls_names),
            ca_pem=options.ca_pem,
            certificate_pin=options.certificate_pin,
            headers=profile.headers,
        )
