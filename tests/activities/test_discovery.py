"""Discovery's activities on real sockets, rows and look-ups."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import DiscoveryOrder, FailureReport
from activities.dependencies import Dependencies
from activities.discovery import DiscoveryActivities
from domain.discovery_state import DiscoveryStatus, FailureReason
from storage import discoveries, sip_messages
from storage.engine import Database
from storage.tables import Discovery, DiscoveryAttempt
from tests.activities.conftest import answering, silent
from tests.storage.factories import add_organization, running_discovery
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock
from workflows.names import ErrorType

pytestmark = pytest.mark.postgres


async def ordered(database: Database, host: str) -> DiscoveryOrder:
    """A running discovery of this host."""
    org_id = await add_organization(database)
    row = await running_discovery(database, org_id, host=host, at=datetime.now(UTC))
    return DiscoveryOrder(discovery_id=row.id, org_id=org_id)


async def stored(
    database: Database, order: DiscoveryOrder
) -> tuple[Discovery, dict[tuple[str, int], DiscoveryAttempt]]:
    """The row, and its attempts by transport and port."""
    async with database.tenant(order.org_id) as session:
        row = await discoveries.get(session, order.discovery_id)
        attempts = await discoveries.attempts(session, order.discovery_id)
    assert row is not None
    return row, {(each.transport, each.port): each for each in attempts}


async def test_answers_and_refusals_become_rows(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address = loopback.address()
    order = await ordered(database, address)
    activities = DiscoveryActivities(dependencies)
    async with answering(address):
        swept = await ActivityEnvironment().run(activities.sweep, order)
    outcome = await ActivityEnvironment().run(activities.conclude, order)
    row, attempts = await stored(database, order)
    assert (swept.addresses, swept.attempts, swept.answered) == (1, 9, 2)
    assert outcome.answered == 2
    assert row.status is DiscoveryStatus.COMPLETED
    assert attempts["udp", 5060].response_code == 200
    assert attempts["udp", 5060].user_agent == "Asterisk PBX 20.9.2"
    assert attempts["udp", 5080].outcome == "refused"
    assert attempts["udp", 5080].response_code is None
    assert attempts["udp", 5080].error is not None
    assert row.recommended is not None
    assert (row.recommended["transport"], row.recommended["port"]) == ("tcp", 5060)
    assert row.recommended["detected_system"] == "Asterisk"


async def test_every_message_is_kept_as_it_was_on_the_wire(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address = loopback.address()
    order = await ordered(database, address)
    async with answering(address):
        await ActivityEnvironment().run(DiscoveryActivities(dependencies).sweep, order)
    async with database.tenant(order.org_id) as session:
        kept = await sip_messages.of_owner(session, "discovery", order.discovery_id)
    udp = [each for each in kept if each.transport == "udp" and each.remote_port == 5060]
    assert [each.direction.value for each in udp] == ["out", "in"]
    assert udp[0].data.startswith(b"OPTIONS sip:" + address.encode())
    assert udp[1].data.startswith(b"SIP/2.0 200 OK\r\n")


async def test_a_name_that_changes_its_answer_stays_at_its_first_address(
    dependencies: Dependencies, database: Database, dns: DnsServer, loopback: LoopbackBlock
) -> None:
    first, second = loopback.address(), loopback.address()
    dns.change("rebind.example", "A", [first], [second], ["169.254.169.254"])
    order = await ordered(database, "rebind.example")
    activities = DiscoveryActivities(dependencies)
    async with answering(first) as here, answering(second) as there:
        await ActivityEnvironment().run(activities.sweep, order)
        again = await ActivityEnvironment().run(activities.sweep, order)
    row, _ = await stored(database, order)
    assert row.addresses == [first]
    assert (here.asked, there.asked) == (2, 0)
    assert again.attempts == 9


async def test_a_name_that_leads_inside_is_refused_before_a_packet_is_sent(
    dependencies: Dependencies, database: Database, dns: DnsServer
) -> None:
    dns.put("inside.example", "A", "10.0.0.5", "169.254.169.254")
    dns.put("inside.example", "AAAA", "::ffff:127.0.0.1", "64:ff9b::10.0.0.5")
    order = await ordered(database, "inside.example")
    swept = await ActivityEnvironment().run(DiscoveryActivities(dependencies).sweep, order)
    _, attempts = await stored(database, order)
    async with database.tenant(order.org_id) as session:
        sent = await sip_messages.of_owner(session, "discovery", order.discovery_id)
    assert swept.failure is FailureReason.TARGET_NOT_ALLOWED
    assert {each.outcome for each in attempts.values()} == {"not_allowed"}
    assert sent == []


async def test_an_allowed_address_beside_a_refused_one_is_probed(
    dependencies: Dependencies, database: Database, dns: DnsServer, loopback: LoopbackBlock
) -> None:
    address = loopback.address()
    dns.put("mixed.example", "A", address, "192.168.1.1")
    order = await ordered(database, "mixed.example")
    async with answering(address):
        swept = await ActivityEnvironment().run(DiscoveryActivities(dependencies).sweep, order)
    assert (swept.failure, swept.answered, swept.attempts) == (None, 2, 18)


async def test_a_second_run_probes_only_what_has_no_row(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address = loopback.address()
    order = await ordered(database, address)
    activities = DiscoveryActivities(dependencies)
    async with answering(address) as responder:
        await ActivityEnvironment().run(activities.sweep, order)
        assert responder.asked == 2
        swept = await ActivityEnvironment().run(activities.sweep, order)
    assert responder.asked == 2
    assert (swept.attempts, swept.answered) == (9, 2)


async def test_a_port_that_answers_is_visible_while_a_silent_one_is_waited_for(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    address = loopback.address()
    order = await ordered(database, address)
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(dict(details[0]))
    async with answering(address):
        with silent(address, 5080):
            sweep = environment.run(DiscoveryActivities(dependencies).sweep, order)
            sweeping = asyncio.create_task(sweep)
            while True:
                _, attempts = await stored(database, order)
                if ("udp", 5060) in attempts:
                    break
                await asyncio.sleep(0.01)
            assert not sweeping.done()
            await sweeping
    _, attempts = await stored(database, order)
    assert attempts["udp", 5080].outcome == "silent"
    assert beats[0] == {"attempts": 0, "answered": 0}
    assert beats[-1] == {"attempts": 8, "answered": 2}


async def test_a_name_without_an_address_fails_the_sweep(
    dependencies: Dependencies, database: Database
) -> None:
    order = await ordered(database, "nowhere.example")
    activities = DiscoveryActivities(dependencies)
    swept = await ActivityEnvironment().run(activities.sweep, order)
    assert swept.failure is FailureReason.DNS_FAILURE
    report = FailureReport(
        discovery_id=order.discovery_id, org_id=order.org_id, reason=swept.failure
    )
    await ActivityEnvironment().run(activities.fail, report)
    row, _ = await stored(database, order)
    assert (row.status, row.error_code) == (DiscoveryStatus.FAILED, "DNS_FAILURE")
    assert "nowhere.example" in (row.error_message or "")


async def test_a_closed_discovery_is_not_swept(
    dependencies: Dependencies, database: Database, loopback: LoopbackBlock
) -> None:
    order = await ordered(database, loopback.address())
    activities = DiscoveryActivities(dependencies)
    await ActivityEnvironment().run(activities.conclude, order)
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(activities.sweep, order)
    assert refused.value.type == ErrorType.DISCOVERY_GONE
    assert refused.value.non_retryable
