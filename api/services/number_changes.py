"""One number changed or detached (contract 3.3, 3.4, 5.5); its siblings stay as they are.

A change is copy-on-write: the number moves to the trunk that has the new settings, found or made,
and an implicit trunk that lost its last number goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.schemas.number_views import NumberView, UpdatedNumberView
from api.schemas.numbers import DetachRequest, UpdateRequest
from api.schemas.trunk_config import ConfigRequest, ConfiguredNumberView
from api.services.actor import Actor
from api.services.audit import record
from api.services.connections import Connection, changed, found_or_created, of_trunk
from api.services.numbers import configured, view
from api.services.trunk_config import with_config
from domain.phone_numbers import is_e164
from domain.trunk import Direction
from settings import Network
from storage import bindings, trunks
from storage.secret_box import SecretBox
from storage.tables import NumberBinding
from storage.trunk_vault import TrunkVault

__all__ = ["configure", "detach", "update"]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """One configuration, all of its number and direction in route order, and what it is like."""

    binding: NumberBinding
    siblings: list[NumberBinding]
    connection: Connection


async def update(
    session: AsyncSession, box: SecretBox, org_id: str, body: UpdateRequest, *, actor: Actor
) -> UpdatedNumberView:
    """Change one configuration: the first of its direction, or the one that ``id`` names.

    Raises ``NotFound`` and ``InvalidRequest``.
    """
    await trunks.lock(session, org_id)
    vault = await TrunkVault.opened(session, box)
    chosen = await _choose(session, vault, org_id, body.phone_number, body.updates.type, body.id)
    after = changed(chosen.connection, body.updates)
    await _replace(session, vault, org_id, chosen, after, actor, "number.update")
    shown = await _resulting(session, org_id, chosen.binding.phone_number)
    return UpdatedNumberView(
        **dict(shown),
        register_password_for_pbx=_password_for_pbx(vault, org_id, after, body),
    )


async def configure(
    session: AsyncSession,
    box: SecretBox,
    org_id: str,
    body: ConfigRequest,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
) -> ConfiguredNumberView:
    """Set failover, codecs and alerts of one configuration (see :func:`update`; contract 5.5)."""
    await trunks.lock(session, org_id)
    vault = await TrunkVault.opened(session, box)
    chosen = await _choose(session, vault, org_id, body.phone_number, body.direction, body.id)
    after = await with_config(
        session, org_id, chosen.connection, body, allowed_networks=allowed_networks
    )
    await _replace(session, vault, org_id, chosen, after, actor, "number.configure")
    binding = chosen.binding
    return ConfiguredNumberView(
        **dict(await _resulting(session, org_id, binding.phone_number)),
        phone_number=binding.phone_number,
        direction=binding.direction,
        id=binding.id,
        failover_config=after.profile.failover,
        codec_config=after.profile.codecs,
        alert_config=after.profile.alerts,
    )


async def detach(
    session: AsyncSession, org_id: str, body: DetachRequest, *, actor: Actor
) -> NumberView:
    """Take whole directions away; one that is not configured is none.

    Raises ``NotFound`` and ``InvalidRequest``.
    """
    await trunks.lock(session, org_id)
    number, present = await configured(session, org_id, body.phone_number)
    named = {each.type for each in body.directions}
    gone = [each for each in present if each.direction in named]
    if gone:
        await bindings.remove(session, [each.id for each in gone])
        if Direction.INBOUND in named and is_e164(number):
            await bindings.release_inbound(session, org_id, [number])
        carriers = {each.trunk_id for each in gone}
        removed = await trunks.remove_emptied(session, org_id, carriers)
        await trunks.announce(session, org_id, changed=carriers, removed=removed)
        await record(
            session,
            actor,
            org_id=org_id,
            action="number.detach",
            subject=("number", number),
            before={
                "configurations": [
                    {"id": each.id, "direction": each.direction, "trunk_id": each.trunk_id}
                    for each in gone
                ]
            },
        )
    return await view(session, org_id, [each for each in present if each not in gone])


async def _choose(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    text: str,
    direction: Direction,
    binding_id: str | None,
) -> _Chosen:
    """The configuration that a request is about. Raises ``NotFound`` and ``InvalidRequest``."""
    _, present = await configured(session, org_id, text)
    siblings = [each for each in present if each.direction is direction]
    named = [each for each in siblings if binding_id is None or each.id == binding_id]
    if not named:
        raise NotFound("this number has no such configuration")
    trunk = await trunks.get(session, org_id, named[0].trunk_id)
    if trunk is None:
        raise RuntimeError(f"{named[0].id} is bound to no trunk")
    return _Chosen(named[0], siblings, of_trunk(trunk, vault, direction))


async def _replace(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    chosen: _Chosen,
    after: Connection,
    actor: Actor,
    action: str,
) -> None:
    """Let the configuration have the connection ``after``; nothing happens when it has it."""
    before, binding = chosen.connection, chosen.binding
    if after == before:
        return
    await _move(session, vault, org_id, binding, chosen.siblings, after)
    await record(
        session,
        actor,
        org_id=org_id,
        action=action,
        subject=("number", binding.phone_number),
        before=_facts(binding, before),
        after=_facts(binding, after, password_changed=before.secrets != after.secrets),
    )


async def _move(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    binding: NumberBinding,
    of_direction: list[NumberBinding],
    after: Connection,
) -> None:
    """Let the trunk with the new settings carry the binding; of two that became one the first
    stays."""
    target, is_new = await found_or_created(session, vault, org_id, after)
    left = {binding.trunk_id}
    double = [each for each in of_direction if each.trunk_id == target.id and each.id != binding.id]
    slot = min([binding.priority, *(each.priority for each in double)])
    await bindings.remove(session, [each.id for each in double])
    await bindings.rebind(session, binding.id, target.id, priority=slot)
    removed = await trunks.remove_emptied(session, org_id, left)
    await trunks.announce(
        session,
        org_id,
        created=[target.id] if is_new else (),
        changed={target.id, *left},
        removed=removed,
    )


async def _resulting(session: AsyncSession, org_id: str, number: str) -> NumberView:
    found = await bindings.of_numbers(session, org_id, [number])
    return await view(session, org_id, found[number])


def _facts(
    binding: NumberBinding, connection: Connection, *, password_changed: bool = False
) -> dict[str, Any]:
    """A configuration for the audit log: everything but the passwords."""
    facts = connection.profile.model_dump(mode="json", exclude_none=True)
    if password_changed:
        facts["password_changed"] = True
    return {"id": binding.id, **facts}


def _password_for_pbx(
    vault: TrunkVault, org_id: str, after: Connection, body: UpdateRequest
) -> str | None:
    """The derived password, for a request that brought the one it is derived from."""
    username, password = after.profile.register_username, after.secrets.register_password
    if body.updates.register_auth is None or username is None or password is None:
        return None
    return vault.pbx_password(org_id, username, password)
