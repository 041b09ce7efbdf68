"""Names of held shards beside a real DNS server: looked up, followed, and kept when it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from activities import health_names
from activities.health_engine import HealthEngine
from domain.probe_target import NameIdentity, ProbeProfile
from sip.net.guard import AddressGuard
from sip.net.resolver import Resolver
from sip.transports import Transport
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from tests.activities.health_stage import (
    Peer,
    Watch,
    a_trunk,
    an_engine,
    eventually,
    name_of,
    place_trunk,
    rows,
)
from tests.support.dns_server import DnsServer, Fault
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres

HOST = "pbx.example.com"
NAME = name_of(HOST)


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


@pytest.fixture
async def engine(
    database: Database,
    loopback: LoopbackBlock,
    box: SecretBox,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[HealthEngine]:
    """An engine for which a name's shortest time is a second."""
    monkeypatch.setattr(health_names, "SHORTEST", timedelta(seconds=1))
    guard = AddressGuard(allowed=(loopback.network,))
    resolver = Resolver([dns.address])
    async with an_engine(database, guard, box, resolver=resolver) as opened:
        yield opened


async def addresses(database: Database, state: str = "healthy") -> set[str]:
    found = await rows(
        database,
        "SELECT t.address FROM health_targets t JOIN health_states s ON s.target_id = t.id "
        "WHERE s.state = :state",
        state=state,
    )
    return {row.address for row in found}


async def is_watched(database: Database, *wanted: str) -> None:
    async def found() -> bool:
        return await addresses(database) == set(wanted)

    await eventually(found)


async def test_every_address_of_a_name_is_probed_and_a_change_is_followed(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    dns: DnsServer,
    loopback: LoopbackBlock,
) -> None:
    one, two, three = (Peer(loopback.address()) for _ in range(3))
    dns.put(HOST, "A", one.address, two.address, ttl=1)
    await place_trunk(database, await a_trunk(database, box), NAME)
    async with one, two, three, Watch(engine, NAME):
        await is_watched(database, one.address, two.address)
        dns.put(HOST, "A", two.address, three.address, ttl=1)
        await is_watched(database, two.address, three.address)
    changes = await rows(database, "SELECT added, removed, error FROM name_changes ORDER BY id")
    assert [len(change.added) for change in changes] == [2, 1]
    assert [each["address"] for each in changes[1].removed] == [one.address]


async def test_an_srv_name_brings_ports_and_transports(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    dns: DnsServer,
    loopback: LoopbackBlock,
) -> None:
    name = NameIdentity(HOST, None, None, ProbeProfile(domain=HOST))
    peer, dead = Peer(loopback.address()), loopback.address()
    dns.put(
        f"_sip._udp.{HOST}", "SRV", "10 5 5060 dead.example.com.", "20 0 5060 live.example.com."
    )
    dns.put("dead.example.com", "A", dead)
    dns.put("live.example.com", "A", peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with peer, Watch(engine, name):
        await is_watched(database, peer.address)
        await eventually(lambda: addresses(database, "down"))
    found = await rows(
        database,
        "SELECT t.address, t.port, t.transport, l.priority, l.weight FROM health_name_targets l "
        "JOIN health_targets t ON t.id = l.target_id ORDER BY l.position",
    )
    assert [tuple(row) for row in found] == [
        (dead, 5060, Transport.UDP, 10, 5),
        (peer.address, 5060, Transport.UDP, 20, 0),
    ]


@pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.REFUSED])
async def test_a_dns_that_fails_takes_no_target_away(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    dns: DnsServer,
    loopback: LoopbackBlock,
    fault: Fault,
) -> None:
    async with Peer(loopback.address()) as peer:
        dns.put(HOST, "A", peer.address, ttl=1)
        await place_trunk(database, await a_trunk(database, box), NAME)
        async with Watch(engine, NAME):
            await is_watched(database, peer.address)
            dns.fail("*", "A", fault)
            dns.fail("*", "AAAA", fault)
            await eventually(
                lambda: rows(database, "SELECT FROM health_names WHERE error IS NOT NULL")
            )
            assert await addresses(database) == {peer.address}
    *_, change = await rows(database, "SELECT error FROM name_changes ORDER BY id")
    assert change.error


async def test_half_an_answer_takes_nothing_away_that_the_other_half_may_hold(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    dns: DnsServer,
    loopback: LoopbackBlock,
) -> None:
    async with Peer(loopback.address()) as peer:
        dns.put(HOST, "A", peer.address, ttl=1)
        dns.put(HOST, "AAAA", "2001:db8::1", ttl=1)
        await place_trunk(database, await a_trunk(database, box), NAME)
        async with Watch(engine, NAME):
            await eventually(
                lambda: rows(database, "SELECT FROM health_targets HAVING count(*) = 2")
            )
            dns.fail(HOST, "A", Fault.SERVFAIL)
            asked = len(dns.asked)

            async def asked_again() -> bool:
                return len([each for each in dns.asked[asked:] if each.rdtype == "AAAA"]) >= 2

            await eventually(asked_again)
            assert await addresses(database) == {peer.address}


async def test_a_name_that_does_not_exist_says_so_and_is_tried_again(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    dns: DnsServer,
    loopback: LoopbackBlock,
) -> None:
    await place_trunk(database, await a_trunk(database, box), NAME)
    async with Peer(loopback.address()) as peer, Watch(engine, NAME):
        (name,) = await eventually(
            lambda: rows(database, "SELECT error FROM health_names WHERE error IS NOT NULL")
        )
        assert HOST in name.error
        dns.put(HOST, "A", peer.address, ttl=1)
        await is_watched(database, peer.address)
    (name,) = await rows(database, "SELECT error, resolved_at FROM health_names")
    assert (name.error, name.resolved_at is not None) == (None, True)
