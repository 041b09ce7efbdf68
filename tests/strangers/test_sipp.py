"""The prober against a SIPp that answers, and a SIPp that calls against our own server side."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lab.behaviour import Behaviour, Port, Transport
from lab.certificates import Authority
from lab.identities import LAB
from lab.peer import LabPeer
from sip.message import parse_message
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.wire import Direction, WireRecord
from tests.strangers.conftest import OpenProber
from tests.support.loopback import LoopbackBlock
from tests.support.sipp import Scenario, run_sipp_uac, run_sipp_uas

pytestmark = pytest.mark.peer

over_udp_and_tcp = pytest.mark.parametrize("transport", ["udp", "tcp"])

CALLS = 200


def target(address: str, transport: str) -> ProbeTarget:
    return ProbeTarget(address=address, port=5060, transport=transport, host=address)


@over_udp_and_tcp
async def test_an_answer_with_a_session_description_is_read_whole(
    loopback: LoopbackBlock, open_prober: OpenProber, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    async with (
        run_sipp_uas(Scenario.WITH_SDP, transport, address, tmp_path),
        open_prober() as prober,
    ):
        report = await prober.probe(target(address, transport))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.response is not None
    assert report.response.status == 200
    assert report.response.tokens("Allow") == ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS")
    assert report.response.content_type == "application/sdp"
    assert "a=rtpmap:8 PCMA/8000\r\n" in report.response.text_body


@over_udp_and_tcp
async def test_a_refusal_counts_as_an_answer(
    loopback: LoopbackBlock, open_prober: OpenProber, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    async with (
        run_sipp_uas(Scenario.UNAVAILABLE, transport, address, tmp_path),
        open_prober() as prober,
    ):
        report = await prober.probe(target(address, transport))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.response is not None
    assert report.response.status == 503
    assert report.response.headers.get("Retry-After") == "7"


@over_udp_and_tcp
async def test_a_late_answer_is_awaited_and_only_udp_repeats_the_request(
    loopback: LoopbackBlock, open_prober: OpenProber, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    records: list[WireRecord] = []
    async with (
        run_sipp_uas(Scenario.SLOW, transport, address, tmp_path),
        open_prober(tap=records.append) as prober,
    ):
        report = await prober.probe(target(address, transport))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.response_time_ms is not None
    assert 1150 < report.response_time_ms < 2000
    sent = [each for each in records if each.direction is Direction.OUT]
    # Timer E fires after 0.5 s, and 1 s later the answer is there (RFC 3261 section 17.1.2.2).
    assert [each.retransmission for each in sent] == (
        [False, True] if transport == "udp" else [False]
    )
    assert len({each.data for each in sent}) == 1


@over_udp_and_tcp
async def test_a_second_copy_of_an_answer_disturbs_nothing(
    loopback: LoopbackBlock, open_prober: OpenProber, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    # SIPp ends when a connection is closed while its second copy is under way.
    times = 3 if transport == "udp" else 1
    records: list[WireRecord] = []
    async with (
        run_sipp_uas(Scenario.TWICE, transport, address, tmp_path),
        open_prober(tap=records.append) as prober,
    ):
        reports = [await prober.probe(target(address, transport)) for _ in range(times)]
        await asyncio.sleep(0.1)
    assert [report.outcome for report in reports] == [ProbeOutcome.ANSWERED] * times
    call_ids = [report.response.call_id for report in reports if report.response is not None]
    assert len(set(call_ids)) == times
    if transport == "udp":
        arrived = [
            parse_message(each.data).call_id for each in records if each.direction is Direction.IN
        ]
        assert sorted(arrived) == sorted(call_ids * 2)


@over_udp_and_tcp
async def test_sipp_counts_every_call_to_our_server_side_as_a_success(
    loopback: LoopbackBlock, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    behaviour = Behaviour(
        ports=(Port(Transport.UDP, 5060), Port(Transport.TCP, 5060)), identity=LAB
    )
    peer = LabPeer("counted", address, behaviour, Authority.open(tmp_path / "certificates"))
    await peer.start()
    try:
        counted = await run_sipp_uac(
            transport,
            source=loopback.address(),
            target=(address, 5060),
            folder=tmp_path,
            calls=CALLS,
            per_second=CALLS,
        )
    finally:
        await peer.close()
    assert (counted.successful, counted.failed) == (CALLS, 0)
