"""How a number stands, in the keys of both generations of the contract (5.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.services.numbers import configured
from api.services.trunk_health import TrunkStanding, the_trunk, trunk_standing
from api.services.trunk_health_views import inbound_of, windows_of
from domain.health import HealthState
from domain.host_names import parse_host
from domain.trunk import Direction, TrunkProfile
from domain.trunk_health import HealthWord
from storage.trunks import profile_of

__all__ = ["status_of_number"]

_UNKNOWN: Final[dict[str, Any]] = {
    "configured": False,
    "status": HealthWord.UNCHECKED.value,
    "response_time_ms": None,
    "checked_at": None,
    "health": HealthWord.UNCONFIGURED.value,
    "state": HealthState.UNCHECKED.value,
    "since": None,
    "reason": "this number is not configured",
    "trunk_id": None,
    "uptime_percent": None,
    "uptime_percent_7d": None,
    "uptime_percent_30d": None,
    "avg_response_ms": None,
    "avg_response_ms_7d": None,
    "avg_response_ms_30d": None,
}
_UNCHECKED: Final[dict[str, Any]] = {
    **_UNKNOWN,
    "configured": True,
    "health": HealthWord.UNCHECKED.value,
    "reason": "unchecked: it receives calls only, and nothing is sent for it",
    "last_checked": None,
}


async def status_of_number(
    session: AsyncSession, org_id: str, text: str, *, now: datetime, interval: timedelta
) -> dict[str, Any]:
    """How the trunk stands that calls from the number try first, a ``NumberStatusView`` as JSON.

    A number that only receives calls is unchecked: nothing is sent for it. Raises
    ``InvalidRequest`` for a text that no number can be.
    """
    try:
        _, bound = await configured(session, org_id, text)
    except NotFound:
        return _UNKNOWN
    first = {each.direction: each for each in reversed(bound)}
    outbound, inbound = first.get(Direction.OUTBOUND), first.get(Direction.INBOUND)
    receiving = None if inbound is None else await the_trunk(session, org_id, inbound.trunk_id)
    sides = {
        "inbound": None if receiving is None else inbound_of(profile_of(receiving)),
        "outbound": None,
    }
    if outbound is None:
        return {**_UNCHECKED, **sides, "trunk_id": None if receiving is None else receiving.id}
    carrier = await the_trunk(session, org_id, outbound.trunk_id)
    standing = await trunk_standing(session, carrier, now=now, interval=interval)
    windows = await windows_of(session, standing)
    checked, response_time = standing.last_checked, _response_time(standing)
    average = windows["24h"]["avg_response_ms"]
    return {
        "configured": True,
        "status": _older_word(standing.health),
        "response_time_ms": response_time,
        "checked_at": checked,
        "health": standing.health.value,
        "state": standing.state.value,
        "since": standing.since,
        "reason": standing.reason,
        "trunk_id": carrier.id,
        **sides,
        "outbound": _outbound(standing.profile),
        "uptime_percent": windows["24h"]["uptime_percent"],
        "uptime_percent_7d": windows["7d"]["uptime_percent"],
        "uptime_percent_30d": windows["30d"]["uptime_percent"],
        # Samples are counted every few minutes; until then the last reply is all that is known.
        "avg_response_ms": response_time if average is None else average,
        "avg_response_ms_7d": windows["7d"]["avg_response_ms"],
        "avg_response_ms_30d": windows["30d"]["avg_response_ms"],
        "last_checked": checked,
    }


def _older_word(health: HealthWord) -> str:
    """The older generation knows three words."""
    if health is HealthWord.MUTUAL_TLS:
        return HealthWord.UNREACHABLE.value
    return health.value


def _response_time(standing: TrunkStanding) -> int | None:
    """Milliseconds of the last reply, while the trunk is up."""
    best = standing.best
    if best is None or standing.health is not HealthWord.HEALTHY:
        return None
    last = standing.last_probe(best)
    return None if last is None or last.ms is None else ceil(last.ms)


def _outbound(profile: TrunkProfile) -> dict[str, Any] | None:
    """Where calls go, with what the options say over the endpoint."""
    endpoint = profile.endpoint
    if endpoint is None:
        return None
    port = "" if endpoint.port is None else f":{endpoint.port}"
    transport = "" if endpoint.transport is None else f";transport={endpoint.transport.value}"
    return {
        "endpoint": f"sip:{parse_host(endpoint.host).in_uri}{port}{transport}",
        "active": True,
    }
