"""A call as Wireshark sees it on the wire: SIP without a fault, RTP in time and in order."""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path

import pytest

from tests.strangers.calls import Watcher, called, plan_for
from tests.support.loopback import LoopbackBlock
from tests.support.programs import require_program
from tests.support.sipp_calls import MEDIA_PORT, CallScript, run_sipp_callee
from tests.support.tshark import capturing, dissected, fields_of, found

pytestmark = pytest.mark.peer

RTP_FIELDS = (
    "frame.time_epoch",
    "rtp.ssrc",
    "rtp.seq",
    "rtp.timestamp",
    "rtp.p_type",
    "rtp.marker",
    "rtpevent.event_id",
    "rtpevent.duration",
    "rtpevent.end_of_event",
)
TALK_SECONDS = 2.0


async def test_wireshark_finds_no_fault_in_a_whole_call(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    address, file = loopback.address(), tmp_path / "call.pcapng"
    watcher = Watcher()
    async with (
        run_sipp_callee(CallScript.ANSWERS, "udp", address, tmp_path) as sipp,
        capturing(tshark, address, file),
    ):
        await called(plan_for(address, talk_seconds=TALK_SECONDS, digit="5"), watcher)
        await sipp.finished()

    packets = await dissected(tshark, file)
    assert len(packets) == len(watcher.records)
    ours = [each for each in packets if found(each, "ip.dst") == [address]]
    assert [found(each, "sip.Method")[0] for each in ours] == ["INVITE", "ACK", "BYE"]
    for packet in ours:
        assert found(packet, "_ws.malformed") == []
        assert found(packet, "_ws.expert") == []
        assert found(packet, "sip.Call-ID")
    invite = ours[0]
    assert found(invite, "sdp.media")
    assert found(invite, "sdp.connection_info.address") == ["127.0.0.1"]
    assert len({tuple(found(each, "sip.Call-ID")) for each in packets}) == 1

    rtp = [
        dict(zip(RTP_FIELDS, row, strict=True))
        for row in await fields_of(
            tshark,
            file,
            RTP_FIELDS,
            *("-d", f"udp.port=={MEDIA_PORT},rtp", "-d", "rtp.pt==101,rtpevent"),
            *("-Y", f"rtp && ip.dst=={address}"),
        )
    ]
    assert len({each["rtp.ssrc"] for each in rtp}) == 1
    numbers = [int(each["rtp.seq"]) for each in rtp]
    assert [(after - before) % 65536 for before, after in itertools.pairwise(numbers)] == [1] * (
        len(numbers) - 1
    )
    # RFC 3550 5.1 and RFC 4733 2.5.1.2: audio advances by its samples, an event keeps its beginning.
    audio = [each for each in rtp if each["rtp.p_type"] == "0"]
    events = [each for each in rtp if each["rtp.p_type"] == "101"]
    assert len(audio) + len(events) == len(rtp)
    assert len(rtp) >= TALK_SECONDS / 0.02 * 0.9
    assert audio[0]["rtp.marker"] in ("1", "True")
    assert {each["rtpevent.event_id"] for each in events} == {"5"}
    assert len({each["rtp.timestamp"] for each in events}) == 1
    ended = [each for each in events if each["rtpevent.end_of_event"] in ("1", "True")]
    assert len(ended) == 3
    assert events[-3:] == ended
    durations = [int(each["rtpevent.duration"]) for each in events]
    assert durations == sorted(durations)

    moments = [float(each["frame.time_epoch"]) for each in audio]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert 0.019 < statistics.median(gaps) < 0.021
