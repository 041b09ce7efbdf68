"""One number as it is configured (contract 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest, NotFound
from api.schemas.number_views import (
    ConfigurationView,
    NumberView,
    RegistrationView,
)
from api.schemas.trunk_fields import REDACTED
from api.services.trunk_views import certificates_of, options_of
from domain.phone_numbers import InvalidNumber, identity_of, spellings_of
from domain.trunk import AuthMode, Direction
from storage import bindings, trunks
from storage.tables import NumberBinding, Trunk
from storage.trunks import profile_of

__all__ = ["configuration_of", "configured", "view"]


async def configured(
    session: AsyncSession, org_id: str, text: str
) -> tuple[str, list[NumberBinding]]:
    """The stored number that ``text`` asks for, and its configurations in route order.

    Raises ``NotFound``, or ``InvalidRequest`` for a text that no stored number can be.
    """
    spellings = spellings_of(text)
    found = await bindings.of_numbers(session, org_id, spellings)
    for spelling in spellings:
        if spelling in found:
            return spelling, found[spelling]
    try:
        identity_of(spellings[0])
    except InvalidNumber as error:
        raise InvalidRequest(f"phone_number: {error}", field="phone_number") from error
    raise NotFound("this number is not configured")


async def configuration_of(session: AsyncSession, org_id: str, text: str) -> NumberView:
    """All configurations of a number. Raises ``NotFound`` and ``InvalidRequest``."""
    _, found = await configured(session, org_id, text)
    return await view(session, org_id, found)


async def view(session: AsyncSession, org_id: str, found: Iterable[NumberBinding]) -> NumberView:
    """These configurations of one number as the API shows them."""
    ordered = sorted(found, key=lambda each: (each.direction, each.priority))
    carriers = await trunks.by_ids(session, org_id, {each.trunk_id for each in ordered})
    outbound = [each for each in ordered if each.direction is Direction.OUTBOUND]
    way_out = carriers[outbound[0].trunk_id].sip_endpoint if outbound else None
    views = [_configuration(each, carriers[each.trunk_id], way_out) for each in ordered]
    inbound_views = [each for each in views if each.direction is Direction.INBOUND]
    outbound_views = [each for each in views if each.direction is Direction.OUTBOUND]
    return NumberView(
        inbound=inbound_views[0] if inbound_views else None,
        outbound=outbound_views[0] if outbound_views else None,
        inbound_configs=inbound_views,
        outbound_configs=outbound_views,
    )


def _configuration(binding: NumberBinding, trunk: Trunk, way_out: str | None) -> ConfigurationView:
    options = _options(trunk, binding.direction)
    profile = profile_of(trunk)
    return ConfigurationView(
        number=binding.phone_number,
        id=binding.id,
        org_id=binding.org_id,
        direction=binding.direction,
        sip_endpoint=trunk.sip_endpoint,
        created_at=binding.created_at,
        updated_at=max(binding.updated_at, trunk.updated_at),
        headers=trunk.headers,
        options=options or None,
        trunk_id=trunk.id,
        certificates=certificates_of(trunk),
        failover_config=profile.failover,
        codec_config=profile.codecs,
        alert_config=profile.alerts,
        registration=_registration(trunk, way_out)
        if binding.direction is Direction.INBOUND
        else None,
    )


def _options(trunk: Trunk, direction: Direction) -> dict[str, Any]:
    """What was set, with the authentication of the inbound side; passwords are not shown."""
    shown: dict[str, Any] = {}
    if direction is Direction.INBOUND:
        shown["auth_mode"] = trunk.auth_mode.value
        if trunk.auth_mode is AuthMode.REGISTER:
            shown["register_auth"] = {"username": trunk.register_username, "password": REDACTED}
    return shown | options_of(trunk)


def _registration(trunk: Trunk, way_out: str | None) -> RegistrationView | None:
    """Honest about what does not happen yet; ``None`` without registration."""
    if trunk.auth_mode is not AuthMode.REGISTER:
        return None
    registrar = trunk.sip_endpoint or way_out
    if registrar is None:
        return RegistrationView(
            state="no_registrar",
            registrar=None,
            reason="Neither this direction nor the number's outbound one has a sip_endpoint.",
        )
    return RegistrationView(
        state="not_started",
        registrar=registrar,
        reason="The registration is stored; this release does not send REGISTER yet.",
    )
