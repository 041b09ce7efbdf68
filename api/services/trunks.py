"""Trunks under their own id: a change here changes every bound number (contract 7)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, InvalidRequest, NotFound
from api.schemas.trunks import (
    DeletedTrunkView,
    TrunkChanges,
    TrunkDraft,
    TrunkView,
)
from api.services.actor import Actor
from api.services.audit import record
from api.services.connections import Connection, found_or_created, made, merged, of_trunk
from api.services.stored_headers import stored_headers
from api.services.trunk_config import with_config
from api.services.trunk_revisions import Precondition, must_match
from api.services.trunk_views import view_of
from domain.trunk import Direction
from settings import Network
from storage import bindings, trunks
from storage.health_of_trunks import state_of_trunk
from storage.ids import is_id
from storage.secret_box import SecretBox
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault

__all__ = ["change", "create", "delete", "get"]


async def create(
    session: AsyncSession,
    box: SecretBox,
    org_id: str,
    draft: TrunkDraft,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
) -> TrunkView:
    """A new named trunk. Raises ``InvalidRequest``."""
    await trunks.lock(session, org_id)
    vault = await TrunkVault.opened(session, box)
    headers = stored_headers(draft.headers, draft.direction)
    connection = await with_config(
        session,
        org_id,
        made(draft, draft.direction, headers),
        draft,
        allowed_networks=allowed_networks,
    )
    trunk = await trunks.create(
        session,
        vault,
        org_id,
        connection.profile,
        connection.secrets,
        name=draft.name,
        provider=draft.provider,
    )
    await trunks.announce(session, org_id, created=[trunk.id])
    await record(
        session,
        actor,
        org_id=org_id,
        action="trunk.create",
        subject=("trunk", trunk.id),
        after=_facts(trunk, connection),
    )
    return view_of(trunk, _password_for_pbx(vault, org_id, connection, shown=True))


async def change(
    session: AsyncSession,
    box: SecretBox,
    org_id: str,
    trunk_id: str,
    changes: TrunkChanges,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
    if_match: Precondition | None = None,
) -> TrunkView:
    """The trunk with the named fields changed, for every number that is bound to it.

    An implicit trunk becomes a named one by it. Raises ``NotFound``, ``PreconditionFailed`` and
    ``InvalidRequest``.
    """
    await trunks.lock(session, org_id)
    trunk = await get(session, org_id, trunk_id)
    must_match(if_match, trunk.revision)
    vault = await TrunkVault.opened(session, box)
    before = Connection(trunks.profile_of(trunk), vault.secrets_of(trunk))
    after = await with_config(
        session, org_id, _changed(before, changes), changes, allowed_networks=allowed_networks
    )
    await _must_carry(session, org_id, trunk, after)
    told = _facts(trunk, before)
    named = changes.model_fields_set
    name = changes.name if "name" in named else view_of(trunk).name
    provider = changes.provider if "provider" in named else view_of(trunk).provider
    if after == before and (name, provider) == (trunk.name, trunk.provider):
        return view_of(trunk, state=await _state(session, trunk))
    await trunks.replace(
        session, vault, trunk, after.profile, after.secrets, name=name, provider=provider
    )
    await trunks.announce(session, org_id, changed=[trunk.id])
    trunk = await get(session, org_id, trunk_id)
    await record(
        session,
        actor,
        org_id=org_id,
        action="trunk.update",
        subject=("trunk", trunk.id),
        before=told,
        after=_facts(trunk, after, password_changed=before.secrets != after.secrets),
    )
    shown = changes.register_auth is not None
    password = _password_for_pbx(vault, org_id, after, shown=shown)
    return view_of(trunk, password, state=await _state(session, trunk))


async def delete(
    session: AsyncSession,
    box: SecretBox,
    org_id: str,
    trunk_id: str,
    *,
    actor: Actor,
    if_match: Precondition | None = None,
) -> DeletedTrunkView:
    """Take a named trunk away; its numbers go on with the same settings, unbound.

    Raises ``NotFound``, ``PreconditionFailed`` and ``Conflict``.
    """
    await trunks.lock(session, org_id)
    trunk = await get(session, org_id, trunk_id)
    must_match(if_match, trunk.revision)
    if trunk.implicit:
        raise Conflict(
            "this trunk goes by itself when its last number is detached", code="TRUNK_IS_IMPLICIT"
        )
    vault = await TrunkVault.opened(session, box)
    connection = Connection(trunks.profile_of(trunk), vault.secrets_of(trunk))
    bound = await bindings.of_trunk(session, org_id, trunk_id)
    created: list[str] = []
    joined: list[str] = []
    for direction in sorted({each.direction for each in bound}):
        heir, is_new = await found_or_created(
            session, vault, org_id, of_trunk(trunk, vault, direction)
        )
        await bindings.inherit(session, org_id, trunk_id, direction, heir.id)
        (created if is_new else joined).append(heir.id)
    await trunks.remove(session, org_id, trunk_id)
    await trunks.announce(session, org_id, created=created, changed=joined, removed=[trunk])
    numbers = {each.phone_number for each in bound}
    await record(
        session,
        actor,
        org_id=org_id,
        action="trunk.delete",
        subject=("trunk", trunk_id),
        before={**_facts(trunk, connection), "bound_number_count": len(numbers)},
    )
    return DeletedTrunkView(trunk_id=trunk_id, unbound_number_count=len(numbers))


async def get(session: AsyncSession, org_id: str, trunk_id: str) -> Trunk:
    """The trunk, named or implicit. Raises ``NotFound``."""
    found = None
    if is_id("trk", trunk_id):
        found = await trunks.get(session, org_id, trunk_id)
    if found is None:
        raise NotFound("no such trunk")
    return found


async def _state(session: AsyncSession, trunk: Trunk) -> str | None:
    found = await state_of_trunk(session, trunk.id)
    return None if found is None else found.state.value


def _changed(before: Connection, changes: TrunkChanges) -> Connection:
    after = merged(before, changes)
    if "headers" not in changes.model_fields_set:
        return after
    headers = stored_headers(changes.headers, before.profile.direction)
    return Connection(after.profile.model_copy(update={"headers": headers}), after.secrets)


async def _must_carry(session: AsyncSession, org_id: str, trunk: Trunk, after: Connection) -> None:
    """Numbers that call out by the trunk must not lose their way."""
    if after.profile.sip_endpoint is not None or trunk.sip_endpoint is None:
        return
    bound = await bindings.of_trunk(session, org_id, trunk.id)
    if any(each.direction is Direction.OUTBOUND for each in bound):
        raise InvalidRequest(
            "sip_endpoint: numbers call out by this trunk, so it needs one", field="sip_endpoint"
        )


def _facts(
    trunk: Trunk, connection: Connection, *, password_changed: bool = False
) -> dict[str, Any]:
    """A trunk for the audit log: everything but the passwords."""
    facts = connection.profile.model_dump(mode="json", exclude_none=True)
    if password_changed:
        facts["password_changed"] = True
    return {"name": trunk.name, "provider": trunk.provider, **facts}


def _password_for_pbx(
    vault: TrunkVault, org_id: str, connection: Connection, *, shown: bool
) -> str | None:
    """The derived password, for a request that brought the one it is derived from."""
    username = connection.profile.register_username
    password = connection.secrets.register_password
    if not shown or username is None or password is None:
        return None
    return vault.pbx_password(org_id, username, password)
