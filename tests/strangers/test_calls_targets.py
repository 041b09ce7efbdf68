"""Which of several servers of others gets the call, and over which transport (RFC 3263, RFC 3261 18.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sip.call_facts import CallFacts, TargetOutcome
from sip.dialog_state import FailureCause
from sip.net.resolver import Resolver
from tests.strangers.calls import Watcher, called, plan_for
from tests.strangers.conftest import Kamailios
from tests.support.baresip import PHONE_USER, run_baresip
from tests.support.dns_server import DnsServer
from tests.support.kamailio import Kamailio, run_proxy
from tests.support.loopback import LoopbackBlock
from tests.support.sipp_calls import CallScript, run_sipp_callee

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
async def proxy(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kamailio]:
    """A Kamailio with a phone that answers."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            run_proxy(loopback.address(), tmp_path_factory.mktemp("proxy"))
        )
        folder = tmp_path_factory.mktemp("phone")
        await stack.enter_async_context(run_baresip(loopback.address(), folder, registrar=running))
        yield running


@pytest.fixture
def resolver(dns: DnsServer) -> Resolver:
    return Resolver(nameservers=(dns.address,))


def in_order(dns: DnsServer, service: str, domain: str, *addresses: str) -> None:
    """SRV records of falling priority, each with a host of its own."""
    hosts = {f"n{number}.{domain}": address for number, address in enumerate(addresses)}
    for host, address in hosts.items():
        dns.put(host, "A", address)
    records = (f"{number} 0 5060 {host}." for number, host in enumerate(hosts))
    dns.put(f"{service}.{domain}", "SRV", *records)


def outcomes(facts: CallFacts) -> list[tuple[str, TargetOutcome]]:
    return [(each.address, each.outcome) for each in facts.targets]


async def test_the_next_target_is_called_after_a_closed_port_and_after_a_503(
    dns: DnsServer, resolver: Resolver, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    closed, overloaded, good = (loopback.address() for _ in range(3))
    in_order(dns, "_sip._tcp", "failover.test", closed, overloaded, good)
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    watcher = Watcher()
    async with (
        run_sipp_callee(CallScript.UNAVAILABLE, "tcp", overloaded, tmp_path / "first") as first,
        run_sipp_callee(CallScript.ANSWERS, "tcp", good, tmp_path / "second") as second,
    ):
        facts = await called(
            plan_for("failover.test", port=None, transport="tcp"), watcher, resolver=resolver
        )
        await asyncio.gather(first.finished(), second.finished())
    assert outcomes(facts) == [
        (closed, TargetOutcome.REFUSED),
        (overloaded, TargetOutcome.UNAVAILABLE),
        (good, TargetOutcome.CALLED),
    ]
    assert facts.invite is not None
    assert facts.invite.failure is None
    # Another server is another call to the peer: its INVITE is a new transaction.
    assert len({each.via.branch for each in watcher.requests("INVITE")}) == 2


async def test_a_busy_phone_is_an_answer_and_no_other_target_is_called(
    dns: DnsServer, resolver: Resolver, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    busy, other = loopback.address(), loopback.address()
    in_order(dns, "_sip._tcp", "busy.test", busy, other)
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    async with (
        run_sipp_callee(CallScript.BUSY, "tcp", busy, tmp_path / "first") as first,
        run_sipp_callee(CallScript.ANSWERS, "tcp", other, tmp_path / "second") as second,
    ):
        facts = await called(plan_for("busy.test", port=None, transport="tcp"), resolver=resolver)
        await first.finished()
        assert "INVITE" not in second.log()
    assert outcomes(facts) == [(busy, TargetOutcome.CALLED)]
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.REFUSED


async def test_over_udp_the_server_that_answers_gets_the_call_before_a_silent_one(
    dns: DnsServer, resolver: Resolver, kamailios: Kamailios, proxy: Kamailio
) -> None:
    silent = kamailios.dropping.address
    in_order(dns, "_sip._udp", "silent.test", silent, proxy.address)
    watcher = Watcher()
    facts = await called(
        plan_for("silent.test", port=None, transport="udp", request_user=PHONE_USER),
        watcher,
        resolver=resolver,
    )
    found = dict(outcomes(facts))
    assert found[proxy.address] is TargetOutcome.CALLED
    assert found[silent] is TargetOutcome.SILENT
    assert facts.invite is not None
    assert facts.invite.failure is None
    invited = {each.flow.remote[0] for each in watcher.records if each.data.startswith(b"INVITE ")}
    assert invited == {proxy.address}


async def test_an_invite_too_large_for_a_datagram_goes_over_tcp(proxy: Kamailio) -> None:
    watcher = Watcher()
    facts = await called(
        plan_for(
            proxy.address,
            port=5060,
            transport=None,
            request_user=PHONE_USER,
            headers=(("X-Long", "x" * 1300),),
        ),
        watcher,
    )
    assert facts.invite is not None
    assert facts.invite.failure is None
    assert facts.invite.offer.size > 1300
    invited = [each for each in watcher.records if each.data.startswith(b"INVITE ")]
    assert [each.flow.transport for each in invited] == ["TCP"]
