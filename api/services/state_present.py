"""The configuration as it is: read, told apart, and written as the document that PUT takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.x509 import Certificate

from api.schemas.trunk_fields import REDACTED
from api.services.certificate_dates import stored_certificates
from api.services.connections import Connection
from api.services.trunk_views import CUSTOM
from domain.route_slots import Slot
from domain.state_diff import NamedTrunk, Route, State
from domain.trunk import AuthMode, Direction, TrunkProfile, TrunkSecrets
from storage.configuration import Configuration
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault
from storage.trunks import profile_of

__all__ = ["Present", "document_of", "facts_of"]

_OF_CODECS = ("codecs", "transcode")


@dataclass(frozen=True)
class Present:
    """What is configured, with the passwords. Trunks are keyed by their ids."""

    configuration: Configuration
    connections: Mapping[str, Connection]

    @classmethod
    def opened(cls, configuration: Configuration, vault: TrunkVault) -> Present:
        """Raises ``SecretBoxError``."""
        return cls(
            configuration,
            {
                trunk.id: Connection(profile_of(trunk), vault.secrets_of(trunk))
                for trunk in configuration.trunks
            },
        )

    @cached_property
    def named(self) -> dict[str, Trunk]:
        """The trunks with a name of their own."""
        return {each.id: each for each in self.configuration.trunks if not each.implicit}

    @cached_property
    def by_id(self) -> dict[str, Trunk]:
        """All trunks."""
        return {each.id: each for each in self.configuration.trunks}

    @cached_property
    def slots(self) -> dict[Route, list[Slot]]:
        """The configurations of each route in the order in which they are tried."""
        found: dict[Route, list[Slot]] = {}
        for each in self.configuration.bound:
            route = each.phone_number, each.direction
            found.setdefault(route, []).append(Slot(each.id, each.trunk_id, each.priority))
        return found

    @cached_property
    def certificates(self) -> frozenset[Certificate]:
        """Everything that is stored of certificates, whatever trunk it is of."""
        return stored_certificates(each.profile for each in self.connections.values())

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Everything that is configured."""
        return frozenset(each.phone_number for each in self.configuration.bound)

    @cached_property
    def state(self) -> State:
        """The configuration without ids and slots."""
        return State(
            {
                key: NamedTrunk(
                    trunk.name or "",
                    trunk.provider or CUSTOM,
                    self.connections[key].profile,
                    self.connections[key].secrets,
                )
                for key, trunk in self.named.items()
            },
            {route: tuple(slot.carrier for slot in slots) for route, slots in self.slots.items()},
        )


def document_of(configuration: Configuration) -> dict[str, Any]:
    """The document; numbers that are configured alike stand together."""
    named = [trunk for trunk in configuration.trunks if not trunk.implicit]
    names = Counter(trunk.name for trunk in named)
    references = {
        trunk.id: trunk.id if names[trunk.name] > 1 else trunk.name or "" for trunk in named
    }
    carriers: dict[tuple[str, Direction], dict[str, Any]] = {}
    routes: dict[str, dict[str, list[str]]] = {}
    by_id = {trunk.id: trunk for trunk in configuration.trunks}
    for bound in configuration.bound:
        carrier = bound.trunk_id, bound.direction
        if carrier not in carriers:
            carriers[carrier] = _carrier(by_id[bound.trunk_id], bound.direction, references)
        lists = routes.setdefault(bound.phone_number, {each.value: [] for each in Direction})
        lists[bound.direction.value].append(bound.trunk_id)
    return {
        "version": 1,
        "trunks": [_named(trunk, names[trunk.name] > 1) for trunk in named],
        "numbers": [
            {"phone_numbers": numbers, **lists}
            for numbers, lists in _alike(
                (
                    number,
                    {
                        name: [carriers[trunk_id, Direction(name)] for trunk_id in trunk_ids]
                        for name, trunk_ids in lists.items()
                        if trunk_ids
                    },
                )
                for number, lists in routes.items()
            )
        ],
    }


def facts_of(
    profile: TrunkProfile,
    secrets: TrunkSecrets,
    direction: Direction | None,
    shown: Callable[[str], Any],
) -> dict[str, Any]:
    """The settings of a trunk as the document writes them, each password as ``shown`` makes it.

    ``direction`` is the one whose calls an unnamed trunk carries.
    """
    said = profile.model_dump(mode="json", exclude_none=True)
    options = {name: value for name, value in said["options"].items() if name not in _OF_CODECS}
    if secrets.sip_password is not None:
        options["sip_password"] = shown(secrets.sip_password)
    if secrets.client_key is not None:
        options["client_key"] = shown(secrets.client_key)
    facts = {
        "sip_endpoint": profile.sip_endpoint,
        "auth_mode": None if direction is Direction.OUTBOUND else profile.auth_mode.value,
        "register_auth": _registration(profile, secrets, shown),
        "options": options or None,
        "headers": profile.headers,
        "failover_config": said.get("failover"),
        "codec_config": {n: said["options"][n] for n in _OF_CODECS if n in said["options"]} or None,
        "alert_config": said.get("alerts"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _registration(
    profile: TrunkProfile, secrets: TrunkSecrets, shown: Callable[[str], Any]
) -> dict[str, Any] | None:
    if profile.auth_mode is not AuthMode.REGISTER:
        return None
    return {
        "username": profile.register_username,
        "password": shown(secrets.register_password or ""),
    }


def _redacted(trunk: Trunk, direction: Direction | None) -> dict[str, Any]:
    marks = TrunkSecrets(
        sip_password=None if trunk.sip_password_sealed is None else REDACTED,
        register_password=None if trunk.register_password_sealed is None else REDACTED,
        client_key=None if trunk.client_key_sealed is None else REDACTED,
    )
    return facts_of(profile_of(trunk), marks, direction, lambda _: REDACTED)


def _named(trunk: Trunk, ambiguous: bool) -> dict[str, Any]:
    return {
        "name": trunk.name,
        **({"trunk_id": trunk.id} if ambiguous else {}),
        "provider": trunk.provider or CUSTOM,
        "direction": trunk.direction.value,
        **_redacted(trunk, None),
    }


def _carrier(trunk: Trunk, direction: Direction, references: Mapping[str, str]) -> dict[str, Any]:
    if not trunk.implicit:
        return {"trunk": references[trunk.id]}
    return _redacted(trunk, direction)


def _alike(
    numbers: Iterable[tuple[str, dict[str, list[dict[str, Any]]]]],
) -> list[tuple[list[str], dict[str, list[dict[str, Any]]]]]:
    """The numbers of each set of lists, in the order of the first of them."""
    groups: dict[str, tuple[list[str], dict[str, list[dict[str, Any]]]]] = {}
    for number, lists in numbers:
        groups.setdefault(repr(lists), ([], lists))[0].append(number)
    return list(groups.values())
