"""The connection test's activity: a trunk's row becomes one OPTIONS by its own settings."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.connection_tests import ConnectionTestActivities, where_to
from activities.contracts import ConnectionTestOrder, ConnectionTestOutcome
from activities.dependencies import Dependencies
from domain.call_settings import MediaSecurity
from domain.connection_test import ConnectionProblem
from domain.trunk import Endpoint, TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from sip.net.guard import AddressGuard
from sip.net.stack import SipStack
from sip.transports import Transport
from storage import trunks
from storage.engine import Database
from storage.ids import new_id
from storage.secret_box import SecretBox
from storage.trunk_vault import TrunkVault
from tests.activities.conftest import Responder, answering
from tests.storage.factories import add_organization
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres


async def ordered(
    database: Database,
    box: SecretBox,
    endpoint: str | None,
    *,
    client_key: str | None = None,
    **options: Any,
) -> ConnectionTestOrder:
    """A trunk with these settings."""
    org_id = await add_organization(database)
    profile = TrunkProfile(
        direction=TrunkDirection.BOTH,
        sip_endpoint=endpoint,
        options=TrunkOptions.model_validate(options),
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, box)
        secrets = TrunkSecrets(client_key=client_key)
        trunk = await trunks.create(session, vault, org_id, profile, secrets, name="Acme")
        return ConnectionTestOrder(trunk_id=trunk.id, org_id=org_id)


async def checked(dependencies: Dependencies, order: ConnectionTestOrder) -> ConnectionTestOutcome:
    activities = ConnectionTestActivities(dependencies)
    return await ActivityEnvironment().run(activities.check, order)


async def test_the_endpoint_is_asked_by_its_own_port_and_transport(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address, box = loopback.address(), dependencies.secret_box
    async with answering(address, 5070) as responder:
        order = await ordered(database, box, f"sip:{address}:5060;transport=udp", port=5070)
        answered = await checked(dependencies, order)
        refused = await checked(
            dependencies, await ordered(database, box, f"sip:{address}:5071;transport=tcp")
        )
        usual = await checked(dependencies, await ordered(database, box, f"sip:{address}"))
    assert answered.sip_code == 200
    assert answered.response_time_ms is not None
    assert answered.problem is None
    assert responder.asked == 1
    assert refused.problem is ConnectionProblem.REFUSED
    assert usual.problem is ConnectionProblem.REFUSED


@pytest.mark.parametrize(
    ("port", "transport", "expected"),
    [
        (None, None, (5061, Transport.TLS)),
        (5080, None, (5080, None)),
        (None, Transport.UDP, (None, Transport.UDP)),
        (None, Transport.TLS, (None, Transport.TLS)),
    ],
)
def test_tls_on_5061_is_what_nothing_said_means(
    port: int | None, transport: Transport | None, expected: tuple[int | None, Transport | None]
) -> None:
    assert where_to(Endpoint("pbx.example.com", port, transport, MediaSecurity.PLAIN)) == expected


async def test_a_peer_that_demands_a_certificate_gets_the_trunks_own(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    address, box = loopback.address(), dependencies.secret_box
    authority = Authority.open(tmp_path)
    context = server_context(
        TlsManner(client_certificate=True),
        authority.server_pair("pbx", address, CertificateKind.VALID),
        authority.ca_file,
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    ours = authority.client_pair()
    trusting: Mapping[str, Any] = {"ca_pem": authority.ca_file.read_text()}
    responder = Responder()
    async with SipStack(guard=dependencies.guard, handler=responder.handle) as stack:
        await stack.transport.listen_stream((address, 5061), context)
        without = await checked(
            dependencies, await ordered(database, box, f"sip:{address}", **trusting)
        )
        shown = await checked(
            dependencies,
            await ordered(
                database,
                box,
                f"sip:{address}",
                client_certificate=ours.certificate.read_text(),
                client_key=ours.key.read_text(),
                **trusting,
            ),
        )
        pinned = await checked(
            dependencies,
            await ordered(database, box, f"sip:{address}", certificate_pin="0" * 64, **trusting),
        )
    assert without.problem is ConnectionProblem.TLS_CLIENT_CERTIFICATE
    assert shown.sip_code == 200
    assert responder.asked == 1
    assert pinned.problem is ConnectionProblem.TLS_UNTRUSTED


async def test_what_there_is_nothing_to_ask_of(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    box = dependencies.secret_box
    inbound = await ordered(database, box, None)
    gone = inbound.model_copy(update={"trunk_id": new_id("trk")})
    foreign = inbound.model_copy(update={"org_id": await add_organization(database)})
    for order in (inbound, gone, foreign):
        outcome = await checked(dependencies, order)
        assert outcome == ConnectionTestOutcome(problem=ConnectionProblem.NO_ENDPOINT)
    guarded = replace(dependencies, guard=AddressGuard())
    private = await ordered(database, box, f"sip:{loopback.address()};transport=udp")
    assert (await checked(guarded, private)).problem is ConnectionProblem.NOT_ALLOWED
    unknown = await ordered(database, box, "sip:nobody.example.com")
    assert (await checked(dependencies, unknown)).problem is ConnectionProblem.DNS_FAILURE
