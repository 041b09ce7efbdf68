"""A test call shows the client certificate of its trunk, whose key is opened where the call is placed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities import contracts
from activities.dependencies import Dependencies
from activities.test_calls import TestCallActivities as Activities
from domain.call_state import CallResult
from domain.trunk import TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from storage import calls, trunks
from storage.engine import Database
from storage.trunk_vault import TrunkVault
from tests.sip.net.phones import Call, phone_at, secure_answer
from tests.storage.factories import add_organization, queued_call
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres


async def secure(call: Call) -> None:
    call.respond(200, secure_answer(call))


async def test_a_peer_that_demands_a_certificate_is_called_with_the_trunks_own(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    address, authority = loopback.address(), Authority.open(tmp_path)
    context = server_context(
        TlsManner(client_certificate=True),
        authority.server_pair("pbx", address, CertificateKind.VALID),
        authority.ca_file,
    )
    ours = authority.client_pair()
    org_id = await add_organization(database)
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND,
        sip_endpoint=f"sip:{address};transport=tls",
        options=TrunkOptions(client_certificate=ours.certificate.read_text()),
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, dependencies.secret_box)
        secrets = TrunkSecrets(client_key=ours.key.read_text())
        trunk = await trunks.create(session, vault, org_id, profile, secrets)
    call = await queued_call(
        database,
        org_id,
        at=datetime.now(UTC),
        trunk_id=trunk.id,
        settings={
            "host": address,
            "port": 5061,
            "transport": "tls",
            "media": "srtp",
            "callee": "+12025550123",
            "caller_number": "+14155550100",
            "ca_pem": authority.ca_file.read_text(),
        },
    )
    order = contracts.TestCallOrder(call_id=call.id, org_id=org_id)
    async with phone_at(address, secure, port=5061, context=context) as phone:
        outcome = await ActivityEnvironment().run(Activities(dependencies).place, order)

    assert outcome.result is CallResult.CONNECTED
    assert phone.methods() == ["INVITE", "BYE"]
    async with database.tenant(org_id) as session:
        row = await calls.get(session, call.id)
    assert row is not None
    assert "PRIVATE KEY" not in str(row.details)
