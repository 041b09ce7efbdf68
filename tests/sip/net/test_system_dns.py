from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.net.resolver import Resolver
from sip.net.system_dns import SystemDns, parse_hosts, parse_resolv_conf
from sip.resolution import Resolution
from sip.transports import Transport
from tests.support.dns_server import DnsServer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def resolver_of(server: DnsServer) -> Resolver:
    return Resolver([server.address])


def places(found: Resolution) -> list[tuple[str, int | None, str | None]]:
    return [(target.address, target.port, target.transport) for target in found.targets]


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


async def test_localhost_is_loopback_without_a_question(server: DnsServer) -> None:
    server.put("localhost", "A", "192.0.2.66")
    for host in ("localhost", "LOCALHOST.", "pbx.localhost"):
        found = await resolver_of(server).resolve(host)
        assert set(places(found)) == {("127.0.0.1", 5060, "udp"), ("::1", 5060, "udp")}
        surveyed = await resolver_of(server).survey(host)
        assert set(surveyed.addresses) == {"127.0.0.1", "::1"}
    assert server.asked == []


async def test_the_hosts_file_pins_a_name_and_other_names_go_to_resolv_conf(
    server: DnsServer, tmp_path: Path
) -> None:
    hosts, resolv_conf = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("10.9.8.7 PBX.example.com pbx # ours\n2001:DB8::7 pbx\n10.9.8.9 a\n")
    resolv_conf.write_text(f"# generated\nsearch x.test\nnameserver {server.address[0]}\n")
    system = SystemDns(resolv_conf, hosts, port=server.address[1])
    resolver = Resolver(system=system, clock=lambda: NOW)
    server.put("sip.example.com", "A", "192.0.2.1")
    pinned = await resolver.resolve("pbx.example.com")
    assert places(pinned) == [("10.9.8.7", 5060, Transport.UDP)]
    assert pinned.targets[0].ttl is None
    assert "pbx.example.com is known from hosts file: no DNS look-up" in pinned.decisions
    assert set((await resolver.survey("pbx")).addresses) == {"10.9.8.7", "2001:db8::7"}
    assert server.asked == []
    assert (await resolver.resolve("sip.example.com")).addresses == ("192.0.2.1",)


async def test_a_changed_hosts_file_is_read_again_and_a_missing_one_is_empty(
    server: DnsServer, tmp_path: Path
) -> None:
    hosts, resolv_conf = tmp_path / "hosts", tmp_path / "resolv.conf"
    resolv_conf.write_text(f"nameserver {server.address[0]}\n")
    resolver = Resolver(system=SystemDns(resolv_conf, hosts, port=server.address[1]))
    assert (await resolver.resolve("pbx", port=5060)).addresses == ()
    hosts.write_text("10.0.0.1 pbx\n")
    assert (await resolver.resolve("pbx", port=5060)).addresses == ("10.0.0.1",)
    hosts.write_text("10.0.0.22 pbx\n")
    assert (await resolver.resolve("pbx", port=5060)).addresses == ("10.0.0.22",)
    hosts.unlink()
    assert (await resolver.resolve("pbx", port=5060)).addresses == ()


def test_resolv_conf_gives_at_most_three_servers_and_the_local_one_when_it_has_none() -> None:
    text = "; comment\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver fe80::1%lo\n"
    assert parse_resolv_conf(text) == (("192.0.2.1", 53), ("fe80::1%lo", 53))
    assert len(parse_resolv_conf("nameserver 192.0.2.1\n" * 5)) == 3
    assert parse_resolv_conf("options edns0\nnameserver\n", 5353) == (("127.0.0.1", 5353),)


def test_a_name_in_several_lines_of_the_hosts_file_has_all_their_addresses() -> None:
    text = "10.0.0.1 a b.\n10.0.0.2\ta\nnot-an-address a\n10.0.0.1 a\n"
    assert parse_hosts(text) == {"a": ("10.0.0.1", "10.0.0.2"), "b": ("10.0.0.1",)}


@given(st.text())
def test_no_text_breaks_the_parsers_of_the_system_files(text: str) -> None:
    assert parse_resolv_conf(text)
    assert all(parse_hosts(text).values())
