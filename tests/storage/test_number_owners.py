"""Whose a number is that was seen in a call, and where its trunk leads."""

from __future__ import annotations

import pytest

from domain.live_call_match import Owner
from domain.trunk import Direction
from storage.engine import Database
from storage.number_owners import owners_of
from tests.storage.health_rows import add_trunk
from tests.storage.owned_numbers import bind, leads_to

pytestmark = pytest.mark.postgres

NUMBER = "+14155550100"
OTHER = "+14155550199"


async def owners(database: Database, *numbers: str) -> dict[str, list[Owner]]:
    async with database.system() as session:
        found = await owners_of(session, numbers)
    return {number: list(each) for number, each in found.items()}


async def test_an_owner_comes_with_where_its_trunk_leads(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    await bind(database, org_id, trunk_id)
    await leads_to(database, org_id, trunk_id, a=["192.0.2.1", "2001:db8::1"], b=["192.0.2.2"])
    assert await owners(database, NUMBER, OTHER, NUMBER) == {
        NUMBER: [
            Owner(
                org_id=org_id,
                trunk_id=trunk_id,
                direction=Direction.OUTBOUND,
                phone_number=NUMBER,
                peer_addresses=frozenset({"192.0.2.1", "192.0.2.2", "2001:db8::1"}),
            )
        ]
    }


async def test_a_trunk_that_leads_nowhere_yet_owns_its_numbers_all_the_same(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await bind(database, org_id, trunk_id, direction=Direction.INBOUND)
    ((owner,),) = (await owners(database, NUMBER)).values()
    assert (owner.direction, owner.peer_addresses) == (Direction.INBOUND, frozenset())


async def test_every_trunk_and_organization_with_a_number_is_told(
    database: Database, org_id: str, other_org_id: str
) -> None:
    first, second = [await add_trunk(database, org_id) for _ in range(2)]
    theirs = await add_trunk(database, other_org_id)
    await bind(database, org_id, second, priority=1)
    await bind(database, org_id, first, priority=0)
    await bind(database, org_id, first, OTHER)
    await bind(database, other_org_id, theirs)
    found = await owners(database, NUMBER, OTHER)
    assert [each.trunk_id for each in found[NUMBER] if each.org_id == org_id] == [first, second]
    assert [each.trunk_id for each in found[NUMBER] if each.org_id != org_id] == [theirs]
    assert [each.trunk_id for each in found[OTHER]] == [first]


async def test_a_number_is_compared_as_it_is_configured(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    await bind(database, org_id, trunk_id, "2001")
    assert list(await owners(database, "2001", "+2001", "200", "")) == ["2001"]
    assert await owners(database) == {}


async def test_organizations_do_not_ask_whose_a_number_is(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError):
            await owners_of(session, [NUMBER])
