from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sip.net.resolver import Resolver
from sip.resolution import Lookup, Outcome, Resolution
from tests.support.dns_server import ANY_NAME, DnsServer, Fault

HOST = "example.com"


SHORT, LONG = 0.6, 10.0
"""Seconds: for what is to run out of time, and for what must not on a busy machine."""


def impatient(*servers: DnsServer, lifetime: float = SHORT) -> Resolver:
    return Resolver(
        [server.address for server in servers],
        timeout=timedelta(milliseconds=80),
        lifetime=timedelta(seconds=lifetime),
    )


def patient(*servers: DnsServer) -> Resolver:
    return Resolver([server.address for server in servers])


def look_up(found: Resolution, rdtype: str, question: str = HOST) -> Lookup:
    return next(one for one in found.trail if (one.question, one.rdtype) == (question, rdtype))


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({(HOST, "A"): ["192.0.2.1"]}) as server:
        yield server


@pytest.mark.parametrize(
    ("fault", "outcome", "words"),
    [
        (Fault.SERVFAIL, Outcome.SERVFAIL, "could not answer (SERVFAIL)"),
        (Fault.REFUSED, Outcome.REFUSED, "refused to answer"),
        (Fault.NOTIMP, Outcome.REFUSED, "refused to answer"),
        (Fault.SILENCE, Outcome.TIMEOUT, "no DNS server answered in time"),
        (Fault.TRUNCATED_THEN_SILENCE, Outcome.TIMEOUT, "no DNS server answered in time"),
        (Fault.TRUNCATED_THEN_CLOSE, Outcome.MALFORMED, "malformed"),
        (Fault.TRUNCATED_ALWAYS, Outcome.MALFORMED, "malformed"),
        (Fault.WRONG_ID, Outcome.TIMEOUT, "no DNS server answered in time"),
        (Fault.WRONG_QUESTION, Outcome.TIMEOUT, "no DNS server answered in time"),
        (Fault.GARBAGE, Outcome.MALFORMED, "malformed"),
        (Fault.LAME, Outcome.LAME, "does not know the zone"),
    ],
)
async def test_a_failing_server_is_an_outcome_and_a_sentence(
    server: DnsServer, fault: Fault, outcome: Outcome, words: str
) -> None:
    server.fail(HOST, "A", fault)
    lifetime = SHORT if outcome is Outcome.TIMEOUT else LONG
    found = await impatient(server, lifetime=lifetime).resolve(HOST, port=5060)
    assert found.targets == ()
    assert look_up(found, "A").outcome is outcome
    assert look_up(found, "AAAA").outcome is Outcome.NO_DATA
    assert found.failure is not None
    assert words in found.failure
    assert found.decisions[-1] == found.failure


async def test_a_name_that_does_not_exist_is_said_to(server: DnsServer) -> None:
    found = await patient(server).resolve("nosuch.example.com")
    assert found.failure == (
        "nosuch.example.com cannot be resolved: the name does not exist in the DNS (NXDOMAIN)"
    )


async def test_a_name_without_addresses_is_said_to_exist(server: DnsServer) -> None:
    server.put("txt.example.com", "TXT", "hello")
    found = await patient(server).resolve("txt.example.com")
    assert found.failure is not None
    assert "it has no address record (A or AAAA)" in found.failure


async def test_a_truncated_answer_is_fetched_over_tcp(server: DnsServer) -> None:
    server.fail(HOST, "A", Fault.TRUNCATED)
    found = await patient(server).resolve(HOST, port=5060)
    assert found.addresses == ("192.0.2.1",)
    lookup = look_up(found, "A")
    assert (lookup.transport, lookup.truncated) == ("tcp", True)
    assert [asked.transport for asked in server.asked if asked.rdtype == "A"] == ["udp", "tcp"]


async def test_a_server_that_chokes_on_edns_is_asked_without(server: DnsServer) -> None:
    server.fail(ANY_NAME, "A", Fault.FORMERR_TO_EDNS)
    found = await patient(server).resolve(HOST, port=5060)
    assert found.addresses == ("192.0.2.1",)
    assert [asked.rdtype for asked in server.asked].count("A") == 2


async def test_a_forged_answer_before_the_true_one_is_ignored(server: DnsServer) -> None:
    server.fail(HOST, "A", Fault.FORGED_FIRST)
    found = await patient(server).resolve(HOST, port=5060)
    assert found.addresses == ("192.0.2.1",)


async def test_what_does_not_match_the_question_is_counted(server: DnsServer) -> None:
    server.fail(HOST, "A", Fault.WRONG_ID)
    found = await impatient(server).resolve(HOST, port=5060)
    lookup = look_up(found, "A")
    assert "datagrams did not match the question" in lookup.detail
    # A forger does not make us ask more often: 80 ms, 160 ms, and what is left of 600 ms.
    assert len([asked for asked in server.asked if asked.rdtype == "A"]) <= 4


async def test_a_late_answer_to_the_first_try_still_counts(server: DnsServer) -> None:
    server.delay(HOST, "A", 0.25)
    found = await impatient(server, lifetime=3).resolve(HOST, port=5060)
    assert found.addresses == ("192.0.2.1",)
    outcomes = [one.outcome for one in look_up(found, "A").tries]
    assert outcomes[0] is Outcome.TIMEOUT
    assert outcomes[-1] is Outcome.ANSWERED


@pytest.mark.parametrize(
    "fault", [Fault.SERVFAIL, Fault.REFUSED, Fault.SILENCE, Fault.GARBAGE, Fault.LAME]
)
async def test_the_second_server_answers_when_the_first_does_not(
    server: DnsServer, fault: Fault
) -> None:
    async with DnsServer() as broken:
        broken.fail(ANY_NAME, "A", fault)
        found = await impatient(broken, server, lifetime=3).resolve(HOST, port=5060)
    assert found.addresses == ("192.0.2.1",)
    lookup = look_up(found, "A")
    assert lookup.server == f"127.0.0.1:{server.address[1]}"
    assert [one.outcome for one in lookup.tries][-1] is Outcome.ANSWERED
    assert {one.server for one in lookup.tries} == {
        f"127.0.0.1:{one.address[1]}" for one in (broken, server)
    }


async def test_a_lame_second_server_does_no_harm(server: DnsServer) -> None:
    async with DnsServer() as lame:
        lame.fail(ANY_NAME, "A", Fault.LAME)
        found = await patient(server, lame).resolve(HOST, port=5060)
        assert found.addresses == ("192.0.2.1",)
        assert lame.asked == []


async def test_a_server_that_failed_once_is_asked_last_afterwards(server: DnsServer) -> None:
    async with DnsServer() as silent:
        silent.fail(ANY_NAME, "NAPTR", Fault.SILENCE)
        found = await impatient(silent, server, lifetime=3).resolve(HOST)
    assert found.addresses == ("192.0.2.1",)
    assert {asked.rdtype for asked in silent.asked} == {"NAPTR"}


async def test_a_port_without_a_server_is_unreachable_at_once(server: DnsServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
    started = asyncio.get_running_loop().time()
    found = await Resolver([address]).resolve(HOST, port=5060)
    assert asyncio.get_running_loop().time() - started < 2
    assert look_up(found, "A").outcome is Outcome.UNREACHABLE
    assert found.failure == f"{HOST} cannot be resolved: no DNS server could be reached"


async def test_without_any_server_the_failure_says_so() -> None:
    found = await Resolver([]).resolve(HOST, port=5060)
    assert look_up(found, "A").detail == "no DNS server is configured"
    assert found.failure is not None


async def test_a_lifetime_bounds_the_whole_resolution_when_nothing_answers(
    server: DnsServer,
) -> None:
    for rdtype in ("NAPTR", "SRV", "A", "AAAA"):
        server.fail(ANY_NAME, rdtype, Fault.SILENCE)
    for ask in (impatient(server).resolve, impatient(server).survey):
        started = asyncio.get_running_loop().time()
        found = await ask(HOST)
        assert 0.55 < asyncio.get_running_loop().time() - started < 2.5
        assert found.targets == ()
        assert {one.outcome for one in found.trail} == {Outcome.TIMEOUT}


async def test_silence_for_naptr_and_srv_leaves_time_for_addresses(server: DnsServer) -> None:
    server.fail(ANY_NAME, "NAPTR", Fault.SILENCE)
    server.fail(ANY_NAME, "SRV", Fault.SILENCE)
    found = await impatient(server, lifetime=2).resolve(HOST)
    assert found.addresses == ("192.0.2.1",)
    assert "the NAPTR look-up failed (timeout): SRV names are asked directly" in found.decisions


async def test_a_failing_question_is_not_fatal_to_a_survey(server: DnsServer) -> None:
    server.fail(HOST, "NAPTR", Fault.SERVFAIL)
    server.fail("_sip._tcp.example.com", "SRV", Fault.GARBAGE)
    server.put("_sip._udp.example.com", "SRV", "1 1 5060 a.example.com.", "1 1 5060 b.example.com.")
    server.put("a.example.com", "A", "192.0.2.2")
    server.fail("b.example.com", "A", Fault.REFUSED)
    found = await impatient(server, lifetime=LONG).survey(HOST)
    assert found.addresses == ("192.0.2.2", "192.0.2.1")
    assert found.failure is None
    assert look_up(found, "NAPTR").outcome is Outcome.SERVFAIL
    assert look_up(found, "SRV", "_sip._tcp.example.com").outcome is Outcome.MALFORMED
    assert look_up(found, "A", "b.example.com").outcome is Outcome.REFUSED


async def test_srv_targets_without_addresses_are_named(server: DnsServer) -> None:
    server.put("_sip._udp.example.com", "SRV", "1 1 5060 gone.example.com.")
    found = await patient(server).resolve(HOST)
    assert found.failure == f"no SRV target of {HOST} has an address: gone.example.com"
    assert found.targets == ()
    surveyed = await patient(server).survey(HOST)
    assert surveyed.addresses == ("192.0.2.1",)


async def test_an_srv_record_that_names_an_address_is_explained(server: DnsServer) -> None:
    server.put("_sip._udp.example.com", "SRV", "1 1 5060 192.0.2.9.")
    found = await patient(server).resolve(HOST)
    assert found.failure is not None
    assert "an address in place of a name" in found.failure


async def test_an_answer_may_change_between_look_ups(server: DnsServer) -> None:
    server.change(HOST, "A", ["192.0.2.1"], ["127.0.0.1"])
    resolver = patient(server)
    assert (await resolver.resolve(HOST, port=5060)).addresses == ("192.0.2.1",)
    assert (await resolver.resolve(HOST, port=5060)).addresses == ("127.0.0.1",)


@pytest.mark.parametrize("chase", [True, False])
async def test_aliases_are_followed_within_and_across_answers(chase: bool) -> None:
    zone = {
        (HOST, "CNAME"): ["one.example.net."],
        ("one.example.net", "CNAME"): ["two.example.net."],
        ("two.example.net", "A"): ["192.0.2.1"],
    }
    async with DnsServer(zone, chase=chase) as server:
        server.put("one.example.net", "CNAME", "two.example.net.", ttl=20)
        found = await patient(server).resolve(HOST, port=5060)
    lookup = look_up(found, "A")
    assert found.addresses == ("192.0.2.1",)
    assert lookup.aliases == ("one.example.net", "two.example.net")
    assert lookup.ttl == found.targets[0].ttl == 20


@pytest.mark.parametrize("chase", [True, False])
@pytest.mark.parametrize(
    ("links", "outcome"),
    [
        ({HOST: HOST}, Outcome.CNAME_LOOP),
        ({HOST: "b.test", "b.test": "c.test", "c.test": "b.test"}, Outcome.CNAME_LOOP),
        (
            {HOST: "n0.test", **{f"n{one}.test": f"n{one + 1}.test" for one in range(20)}},
            Outcome.CNAME_LIMIT,
        ),
    ],
)
async def test_endless_aliases_end(chase: bool, links: dict[str, str], outcome: Outcome) -> None:
    zone = {(name, "CNAME"): [f"{alias}."] for name, alias in links.items()}
    async with DnsServer(zone, chase=chase) as server:
        found = await patient(server).resolve(HOST, port=5060)
        assert look_up(found, "A").outcome is outcome
        assert len([asked for asked in server.asked if asked.rdtype == "A"]) <= 9
    assert len(look_up(found, "A").aliases) <= 8
    assert found.failure is not None
    assert "CNAME" in found.failure
