"""Failover, codecs and alerts over a connection (contract 5.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest
from api.schemas.trunk_config import ConfigFields
from api.services.connections import Connection
from api.services.webhook_endpoints import webhook_allowed
from domain.merge_patch import merge_patch
from domain.trunk import TrunkOptions, TrunkProfile
from domain.trunk_config import STANDARD_WINDOW_MINUTES, AlertConfig, FailoverConfig
from settings import Network
from storage import organizations

__all__ = ["with_config"]

Config = TypeVar("Config", FailoverConfig, AlertConfig)

CODEC_OPTIONS: Final = ("codecs", "transcode")


async def with_config(
    session: AsyncSession,
    org_id: str,
    present: Connection,
    changes: ConfigFields,
    *,
    allowed_networks: tuple[Network, ...],
) -> Connection:
    """``present`` with the settings that ``changes`` names, merged member by member (RFC 7396).

    Raises ``InvalidRequest`` for what does not fit together, and for an alert channel on which
    nobody listens.
    """
    named = changes.model_fields_set
    profile = present.profile
    if "failover_config" in named:
        failover = _merged(FailoverConfig, profile.failover, changes.failover_config)
        _check_failover(failover)
        profile = profile.model_copy(update={"failover": failover})
    if "codec_config" in named:
        profile = _with_codecs(profile, changes.codec_config)
    if "alert_config" in named:
        alerts = _with_window(_merged(AlertConfig, profile.alerts, changes.alert_config))
        await _check_alerts(session, org_id, alerts, allowed_networks)
        profile = profile.model_copy(update={"alerts": alerts})
    return replace(present, profile=profile)


def _merged(kind: type[Config], present: Config | None, patch: BaseModel | None) -> Config | None:
    if patch is None:
        return None
    before = {} if present is None else _members(present)
    said = patch.model_dump(mode="json", exclude_unset=True)
    return kind.model_validate(merge_patch(before, said))


def _members(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude_none=True)


def _with_codecs(profile: TrunkProfile, patch: BaseModel | None) -> TrunkProfile:
    said = (
        dict.fromkeys(CODEC_OPTIONS)
        if patch is None
        else patch.model_dump(mode="json", exclude_unset=True)
    )
    options = profile.options.model_dump(mode="json") | said
    return profile.model_copy(update={"options": TrunkOptions.model_validate(options)})


def _check_failover(failover: FailoverConfig | None) -> None:
    if failover is not None and failover.enabled and not failover.endpoints:
        raise _wrong("failover_config.endpoints", "enabled failover needs at least one")


def _with_window(alerts: AlertConfig | None) -> AlertConfig | None:
    """A failure rate is counted over a window."""
    if alerts is None:
        return None
    thresholds = alerts.thresholds
    if (
        thresholds.failure_rate_percent is None
        or thresholds.failure_rate_window_minutes is not None
    ):
        return alerts
    window = {"failure_rate_window_minutes": STANDARD_WINDOW_MINUTES}
    return alerts.model_copy(update={"thresholds": thresholds.model_copy(update=window)})


async def _check_alerts(
    session: AsyncSession,
    org_id: str,
    alerts: AlertConfig | None,
    allowed_networks: tuple[Network, ...],
) -> None:
    if alerts is None:
        return
    channels = alerts.channels
    organization = await organizations.get(session, org_id)
    if organization is None:
        raise RuntimeError(f"{org_id} configures trunks and is not there")
    recipients = {
        "email": (channels.email, organization.alert_emails, "alert_emails"),
        "sms": (channels.sms, organization.alert_phones, "alert_phones"),
        "webhook": (
            channels.webhook is True,
            organization.webhook_endpoints,
            "webhook_endpoints",
        ),
    }
    for channel, (enabled, there, member) in recipients.items():
        if enabled and not there:
            raise _wrong(
                f"alert_config.channels.{channel}",
                f"nobody would hear it; give the organization {member} first",
            )
    if isinstance(channels.webhook, str) and not webhook_allowed(
        channels.webhook, allowed_networks
    ):
        raise _wrong("alert_config.channels.webhook", "must start with https://")


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {message}", field=field)
