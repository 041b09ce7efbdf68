from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from sip.net.resolver import Resolver
from sip.resolution import Outcome, Resolution, Source
from sip.uri import SipUri, parse_uri
from tests.support.dns_server import Asked, DnsServer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def resolver_of(server: DnsServer) -> Resolver:
    return Resolver([server.address], clock=lambda: NOW, draw=lambda upper: upper)


def places(found: Resolution) -> list[tuple[str, int | None, str | None]]:
    return [(target.address, target.port, target.transport) for target in found.targets]


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


class TestStrictOrder:
    async def test_naptr_leads_to_srv_and_srv_to_addresses(self, server: DnsServer) -> None:
        server.put(
            "example.com",
            "NAPTR",
            '50 50 "s" "SIP+D2T" "" _sip._tcp.example.com.',
            '90 50 "s" "SIP+D2U" "" _sip._udp.example.com.',
            '50 10 "s" "SIPS+D2T" "" _sips._tcp.provider.net.',
            ttl=900,
        )
        server.put("_sips._tcp.provider.net", "SRV", "1 1 5061 edge.provider.net.", ttl=40)
        server.put("_sip._tcp.example.com", "SRV", "1 1 5062 edge.provider.net.")
        server.put("edge.provider.net", "A", "192.0.2.1", ttl=70)
        found = await resolver_of(server).resolve("example.com")
        assert places(found) == [("192.0.2.1", 5061, "tls"), ("192.0.2.1", 5062, "tcp")]
        first = found.targets[0]
        assert (first.source, first.name, first.ttl) == (Source.NAPTR, "edge.provider.net", 40)
        assert [(one.question, one.rdtype) for one in found.trail] == [
            ("example.com", "NAPTR"),
            ("_sips._tcp.provider.net", "SRV"),
            ("_sip._tcp.example.com", "SRV"),
            ("edge.provider.net", "A"),
            ("edge.provider.net", "AAAA"),
        ]
        assert any("order 50 comes first" in words for words in found.decisions)
        assert found.expires_at == NOW + timedelta(seconds=40)

    async def test_without_naptr_tls_comes_before_tcp_and_tcp_before_udp(
        self, server: DnsServer
    ) -> None:
        for prefix, port in (("_sip._udp", 5060), ("_sip._tcp", 5060), ("_sips._tcp", 5061)):
            server.put(f"{prefix}.example.com", "SRV", f"10 10 {port} sip.example.com.")
        server.put("sip.example.com", "A", "192.0.2.1")
        found = await resolver_of(server).resolve("example.com")
        assert places(found) == [
            ("192.0.2.1", 5061, "tls"),
            ("192.0.2.1", 5060, "tcp"),
            ("192.0.2.1", 5060, "udp"),
        ]
        assert all(target.source is Source.SRV for target in found.targets)

    async def test_without_srv_the_host_is_called_over_udp_5060(self, server: DnsServer) -> None:
        server.put("example.com", "A", "192.0.2.1")
        found = await resolver_of(server).resolve("example.com")
        assert places(found) == [("192.0.2.1", 5060, "udp")]
        assert "no SRV record: address records, udp port 5060" in found.decisions
        secure = await resolver_of(server).resolve("example.com", secure=True)
        assert places(secure) == [("192.0.2.1", 5061, "tls")]

    async def test_a_sips_uri_never_asks_for_another_transport(self, server: DnsServer) -> None:
        server.put("_sip._udp.example.com", "SRV", "1 1 5060 sip.example.com.")
        server.put("_sips._tcp.example.com", "SRV", "1 1 5061 sip.example.com.")
        server.put("sip.example.com", "A", "192.0.2.1")
        found = await resolver_of(server).resolve("example.com", secure=True)
        assert places(found) == [("192.0.2.1", 5061, "tls")]
        assert "_sip._udp.example.com" not in {asked.name for asked in server.asked}

    async def test_a_given_transport_asks_for_its_srv_name_only(self, server: DnsServer) -> None:
        server.put("_sip._tcp.example.com", "SRV", "1 1 5070 sip.example.com.")
        server.put("sip.example.com", "A", "192.0.2.1")
        found = await resolver_of(server).resolve("example.com", transport="tcp")
        assert places(found) == [("192.0.2.1", 5070, "tcp")]
        assert server.asked[0] == Asked("_sip._tcp.example.com", "SRV", "udp")
        assert not [asked for asked in server.asked if asked.rdtype == "NAPTR"]

    async def test_an_explicit_port_asks_for_addresses_only(self, server: DnsServer) -> None:
        server.put("_sip._udp.example.com", "SRV", "1 1 5070 other.example.com.")
        server.put("example.com", "A", "192.0.2.1")
        found = await resolver_of(server).resolve("example.com", port=5080)
        assert places(found) == [("192.0.2.1", 5080, "udp")]
        assert {asked.rdtype for asked in server.asked} == {"A", "AAAA"}
        assert found.decisions == ("explicit port 5080: no NAPTR or SRV look-up",)

    async def test_an_address_asks_nothing(self, server: DnsServer) -> None:
        found = await resolver_of(server).resolve("[2001:DB8::5]", transport="tls")
        assert places(found) == [("2001:db8::5", 5061, "tls")]
        assert found.targets[0].source is Source.LITERAL
        assert found.expires_at is None
        assert server.asked == []

    async def test_srv_targets_come_by_priority_then_by_lot(self, server: DnsServer) -> None:
        server.put(
            "_sip._udp.example.com",
            "SRV",
            "20 0 5060 c.example.com.",
            "10 1 5060 a.example.com.",
            "10 9 5060 b.example.com.",
        )
        for number, name in enumerate("abc", 1):
            server.put(f"{name}.example.com", "A", f"192.0.2.{number}")
        # The highest draw falls on the last record of a priority, as sorted before the lot.
        high = await resolver_of(server).resolve("example.com", transport="udp")
        low = await Resolver([server.address], draw=lambda _: 0).resolve(
            "example.com", transport="udp"
        )
        assert [target.name[0] for target in high.targets] == ["a", "b", "c"]
        assert [target.name[0] for target in low.targets] == ["b", "a", "c"]
        assert [target.priority for target in low.targets] == [10, 10, 20]
        assert [target.weight for target in low.targets] == [9, 1, 0]

    async def test_a_host_of_both_families_gives_all_addresses(self, server: DnsServer) -> None:
        server.put("example.com", "A", "127.0.0.1", "127.0.0.2")
        server.put("example.com", "AAAA", "::1")
        found = await resolver_of(server).resolve("example.com", port=5060)
        assert set(found.addresses) == {"127.0.0.1", "127.0.0.2", "::1"}
        assert {target.source for target in found.targets} == {Source.A, Source.AAAA}

    async def test_a_declared_absence_is_not_overruled_by_an_address(
        self, server: DnsServer
    ) -> None:
        server.put("_sip._udp.example.com", "SRV", "0 0 0 .")
        server.put("example.com", "A", "192.0.2.1")
        for transport in ("udp", None):
            found = await resolver_of(server).resolve("example.com", transport=transport)
            assert found.targets == ()
            assert found.failure == (
                "example.com declares in its SRV records that it offers no SIP over UDP"
            )
        over_tcp = await resolver_of(server).resolve("example.com", transport="tcp")
        assert places(over_tcp) == [("192.0.2.1", 5060, "tcp")]

    async def test_a_uri_is_located_by_its_maddr_port_transport_and_scheme(
        self, server: DnsServer
    ) -> None:
        server.put("example.com", "A", "192.0.2.1")
        server.put("other.example.com", "A", "192.0.2.2")
        for text, place in (
            ("sip:example.com:5070;transport=tcp", ("192.0.2.1", 5070, "tcp")),
            ("sip:u@example.com:5070;maddr=other.example.com", ("192.0.2.2", 5070, "udp")),
            ("sips:example.com:5071", ("192.0.2.1", 5071, "tls")),
            ("sip:[2001:db8::1]", ("2001:db8::1", 5060, "udp")),
        ):
            uri = parse_uri(text)
            assert isinstance(uri, SipUri)
            assert places(await resolver_of(server).locate(uri)) == [place]


async def test_walking_the_list_passes_a_dead_first_target(server: DnsServer) -> None:
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    closed = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    alive_port, dead_port = (one.sockets[0].getsockname()[1] for one in (listening, closed))
    closed.close()
    await closed.wait_closed()
    server.put(
        "_sip._tcp.example.com",
        "SRV",
        f"10 0 {dead_port} dead.example.com.",
        f"20 0 {alive_port} alive.example.com.",
    )
    server.put("dead.example.com", "A", "127.0.0.1")
    server.put("alive.example.com", "A", "127.0.0.1")
    found = await resolver_of(server).resolve("example.com", transport="tcp")
    reached: list[str] = []
    refused: list[str] = []
    async with listening:
        for target in found.targets:
            try:
                reader, writer = await asyncio.open_connection(target.address, target.port)
            except ConnectionRefusedError:
                refused.append(target.name)
                continue
            reached.append(target.name)
            await reader.read()
            writer.close()
            await writer.wait_closed()
            break
    assert (refused, reached) == (["dead.example.com"], ["alive.example.com"])


class TestSurvey:
    async def test_everything_is_asked_and_targets_say_where_they_came_from(
        self, server: DnsServer
    ) -> None:
        server.put("example.com", "NAPTR", '1 1 "s" "SIP+D2U" "" _sip._udp.voice.example.com.')
        server.put("_sip._udp.voice.example.com", "SRV", "1 1 5090 v.example.com.")
        server.put("_sips._tcp.example.com", "SRV", "1 1 5061 t.example.com.")
        server.put("v.example.com", "A", "192.0.2.1")
        server.put("t.example.com", "A", "192.0.2.2")
        server.put("example.com", "A", "192.0.2.3")
        server.put("example.com", "AAAA", "2001:db8::3")
        found = await resolver_of(server).survey("example.com")
        assert places(found)[:2] == [("192.0.2.1", 5090, "udp"), ("192.0.2.2", 5061, "tls")]
        assert set(places(found)[2:]) == {("192.0.2.3", None, None), ("2001:db8::3", None, None)}
        assert found.targets[0].source is Source.NAPTR
        assert found.targets[1].source is Source.SRV
        assert {record.service for record in found.srv_records} == {
            "_sip._udp.voice.example.com",
            "_sips._tcp.example.com",
        }
        assert [record.service for record in found.naptr_records] == ["SIP+D2U"]
        assert [(one.question, one.rdtype) for one in found.trail] == [
            ("example.com", "NAPTR"),
            ("_sips._tcp.example.com", "SRV"),
            ("_sip._tcp.example.com", "SRV"),
            ("_sip._udp.example.com", "SRV"),
            ("example.com", "A"),
            ("example.com", "AAAA"),
            ("_sip._udp.voice.example.com", "SRV"),
            ("v.example.com", "A"),
            ("v.example.com", "AAAA"),
            ("t.example.com", "A"),
            ("t.example.com", "AAAA"),
        ]
        assert found.failure is None

    async def test_the_trail_says_who_answered_what_for_how_long(self, server: DnsServer) -> None:
        server.put("example.com", "A", "192.0.2.1", ttl=77)
        found = await resolver_of(server).survey("example.com")
        by_type = {(one.question, one.rdtype): one for one in found.trail}
        answered = by_type["example.com", "A"]
        assert (answered.outcome, answered.answers) == (Outcome.ANSWERED, ("192.0.2.1",))
        assert (answered.ttl, answered.transport) == (77, "udp")
        assert answered.server == f"127.0.0.1:{server.address[1]}"
        assert answered.ms >= 0
        assert by_type["example.com", "AAAA"].outcome is Outcome.NO_DATA
        assert by_type["_sip._udp.example.com", "SRV"].outcome is Outcome.NXDOMAIN

    async def test_each_question_is_asked_once(self, server: DnsServer) -> None:
        for prefix in ("_sip._udp", "_sip._tcp", "_sips._tcp"):
            server.put(f"{prefix}.example.com", "SRV", "1 1 5060 example.com.")
        server.put("example.com", "A", "192.0.2.1")
        found = await resolver_of(server).survey("example.com")
        assert len(server.asked) == len(set(server.asked)) == len(found.trail) == 6

    async def test_questions_of_a_stage_run_in_parallel(self, server: DnsServer) -> None:
        server.put("example.com", "A", "192.0.2.1")
        for key in [("example.com", "NAPTR"), ("example.com", "A"), ("example.com", "AAAA")]:
            server.delay(*key, 0.4)
        started = asyncio.get_running_loop().time()
        found = await resolver_of(server).survey("example.com")
        assert found.addresses == ("192.0.2.1",)
        assert asyncio.get_running_loop().time() - started < 1.1

    async def test_an_explicit_port_asks_for_addresses_only(self, server: DnsServer) -> None:
        server.put("example.com", "A", "192.0.2.1")
        found = await resolver_of(server).survey("example.com", port=5080)
        assert places(found) == [("192.0.2.1", 5080, None)]
        assert {asked.rdtype for asked in server.asked} == {"A", "AAAA"}

    async def test_an_address_is_its_own_target(self, server: DnsServer) -> None:
        found = await resolver_of(server).survey("192.0.2.7")
        assert places(found) == [("192.0.2.7", None, None)]
        assert server.asked == []
