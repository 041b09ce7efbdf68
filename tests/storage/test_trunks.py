"""Trunks and what is bound to them: found by settings, moved, gone when empty, told in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.trunk import (
    AuthMode,
    Direction,
    TrunkDirection,
    TrunkOptions,
    TrunkProfile,
    TrunkSecrets,
)
from domain.trunk_config import AlertConfig, FailoverConfig
from sip.transports import Transport
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.secret_box import SecretBox, UnknownKey, generate_key
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault

pytestmark = pytest.mark.postgres

PROFILE = TrunkProfile(
    direction=TrunkDirection.OUTBOUND,
    sip_endpoint="sip:pbx.example.com",
    options=TrunkOptions(sip_username="acme", transport=Transport.TLS),
)
SECRETS = TrunkSecrets(sip_password="call-password")


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


async def made(
    database: Database,
    box: SecretBox,
    org_id: str,
    profile: TrunkProfile = PROFILE,
    secrets: TrunkSecrets = SECRETS,
    name: str | None = None,
) -> Trunk:
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, box)
        return await trunks.create(session, vault, org_id, profile, secrets, name=name)


def a_binding(trunk: Trunk, number: str = "+14150000001", priority: int = 0) -> NewBinding:
    return NewBinding(
        id=new_id("cfg"),
        org_id=trunk.org_id,
        phone_number=number,
        direction=Direction.OUTBOUND,
        trunk_id=trunk.id,
        priority=priority,
    )


async def test_a_trunk_is_found_by_its_settings_and_by_nothing_else(
    database: Database, box: SecretBox, org_id: str, other_org_id: str
) -> None:
    trunk = await made(database, box, org_id)
    await made(database, box, org_id, name="the same, named")

    async def found(owner: str, profile: TrunkProfile, secrets: TrunkSecrets) -> str | None:
        async with database.tenant(owner) as session:
            vault = await TrunkVault.opened(session, box)
            mark = vault.fingerprint(owner, profile, secrets)
            same = await trunks.find_implicit(session, owner, mark)
            return None if same is None else same.id

    assert await found(org_id, PROFILE, SECRETS) == trunk.id
    assert trunks.profile_of(trunk) == PROFILE
    assert await found(other_org_id, PROFILE, SECRETS) is None
    assert await found(org_id, PROFILE, TrunkSecrets(sip_password="another")) is None
    assert await found(org_id, PROFILE, TrunkSecrets(register_password="call-password")) is None
    for field, value in (
        ("direction", TrunkDirection.INBOUND),
        ("sip_endpoint", "sip:other.example.com"),
        ("auth_mode", AuthMode.REGISTER),
        ("options", TrunkOptions(sip_username="acme", transport=Transport.TCP)),
        ("headers", {"X-Account": "acme"}),
        ("failover", FailoverConfig()),
        ("alerts", AlertConfig()),
    ):
        assert await found(org_id, PROFILE.model_copy(update={field: value}), SECRETS) is None


async def test_two_implicit_trunks_with_the_same_settings_cannot_be(
    database: Database, box: SecretBox, org_id: str, other_org_id: str
) -> None:
    await made(database, box, org_id)
    await made(database, box, other_org_id)
    with pytest.raises(IntegrityError, match="trunks_settings"):
        await made(database, box, org_id)


async def test_secrets_come_back_and_stay_the_same_when_the_ring_is_rotated(
    database: Database, org_id: str
) -> None:
    old, new = generate_key("old"), generate_key("new")
    profile = PROFILE.model_copy(
        update={"auth_mode": AuthMode.REGISTER, "register_username": "acme"}
    )
    secrets = TrunkSecrets(sip_password="call", register_password="register")
    trunk = await made(database, SecretBox.from_key_ring(old), org_id, profile, secrets)

    async with database.tenant(org_id) as session:
        before = await TrunkVault.opened(session, SecretBox.from_key_ring(old))
        after = await TrunkVault.opened(session, SecretBox.from_key_ring(f"{new},{old}"))
        assert after.secrets_of(trunk) == secrets
        assert after.fingerprint(org_id, profile, secrets) == trunk.fingerprint
        assert before.pbx_password(org_id, "a", "b") == after.pbx_password(org_id, "a", "b")
        with pytest.raises(UnknownKey):
            await TrunkVault.opened(session, SecretBox.from_key_ring(new))
    assert "call" not in repr(trunk)
    assert "register'" not in repr(secrets)


async def test_emptied_implicit_trunks_go_and_named_ones_stay(
    database: Database, box: SecretBox, org_id: str
) -> None:
    emptied = await made(database, box, org_id)
    bound = await made(database, box, org_id, secrets=TrunkSecrets())
    named = await made(database, box, org_id, name="Main")
    async with database.tenant(org_id) as session:
        await bindings.add(session, [a_binding(bound)])
        gone = await trunks.remove_emptied(session, org_id, [emptied.id, bound.id, named.id])
        left = await trunks.by_ids(session, org_id, [emptied.id, bound.id, named.id])

    assert [each.id for each in gone] == [emptied.id]
    assert set(left) == {bound.id, named.id}


async def test_a_trunk_that_carries_numbers_cannot_be_deleted(
    database: Database, box: SecretBox, org_id: str
) -> None:
    trunk = await made(database, box, org_id)
    async with database.tenant(org_id) as session:
        await bindings.add(session, [a_binding(trunk)])
    with pytest.raises(IntegrityError, match="number_bindings_trunk"):
        async with database.tenant(org_id) as session:
            await session.execute(text("DELETE FROM trunks"))


async def test_a_binding_cannot_reach_another_organizations_trunk(
    database: Database, box: SecretBox, org_id: str, other_org_id: str
) -> None:
    trunk = await made(database, box, other_org_id)
    foreign = NewBinding(
        id=new_id("cfg"),
        org_id=org_id,
        phone_number="+14150000001",
        direction=Direction.OUTBOUND,
        trunk_id=trunk.id,
        priority=0,
    )
    with pytest.raises(IntegrityError, match="number_bindings_trunk"):
        async with database.tenant(org_id) as session:
            await bindings.add(session, [foreign])


async def test_a_slot_has_one_binding(database: Database, box: SecretBox, org_id: str) -> None:
    one = await made(database, box, org_id)
    two = await made(database, box, org_id, secrets=TrunkSecrets())
    with pytest.raises(IntegrityError, match="number_bindings_slot"):
        async with database.tenant(org_id) as session:
            await bindings.add(session, [a_binding(one), a_binding(two)])
    with pytest.raises(IntegrityError, match="number_bindings_once"):
        async with database.tenant(org_id) as session:
            await bindings.add(session, [a_binding(one), a_binding(one, priority=1)])


async def test_an_inbound_number_is_claimed_by_one_organization(
    database: Database, org_id: str, other_org_id: str
) -> None:
    async with database.tenant(org_id) as session:
        assert await bindings.claim_inbound(session, org_id, ["+1", "+2"]) == {"+1", "+2"}
    async with database.tenant(other_org_id) as session:
        assert await bindings.claim_inbound(session, other_org_id, ["+2", "+3"]) == {"+3"}
        # Another's claim cannot be given back.
        await bindings.release_inbound(session, other_org_id, ["+1", "+2"])
    async with database.tenant(org_id) as session:
        assert await bindings.claim_inbound(session, org_id, ["+2"]) == {"+2"}
        await bindings.release_inbound(session, org_id, ["+2"])
    async with database.tenant(other_org_id) as session:
        assert await bindings.claim_inbound(session, other_org_id, ["+1", "+2"]) == {"+2"}


async def test_a_change_that_waits_too_long_for_another_gives_up(
    database: Database, org_id: str, other_org_id: str
) -> None:
    async with database.tenant(org_id) as holder:
        await trunks.lock(holder, org_id)
        async with database.tenant(other_org_id) as session:
            await trunks.lock(session, other_org_id, wait=timedelta(milliseconds=50))
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            async with database.tenant(org_id) as session:
                await trunks.lock(session, org_id, wait=timedelta(milliseconds=50))


async def test_revisions_are_told_in_order_and_a_removal_last(
    database: Database, box: SecretBox, org_id: str
) -> None:
    trunk = await made(database, box, org_id)
    async with database.tenant(org_id) as session:
        await trunks.announce(session, org_id, created=[trunk.id], changed=[trunk.id])
        await trunks.announce(session, org_id, changed=[trunk.id])
    async with database.tenant(org_id) as session:
        removed = await trunks.remove_emptied(session, org_id, [trunk.id])
        await trunks.announce(session, org_id, changed=[trunk.id], removed=removed)
        told = await session.scalars(
            text("SELECT payload FROM outbox WHERE stream = :stream ORDER BY id"),
            {"stream": trunks.stream_of(trunk.id)},
        )
        assert list(told) == [
            {"trunk_id": trunk.id, "revision": 1, "removed": False},
            {"trunk_id": trunk.id, "revision": 2, "removed": False},
            {"trunk_id": trunk.id, "revision": 3, "removed": True},
        ]
