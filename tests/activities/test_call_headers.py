"""A test call's INVITE carries the header mappings of the number, and nothing but the INVITE does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from activities import contracts
from activities.dependencies import Dependencies
from activities.test_calls import TestCallActivities as Activities
from domain.call_state import CallResult
from domain.trunk import Direction, TrunkDirection, TrunkProfile, TrunkSecrets
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.ids import new_id
from storage.outbound import outbound_of
from storage.trunk_vault import TrunkVault
from tests.sip.net.phones import answering, phone_at
from tests.storage.factories import add_organization, queued_call
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres

NUMBER = "+14155550100"
HEADERS = {
    "direction": "outbound",
    "headers": [
        {"type": "custom", "key": "from_number", "value": "X-From-Number"},
        {"type": "custom", "key": "not_there", "value": "X-Not-There"},
        {"type": "custom", "key": "X-Account", "value": "acme", "passthrough": True},
        {
            "type": "uui",
            "target": "destination_number",
            "purpose": "bland",
            "encoding": "hex",
            "content": "to",
        },
    ],
}


async def test_the_mappings_of_the_numbers_trunk_are_in_the_invite(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address, org_id = loopback.address(), await add_organization(database)
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND, sip_endpoint=f"sip:{address}", headers=HEADERS
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, dependencies.secret_box)
        trunk = await trunks.create(session, vault, org_id, profile, TrunkSecrets())
        binding = NewBinding(
            id=new_id("cfg"),
            org_id=org_id,
            phone_number=NUMBER,
            direction=Direction.OUTBOUND,
            trunk_id=trunk.id,
            priority=0,
        )
        await bindings.add(session, [binding])
        (config,) = await outbound_of(session, NUMBER)
    settings = config.call_to("+12025550123").model_dump(mode="json")
    call = await queued_call(
        database, org_id, at=datetime.now(UTC), trunk_id=trunk.id, settings=settings
    )
    order = contracts.TestCallOrder(call_id=call.id, org_id=org_id)
    async with phone_at(address, answering) as phone:
        outcome = await ActivityEnvironment().run(Activities(dependencies).place, order)

    assert outcome.result is CallResult.CONNECTED
    invite, bye = phone.requests
    assert invite.headers.get("X-From-Number") == NUMBER
    assert invite.headers.get("X-Account") == "acme"
    assert invite.headers.get("X-Not-There") is None
    assert invite.headers.get("User-to-User") == (
        "2b3132303235353530313233;encoding=hex;purpose=bland;content=to"
    )
    assert (bye.method, bye.headers.get("X-Account")) == ("BYE", None)
