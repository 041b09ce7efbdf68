"""Trunks as the API shows them: never with a password."""

from __future__ import annotations

from typing import Any

from api.schemas.trunk_fields import REDACTED
from api.schemas.trunks import TrunkView
from domain.certificates import first_expiry
from domain.destination import parse_destination
from domain.trunk import AuthMode, TrunkOptions, TrunkProfile
from domain.trunk_config import AlertConfig, FailoverConfig
from domain.trunk_health import STATUS_WORDS
from storage.shown import ShownTrunk
from storage.tables import Trunk

__all__ = ["as_json", "certificates_in", "config_of", "options_of", "registration_in", "view_of"]

CUSTOM = "custom"


def view_of(
    trunk: Trunk, register_password: str | None = None, *, state: str | None = None
) -> TrunkView:
    """The trunk of a session (see :func:`as_json`); ``state`` is a ``HealthState``."""
    password = {"register_password_for_pbx": register_password}
    return TrunkView.model_validate(as_json(ShownTrunk.of(trunk, state)) | password)


def as_json(trunk: ShownTrunk) -> dict[str, Any]:
    """The trunk, a ``TrunkView`` as JSON; an implicit one is called by its endpoint."""
    return {
        "trunk_id": trunk.id,
        "name": trunk.name or _where(trunk),
        "provider": trunk.provider or CUSTOM,
        "direction": trunk.direction.value,
        "sip_endpoint": trunk.sip_endpoint,
        "health_status": STATUS_WORDS[trunk.state],
        "auth_mode": trunk.auth_mode.value,
        "headers": trunk.headers,
        "options": (registration_in(trunk) | options_of(trunk)) or None,
        **certificates_in(trunk),
        **config_of(trunk),
        "revision": trunk.revision,
        "adopted_revision": trunk.adopted_revision,
        "created_at": trunk.created_at,
        "updated_at": trunk.updated_at,
    }


def _where(trunk: ShownTrunk) -> str:
    endpoint = trunk.sip_endpoint
    destination = None if endpoint is None else parse_destination(endpoint).parsed
    return trunk.direction.value if destination is None else destination.host


def options_of(trunk: ShownTrunk) -> dict[str, Any]:
    """What was set, the password as its mark; ``transcode`` belongs to codec_config."""
    shown = {name: value for name, value in trunk.options.items() if name != "transcode"}
    if trunk.has_sip_password:
        shown["sip_password"] = REDACTED
    if trunk.has_client_key:
        shown["client_key"] = REDACTED
    return shown


def registration_in(trunk: ShownTrunk) -> dict[str, Any]:
    """``register_auth`` among the options, where the trunk registers."""
    if trunk.auth_mode is not AuthMode.REGISTER:
        return {}
    return {"register_auth": {"username": trunk.register_username, "password": REDACTED}}


def config_of(trunk: ShownTrunk) -> dict[str, Any]:
    """Failover, codecs and alerts, each ``None`` when it was never set (contract 5.5)."""
    failover, codecs, alerts = trunk.failover, None, trunk.alerts
    if "codecs" in trunk.options or "transcode" in trunk.options:
        options = TrunkOptions.model_validate(trunk.options)
        codecs = TrunkProfile(direction=trunk.direction, options=options).codecs
    return {
        "failover_config": None if failover is None else FailoverConfig.model_validate(failover),
        "codec_config": codecs,
        "alert_config": None if alerts is None else AlertConfig.model_validate(alerts),
    }


def certificates_in(trunk: ShownTrunk) -> dict[str, Any]:
    """``certificates``, when the trunk's expire; nothing when it has none."""
    authorities = trunk.options.get("ca_pem")
    client = trunk.options.get("client_certificate")
    if authorities is None and client is None:
        return {}
    return {
        "certificates": {
            "ca_expires_at": None if authorities is None else first_expiry(authorities),
            "client_expires_at": None if client is None else first_expiry(client),
        }
    }
