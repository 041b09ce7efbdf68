"""One number as it is configured (contract 3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest, NotFound
from api.schemas.number_views import NumberView
from api.services.trunk_views import certificates_in, config_of, options_of, registration_in
from domain.phone_numbers import InvalidNumber, identity_of, spellings_of
from domain.trunk import AuthMode, Direction
from domain.trunk_health import STATUS_WORDS
from storage import bindings, shown, trunks
from storage.engine import Database
from storage.health_of_trunks import states_of_trunks
from storage.shown import ShownBinding, ShownTrunk
from storage.tables import NumberBinding

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
    raise _not_configured(spellings)


async def configuration_of(database: Database, org_id: str, text: str) -> dict[str, Any]:
    """All configurations of a number, a ``NumberView`` as JSON.

    Raises ``NotFound`` and ``InvalidRequest``.
    """
    spellings = spellings_of(text)
    found = await shown.of_number(database, org_id, spellings)
    for spelling in spellings:
        bound = [each for each in found if each.phone_number == spelling]
        if bound:
            return _view(bound)
    raise _not_configured(spellings)


async def view(session: AsyncSession, org_id: str, found: Iterable[NumberBinding]) -> NumberView:
    """These configurations of one number as the API shows them."""
    ordered = sorted(found, key=lambda each: (each.direction, each.priority))
    carriers = await trunks.by_ids(session, org_id, {each.trunk_id for each in ordered})
    states = await states_of_trunks(session, carriers)
    bound = [
        ShownBinding.of(each, carriers[each.trunk_id], states.get(each.trunk_id))
        for each in ordered
    ]
    return NumberView.model_validate(_view(bound))


def _not_configured(spellings: Collection[str]) -> InvalidRequest | NotFound:
    """No stored number is written like this; whether one could be is told apart."""
    try:
        identity_of(next(iter(spellings)))
    except InvalidNumber as error:
        return InvalidRequest(f"phone_number: {error}", field="phone_number")
    return NotFound("this number is not configured")


def _view(bound: Collection[ShownBinding]) -> dict[str, Any]:
    """The configurations of one number in route order, as JSON."""
    outbound = [each for each in bound if each.direction is Direction.OUTBOUND]
    way_out = outbound[0].trunk.sip_endpoint if outbound else None
    incoming = [_inbound(each, way_out) for each in bound if each.direction is Direction.INBOUND]
    outgoing = [_configuration(each, options_of(each.trunk)) for each in outbound]
    return {
        "inbound": incoming[0] if incoming else None,
        "outbound": outgoing[0] if outgoing else None,
        "inbound_configs": incoming,
        "outbound_configs": outgoing,
    }


def _inbound(bound: ShownBinding, way_out: str | None) -> dict[str, Any]:
    trunk = bound.trunk
    options = {"auth_mode": trunk.auth_mode.value, **registration_in(trunk), **options_of(trunk)}
    configuration = _configuration(bound, options)
    if trunk.auth_mode is AuthMode.REGISTER:
        configuration["registration"] = _registration(trunk, way_out)
    return configuration


def _configuration(bound: ShownBinding, options: dict[str, Any]) -> dict[str, Any]:
    trunk, outgoing = bound.trunk, bound.direction is Direction.OUTBOUND
    return {
        "number": bound.phone_number,
        "id": bound.id,
        "org_id": bound.org_id,
        "direction": bound.direction.value,
        "sip_endpoint": trunk.sip_endpoint,
        "health_status": STATUS_WORDS[trunk.state if outgoing else None],
        "created_at": bound.created_at,
        "updated_at": bound.updated_at,
        "headers": trunk.headers,
        "options": options or None,
        "trunk_id": trunk.id,
        **config_of(trunk),
        **certificates_in(trunk),
    }


def _registration(trunk: ShownTrunk, way_out: str | None) -> dict[str, Any]:
    """Honest about what does not happen yet."""
    registrar = trunk.sip_endpoint or way_out
    if registrar is None:
        return {
            "state": "no_registrar",
            "registrar": None,
            "reason": "Neither this direction nor the number's outbound one has a sip_endpoint.",
        }
    return {
        "state": "not_started",
        "registrar": registrar,
        "reason": "The registration is stored; this release does not send REGISTER yet.",
    }
