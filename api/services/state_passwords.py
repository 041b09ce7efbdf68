"""Passwords that a document leaves as they are: which present ones its marks stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from api.errors import InvalidRequest
from api.schemas.trunk_fields import REDACTED, ConnectionFields
from api.services.connections import STAND_IN, Connection, check_client
from domain.trunk import TrunkProfile, TrunkSecrets

__all__ = ["Kept", "unmarked"]

_PLACES = {
    "sip_password": "options.sip_password",
    "register_password": "register_auth.password",
    "client_key": "options.client_key",
}
_STAND_IN = SecretStr(STAND_IN)


@dataclass(frozen=True, slots=True)
class Kept:
    """The passwords, by their names in ``TrunkSecrets``, that stay as they are."""

    names: frozenset[str] = field(default_factory=frozenset)

    def of(self, source: Connection) -> dict[str, Any] | None:
        """The passwords of ``source``; ``None`` when it lacks one of them."""
        found = {name: getattr(source.secrets, name) for name in self.names}
        return None if None in found.values() else found

    def put_in(self, connection: Connection, source: Connection | None) -> Connection:
        """``connection`` with the passwords of ``source``.

        Raises ``InvalidRequest`` without them, and for a client key that does not fit.
        """
        if not self.names:
            return connection
        found = None if source is None else self.of(source)
        if found is None:
            raise self._refusal(source)
        whole = replace(connection, secrets=replace(connection.secrets, **found))
        if "client_key" in self.names:
            check_client(whole.profile, whole.secrets)
        return whole

    def _refusal(self, source: Connection | None) -> InvalidRequest:
        """The refusal of the first mark for which ``source`` has nothing."""
        lacking = (
            name for name in self.names if source is None or getattr(source.secrets, name) is None
        )
        place = _PLACES[min(lacking)]
        message = f"{place}: {REDACTED} stands for a password, and there is none"
        return InvalidRequest(message, field=place)

    def from_own(self, profile: TrunkProfile, own: Iterable[Connection]) -> Connection | None:
        """Of what carries a route now, whose passwords the marks of ``profile`` stand for.

        The same settings, else the same users: a password is not sent in another user's name.
        """
        able = [each for each in own if self.of(each) is not None]
        same = (each for each in able if each.profile == profile)
        alike = (each for each in able if self._has_users_of(each.profile, profile))
        return next(same, None) or next(alike, None)

    def from_others(self, sources: Iterable[Connection]) -> Connection | None:
        """The one connection of these that has the passwords, when all have the same."""
        by_secrets: dict[TrunkSecrets, Connection] = {}
        for each in sources:
            if self.of(each) is not None:
                by_secrets.setdefault(each.secrets, each)
        return next(iter(by_secrets.values())) if len(by_secrets) == 1 else None

    def _has_users_of(self, present: TrunkProfile, wanted: TrunkProfile) -> bool:
        users = {
            "sip_password": (present.options.sip_username, wanted.options.sip_username),
            "register_password": (present.register_username, wanted.register_username),
            "client_key": (present.options.client_certificate, wanted.options.client_certificate),
        }
        return all(users[name][0] == users[name][1] for name in self.names)


def unmarked(fields: ConnectionFields) -> tuple[ConnectionFields, Kept]:
    """``fields`` with stand-ins for the passwords that are marks, and which those are."""
    names: set[str] = set()
    options, auth = fields.options, fields.register_auth
    for name in ("sip_password", "client_key"):
        if options is not None and _is_mark(getattr(options, name)):
            names.add(name)
            options = options.model_copy(update={name: _STAND_IN})
    if auth is not None and _is_mark(auth.password):
        names.add("register_password")
        auth = auth.model_copy(update={"password": _STAND_IN})
    if not names:
        return fields, Kept()
    changed = fields.model_copy(update={"options": options, "register_auth": auth})
    return changed, Kept(frozenset(names))


def _is_mark(secret: SecretStr | None) -> bool:
    return secret is not None and secret.get_secret_value() == REDACTED
