"""What we send, judged by Wireshark's dissector on what a capture of the wire holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.message import Request, parse_message
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.wire import Direction, WireRecord
from tests.strangers.conftest import Kamailios, OpenProber
from tests.support.programs import require_program
from tests.support.tshark import capturing, dissected, found

pytestmark = pytest.mark.peer


async def test_wireshark_reads_our_probe_as_we_meant_it(
    kamailios: Kamailios, open_prober: OpenProber, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    kamailio, file = kamailios.open, tmp_path / "probe.pcapng"
    records: list[WireRecord] = []
    asked = ProbeTarget(kamailio.address, 5060, "udp", kamailio.domain)
    async with (
        capturing(tshark, kamailio.address, file),
        open_prober(tap=records.append) as prober,
    ):
        report = await prober.probe(asked)
        assert report.outcome is ProbeOutcome.ANSWERED
    sent = parse_message(next(each for each in records if each.direction is Direction.OUT).data)
    assert isinstance(sent, Request)

    request, response = await dissected(tshark, file)
    for packet in (request, response):
        assert found(packet, "_ws.expert") == []
        assert found(packet, "_ws.malformed") == []
        assert found(packet, "sip.Via.branch") == [sent.via.branch]
        assert found(packet, "sip.CSeq.seq") == [str(sent.cseq.number)]
        assert found(packet, "sip.CSeq.method") == ["OPTIONS"]
        assert found(packet, "sip.Call-ID") == [sent.call_id]
        assert found(packet, "sip.from.tag") == [sent.from_.tag]
    assert found(request, "sip.Method") == ["OPTIONS"]
    assert found(request, "sip.r-uri.host") == [kamailio.domain]
    assert found(request, "sip.r-uri.user") == []
    assert found(request, "sip.Via.sent-by.address") == [sent.via.host]
    assert found(request, "sip.Via.sent-by.port") == [str(sent.via.port)]
    assert found(response, "sip.Status-Code") == ["200"]
    assert found(response, "sip.Via.rport") == [str(sent.via.port)]
