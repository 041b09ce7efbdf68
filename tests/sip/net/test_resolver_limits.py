from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.net.dns_answer import MAX_ANSWER_BYTES, MalformedAnswer, Query, read_answer
from sip.net.resolver import Resolver
from sip.resolution import Outcome
from tests.support.dns_server import ANY_NAME, DnsServer, Fault

HOST = "example.com"


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


async def test_addresses_beyond_sixteen_are_counted_and_each_family_keeps_its_share(
    server: DnsServer,
) -> None:
    server.put(HOST, "A", *(f"192.0.2.{number}" for number in range(1, 41)))
    server.put(HOST, "AAAA", *(f"2001:db8::{number:x}" for number in range(1, 13)))
    found = await Resolver([server.address]).resolve(HOST, port=5060)
    assert len(found.targets) == 16
    assert len([one for one in found.addresses if ":" in one]) == 8
    assert [one.dropped for one in found.trail] == [24, 0]
    assert found.dropped == 12
    assert f"12 addresses of {HOST} beyond 16 are left out" in found.decisions


async def test_a_small_family_leaves_its_places_to_the_other(server: DnsServer) -> None:
    server.put(HOST, "A", *(f"192.0.2.{number}" for number in range(1, 3)))
    server.put(HOST, "AAAA", *(f"2001:db8::{number:x}" for number in range(1, 17)))
    found = await Resolver([server.address]).resolve(HOST, port=5060)
    assert len([one for one in found.addresses if ":" in one]) == 14
    assert len(found.addresses) == 16


async def test_srv_records_beyond_thirty_two_are_counted_and_the_best_are_kept(
    server: DnsServer,
) -> None:
    records = [f"{number} 1 5060 s{number}.example.com." for number in range(40)]
    server.put("_sip._udp.example.com", "SRV", *records)
    for number in range(40):
        server.put(f"s{number}.example.com", "A", f"192.0.2.{number}")
    found = await Resolver([server.address]).resolve(HOST, transport="udp")
    assert [target.name for target in found.targets] == [f"s{n}.example.com" for n in range(32)]
    assert found.trail[0].dropped == 8
    assert found.trail[0].transport == "tcp"


async def test_targets_beyond_sixty_four_are_counted(server: DnsServer) -> None:
    for prefix in ("_sip._udp", "_sip._tcp", "_sips._tcp"):
        records = [f"{number} 1 5060 s{number}.example.com." for number in range(32)]
        server.put(f"{prefix}.example.com", "SRV", *records)
    for number in range(32):
        server.put(f"s{number}.example.com", "A", f"192.0.2.{number}")
    found = await Resolver([server.address]).resolve(HOST)
    assert len(found.targets) == 64
    assert found.dropped == 32
    assert "no more than 64 targets are kept" in found.decisions


async def test_target_names_and_naptr_records_are_bounded(server: DnsServer) -> None:
    server.put(HOST, "NAPTR", *(f'1 {n} "s" "SIP+D2U" "" _sip._udp.d{n}.test.' for n in range(12)))
    for domain in range(12):
        records = [f"1 1 5060 s{number}.d{domain}.test." for number in range(8)]
        server.put(f"_sip._udp.d{domain}.test", "SRV", *records)
    found = await Resolver([server.address]).resolve(HOST)
    assert "4 NAPTR records beyond 8 are left out" in found.decisions
    assert "32 SRV target names beyond 32 are left out" in found.decisions
    assert found.dropped == 36
    assert len([asked for asked in server.asked if asked.rdtype == "A"]) == 32


async def test_a_name_with_no_room_for_srv_labels_still_resolves(server: DnsServer) -> None:
    host = ".".join(["a" * 60] * 4) + ".test"
    server.put(host, "A", "192.0.2.1")
    found = await Resolver([server.address]).resolve(host)
    assert found.addresses == ("192.0.2.1",)
    assert found.trail[1].detail == "the name is too long for the DNS"


async def test_an_oversized_answer_over_tcp_is_refused_unread(server: DnsServer) -> None:
    server.put(HOST, "A", *(f"10.0.{n >> 8}.{n & 255}" for n in range(1100)))
    patient = Resolver(
        [server.address], timeout=timedelta(seconds=20), lifetime=timedelta(seconds=60)
    )
    found = await patient.resolve(HOST, port=5060)
    assert found.trail[0].outcome is Outcome.MALFORMED
    assert f"longer than {MAX_ANSWER_BYTES} bytes" in found.trail[0].detail


async def test_cancelling_a_resolution_leaves_no_task_and_no_socket(server: DnsServer) -> None:
    for rdtype in ("NAPTR", "SRV", "A", "AAAA"):
        server.fail(ANY_NAME, rdtype, Fault.TRUNCATED_THEN_SILENCE)
    before = open_descriptors()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await Resolver([server.address]).survey(HOST)
    assert [asked.transport for asked in server.asked].count("tcp") == 6
    assert not [task for task in asyncio.all_tasks() if "look_up" in repr(task)]
    async with asyncio.timeout(2):
        # The server's ends of the connections close when it reads their end.
        while open_descriptors() > before:  # noqa: ASYNC110 - descriptors have no event
            await asyncio.sleep(0.01)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


NAME = dns.name.from_text("_sip._udp.example.com.")


def honest_answer(query: Query) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query.wire))
    for rdtype, text in (
        ("CNAME", "alias.example.com."),
        ("SRV", "10 20 5060 sip.example.com."),
        ("NAPTR", '10 20 "s" "SIP+D2U" "" _sip._udp.example.com.'),
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("TXT", '"other types are skipped"'),
    ):
        response.answer.append(dns.rrset.from_text(NAME, 60, "IN", rdtype, text))
    return response.to_wire()


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.one_of(st.none(), st.integers(12, 400)),
)
def test_a_mutated_answer_is_read_ignored_or_malformed(
    changes: list[tuple[int, int]], length: int | None
) -> None:
    query = Query.of(NAME, dns.rdatatype.SRV, edns=True)
    wire = bytearray(honest_answer(query))
    for position, value in changes:
        wire[position % len(wire)] = value
    try:
        read_answer(bytes(wire[:length]), query)
    except MalformedAnswer:
        return


@given(st.binary(max_size=300))
def test_random_bytes_behind_the_right_id_are_never_more_than_malformed(body: bytes) -> None:
    query = Query.of(NAME, dns.rdatatype.SRV, edns=True)
    try:
        read_answer(query.wire[:2] + b"\x80\x00" + body, query)
    except MalformedAnswer:
        return


def test_an_honest_answer_is_read_whole() -> None:
    query = Query.of(NAME, dns.rdatatype.SRV, edns=True)
    answer = read_answer(honest_answer(query), query)
    assert answer is not None
    assert len(answer.records) == 5
    assert all(record.owner == NAME and record.ttl == 60 for record in answer.records)


def test_an_answer_made_to_be_expensive_is_given_up_quickly() -> None:
    deep = b"\x01a" * 126 + b"\x00"
    query = Query.of(dns.name.from_wire(deep, 0)[0], dns.rdatatype.SRV, edns=False)
    body = b""
    count = 0
    while len(body) < MAX_ANSWER_BYTES - 400 and count < 250:
        rdata = struct.pack("!HHH", count, 0, 5060) + b"\x01b\xc0\x0e"
        body += b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 60, len(rdata)) + rdata
        count += 1
    question = deep + struct.pack("!HH", 33, 1)
    wire = query.wire[:2] + struct.pack("!HHHHH", 0x8400, 1, count, 0, 0) + question + body
    started = time.process_time()
    with pytest.raises(MalformedAnswer, match="labels"):
        read_answer(wire, query)
    assert time.process_time() - started < 0.25


def test_a_ttl_with_the_top_bit_set_counts_as_zero() -> None:
    query = Query.of(NAME, dns.rdatatype.A, edns=False)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 2**31, 4) + bytes([192, 0, 2, 1])
    wire = query.wire[:2] + struct.pack("!HHHHH", 0x8400, 1, 1, 0, 0) + query.wire[12:] + record
    answer = read_answer(wire, query)
    assert answer is not None
    assert [one.ttl for one in answer.records] == [0]
