"""From what a request says about a connection to a trunk's profile and passwords, and on to a trunk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.x509 import Certificate
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest
from api.schemas.numbers import DirectionInput
from api.schemas.trunk_fields import REDACTED, ConnectionFields, OptionsInput
from api.services.certificate_dates import check_dates, stored_certificates
from domain.certificates import check_key
from domain.header_mappings import HeaderMappings
from domain.trunk import (
    AuthMode,
    Direction,
    TrunkDirection,
    TrunkOptions,
    TrunkProfile,
    TrunkSecrets,
)
from storage import trunks
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault

__all__ = [
    "STAND_IN",
    "Connection",
    "changed",
    "check_client",
    "found_or_created",
    "made",
    "merged",
    "of_trunk",
    "wanted",
]

STAND_IN: Final = ""
"""In place of a password that is put in later; no request can hold an empty one."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A profile with its passwords: all that makes two connections the same or different."""

    profile: TrunkProfile
    secrets: TrunkSecrets


def wanted(direction: DirectionInput, place: str) -> Connection:
    """The connection that a direction of an attach request describes.

    Raises ``InvalidRequest`` when a password is the mark that stands for one in answers.
    """
    return made(direction, TrunkDirection(direction.type), _headers(direction.headers), f"{place}.")


def made(
    fields: ConnectionFields,
    direction: TrunkDirection,
    headers: dict[str, Any] | None,
    place: str = "",
    *,
    known: Collection[Certificate] = (),
) -> Connection:
    """The connection that these fields describe, with ``headers`` as they are stored.

    Raises ``InvalidRequest`` when a password is the mark that stands for one in answers, and for
    certificates that are out of their time, unless they are ``known``.
    """
    auth, options = fields.register_auth, fields.options or OptionsInput()
    registering = None if auth is None else auth.password
    _refuse_mark(options.sip_password, f"{place}options.sip_password")
    _refuse_mark(options.client_key, f"{place}options.client_key")
    _refuse_mark(registering, f"{place}register_auth.password")
    profile = TrunkProfile(
        direction=direction,
        sip_endpoint=fields.sip_endpoint,
        auth_mode=fields.auth_mode or AuthMode.IP,
        register_username=None if auth is None else auth.username,
        options=TrunkOptions.model_validate(options.settings()),
        headers=headers,
    )
    secrets = TrunkSecrets(
        sip_password=_plain(options.sip_password),
        register_password=_plain(registering),
        client_key=_plain(options.client_key),
    )
    check_dates(profile, place, known)
    check_client(profile, secrets, place)
    return Connection(profile, secrets)


def of_trunk(trunk: Trunk, vault: TrunkVault, direction: Direction) -> Connection:
    """What of a trunk concerns one direction. Raises ``SecretBoxError``."""
    profile = trunks.profile_of(trunk)
    secrets = vault.secrets_of(trunk)
    only: dict[str, object] = {"direction": TrunkDirection(direction)}
    if direction is Direction.OUTBOUND:
        # Whoever registers does it for the calls that come in.
        only |= {"auth_mode": AuthMode.IP, "register_username": None}
        secrets = replace(secrets, register_password=None)
    headers = profile.headers or {}
    # Mappings are written for one direction (contract 3.7); a flat map may have a header of that name.
    if isinstance(headers.get("headers"), list) and headers["direction"] != direction.value:
        only["headers"] = None
    return Connection(profile.model_copy(update=only), secrets)


def changed(present: Connection, updates: DirectionInput) -> Connection:
    """``present`` with the fields that ``updates`` names: ``options`` key by key, the others whole.

    ``null`` clears, and a password that is the mark stays as it is. Raises ``InvalidRequest``.
    """
    named = updates.model_fields_set
    if (
        "sip_endpoint" in named
        and updates.sip_endpoint is None
        and updates.type is Direction.OUTBOUND
    ):
        raise _wrong("updates.sip_endpoint", "an outbound direction needs one")
    after = merged(present, updates, "updates.")
    if "headers" in named:
        profile = after.profile.model_copy(update={"headers": _headers(updates.headers)})
        after = replace(after, profile=profile)
    return after


def merged(present: Connection, updates: ConnectionFields, place: str = "") -> Connection:
    """``present`` with the shared fields that ``updates`` names (see :func:`changed`)."""
    profile, secrets = present.profile, present.secrets
    named = updates.model_fields_set
    if "sip_endpoint" in named:
        profile = profile.model_copy(update={"sip_endpoint": updates.sip_endpoint})
    if "options" in named:
        profile, secrets = _with_options(profile, secrets, updates.options, place)
    if named & {"auth_mode", "register_auth"}:
        profile, secrets = _with_auth(profile, secrets, updates, place)
    return Connection(profile, secrets)


async def found_or_created(
    session: AsyncSession, vault: TrunkVault, org_id: str, connection: Connection
) -> tuple[Trunk, bool]:
    """The implicit trunk with this connection, and whether it is new."""
    fingerprint = vault.fingerprint(org_id, connection.profile, connection.secrets)
    present = await trunks.find_implicit(session, org_id, fingerprint)
    if present is not None:
        return present, False
    new = await trunks.create(session, vault, org_id, connection.profile, connection.secrets)
    return new, True


def _with_options(
    profile: TrunkProfile, secrets: TrunkSecrets, options: OptionsInput | None, place: str
) -> tuple[TrunkProfile, TrunkSecrets]:
    if options is None:
        cleared = profile.model_copy(update={"options": TrunkOptions()})
        return cleared, replace(secrets, sip_password=None, client_key=None)
    known = stored_certificates([profile])
    together = profile.options.model_dump(mode="json") | options.settings()
    profile = profile.model_copy(update={"options": TrunkOptions.model_validate(together)})
    if "sip_password" in options.model_fields_set and not _is_mark(options.sip_password):
        secrets = replace(secrets, sip_password=_plain(options.sip_password))
    if secrets.sip_password is not None and profile.options.sip_username is None:
        if "sip_password" in options.model_fields_set:
            raise _wrong(f"{place}options.sip_username", "a sip_password needs one")
        # Without the user its password means nothing.
        secrets = replace(secrets, sip_password=None)
    if "client_key" in options.model_fields_set and not _is_mark(options.client_key):
        secrets = replace(secrets, client_key=_plain(options.client_key))
    elif profile.options.client_certificate is None:
        secrets = replace(secrets, client_key=None)
    check_dates(profile, place, known)
    if options.model_fields_set & {"client_certificate", "client_key"}:
        check_client(profile, secrets, place)
    return profile, secrets


def check_client(profile: TrunkProfile, secrets: TrunkSecrets, place: str = "") -> None:
    """A client certificate and its key are there together, and fit unless the key is ``STAND_IN``.

    Raises ``InvalidRequest``.
    """
    chain, key = profile.options.client_certificate, secrets.client_key
    if chain is None and key is None:
        return
    if chain is None:
        raise _wrong(f"{place}options.client_certificate", "a client_key needs one")
    if key is None:
        raise _wrong(f"{place}options.client_key", "a client_certificate needs its key")
    if key == STAND_IN:
        return
    try:
        check_key(key, chain)
    except ValueError as error:
        raise _wrong(f"{place}options.client_key", str(error)) from error


def _with_auth(
    profile: TrunkProfile, secrets: TrunkSecrets, updates: ConnectionFields, place: str
) -> tuple[TrunkProfile, TrunkSecrets]:
    mode = profile.auth_mode
    if "auth_mode" in updates.model_fields_set:
        mode = updates.auth_mode or AuthMode.IP
    auth = updates.register_auth
    if mode is AuthMode.IP:
        if auth is not None:
            raise _wrong(f"{place}register_auth", "needs auth_mode register")
        without = profile.model_copy(update={"auth_mode": mode, "register_username": None})
        return without, replace(secrets, register_password=None)
    username, password = _credentials(profile, secrets, updates, place)
    registering = profile.model_copy(update={"auth_mode": mode, "register_username": username})
    return registering, replace(secrets, register_password=password)


def _credentials(
    profile: TrunkProfile, secrets: TrunkSecrets, updates: ConnectionFields, place: str
) -> tuple[str, str]:
    """User and password of a registration after the update."""
    auth, kept = updates.register_auth, secrets.register_password
    if auth is None:
        username = profile.register_username
        if "register_auth" in updates.model_fields_set or username is None or kept is None:
            raise _wrong(f"{place}register_auth", "auth_mode register needs one")
        return username, kept
    if not _is_mark(auth.password):
        return auth.username, auth.password.get_secret_value()
    if kept is None:
        raise _wrong(f"{place}register_auth.password", "stands for a password, and there is none")
    return auth.username, kept


def _headers(given: HeaderMappings | None) -> dict[str, Any] | None:
    """As it is stored and shown; an empty list is the same as none."""
    if given is None or not given.headers:
        return None
    return given.model_dump(mode="json", exclude_defaults=True)


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _is_mark(secret: SecretStr | None) -> bool:
    return secret is not None and secret.get_secret_value() == REDACTED


def _refuse_mark(secret: SecretStr | None, field: str) -> None:
    if _is_mark(secret):
        raise InvalidRequest(f"{field}: {REDACTED} stands for a password in answers", field=field)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {message}", field=field)
