"""Trunks as the API shows them: never with a password."""

from __future__ import annotations

from typing import Any

from api.schemas.number_views import CertificatesView
from api.schemas.trunk_fields import REDACTED
from api.schemas.trunks import TrunkItem, TrunkView
from domain.certificates import first_expiry
from domain.trunk import AuthMode
from storage.tables import Trunk
from storage.trunks import profile_of

__all__ = ["certificates_of", "item_of", "options_of", "view_of"]

CUSTOM = "custom"


def view_of(trunk: Trunk, register_password: str | None = None) -> TrunkView:
    """The trunk; an implicit one is called by its endpoint."""
    profile = profile_of(trunk)
    destination = profile.destination
    where = trunk.direction.value if destination is None else destination.host
    return TrunkView(
        trunk_id=trunk.id,
        name=trunk.name or where,
        provider=trunk.provider or CUSTOM,
        direction=trunk.direction,
        sip_endpoint=trunk.sip_endpoint,
        auth_mode=trunk.auth_mode,
        headers=trunk.headers,
        options=(_registration(trunk) | options_of(trunk)) or None,
        certificates=certificates_of(trunk),
        failover_config=profile.failover,
        codec_config=profile.codecs,
        alert_config=profile.alerts,
        revision=trunk.revision,
        adopted_revision=trunk.adopted_revision,
        created_at=trunk.created_at,
        updated_at=trunk.updated_at,
        register_password_for_pbx=register_password,
    )


def item_of(trunk: Trunk, bound: int) -> TrunkItem:
    """The trunk in a list, with the number of its numbers."""
    return TrunkItem(**dict(view_of(trunk)), bound_number_count=bound)


def options_of(trunk: Trunk) -> dict[str, Any]:
    """What was set, the password as its mark; ``transcode`` belongs to codec_config."""
    shown = {name: value for name, value in trunk.options.items() if name != "transcode"}
    if trunk.sip_password_sealed is not None:
        shown["sip_password"] = REDACTED
    if trunk.client_key_sealed is not None:
        shown["client_key"] = REDACTED
    return shown


def certificates_of(trunk: Trunk) -> CertificatesView | None:
    """When the trunk's certificates expire; ``None`` when it has none."""
    authorities = trunk.options.get("ca_pem")
    client = trunk.options.get("client_certificate")
    if authorities is None and client is None:
        return None
    return CertificatesView(
        ca_expires_at=None if authorities is None else first_expiry(authorities),
        client_expires_at=None if client is None else first_expiry(client),
    )


def _registration(trunk: Trunk) -> dict[str, Any]:
    if trunk.auth_mode is not AuthMode.REGISTER:
        return {}
    return {"register_auth": {"username": trunk.register_username, "password": REDACTED}}
