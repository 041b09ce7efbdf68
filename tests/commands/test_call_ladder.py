"""The ladder in the terminal, as characters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from commands.call_ladder import ASCII, LINES, Glyphs, TerminalLadder
from domain.trace import TraceReader
from sip.capture import CapturedMessage, WireDirection
from sip.media_verdict import Heard, MediaFlow
from tests.domain import calls

START = datetime(2026, 3, 9, 12, tzinfo=UTC)
US = ("192.0.2.1", 40000)
PEER = ("198.51.100.7", 5060)
BACKUP = ("198.51.100.8", 5060)
PHONE = ("203.0.113.9", 30000)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 10000 RTP/AVP 0\r\n"
)

MEDIA = replace(
    calls.MEDIA,
    packets_out=50,
    packets_in=48,
    packets_expected=50,
    packets_lost=2,
    loss_percent=4.0,
    jitter_ms=1.25,
    expected_source=PHONE,
    source=PHONE,
    sent_to=PHONE,
)


def message(
    after_ms: int,
    start: str,
    cseq: str,
    *,
    peer: tuple[str, int] = PEER,
    server: str | None = None,
    sdp: str = "",
) -> CapturedMessage:
    """One of ours, or one of the peer's if ``server`` sent it."""
    head = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bKladder",
        "From: <sip:us@192.0.2.1>;tag=us",
        f"To: <sip:phone@{peer[0]}>;tag=phone",
        "Call-ID: ladder",
        f"CSeq: {cseq}",
    ]
    if server:
        head.append(f"Server: {server}")
    if sdp:
        head.append("Content-Type: application/sdp")
    head.append(f"Content-Length: {len(sdp)}")
    return CapturedMessage(
        at=START + timedelta(milliseconds=after_ms),
        direction=WireDirection.OUT if server is None else WireDirection.IN,
        transport="UDP",
        local=US,
        remote=peer,
        data="\r\n".join([*head, "", sdp]).encode(),
    )


INVITE = message(0, "INVITE sip:phone@198.51.100.7 SIP/2.0", "1 INVITE", sdp=SDP)
RINGING = message(20, "SIP/2.0 180 Ringing", "1 INVITE", server="PBX")
ANSWER = message(900, "SIP/2.0 200 OK", "1 INVITE", server="PBX", sdp=SDP)
ACK = message(901, "ACK sip:phone@203.0.113.9 SIP/2.0", "1 ACK")
BYE = message(3901, "BYE sip:phone@203.0.113.9 SIP/2.0", "2 BYE")
GONE = message(3910, "SIP/2.0 200 OK", "2 BYE", server="PBX")


def ladder(*messages: CapturedMessage, glyphs: Glyphs = ASCII) -> TerminalLadder:
    drawn, reader = TerminalLadder(glyphs), TraceReader()
    for each in messages:
        drawn.add(reader.read(each))
    return drawn


def drawn(*messages: CapturedMessage, width: int = 100, glyphs: Glyphs = ASCII) -> list[str]:
    return [line.plain.rstrip() for line in ladder(*messages, glyphs=glyphs).lines(width)]


def test_each_message_is_an_arrow_the_way_it_went() -> None:
    head, software, invite, ringing = drawn(INVITE, RINGING, width=60)
    assert head.split() == ["192.0.2.1", "198.51.100.7"]
    assert software.split() == ["PBX"]
    assert invite.startswith("    0.000        |---")
    assert "- INVITE [SDP PCMU] -" in invite
    assert "->|" in invite
    assert ringing.startswith("    0.020        |<...")
    assert ". 180 Ringing ." in ringing
    assert ">" not in ringing


def test_lifelines_stand_in_the_same_columns_in_every_line() -> None:
    lines = drawn(INVITE, RINGING, ANSWER, ACK, BYE, GONE, glyphs=LINES)[2:]
    places = {
        tuple(index for index, character in enumerate(line) if character == "│") for line in lines
    }
    assert len(places) == 1


def test_a_repeated_message_is_counted_where_it_stood_first() -> None:
    again = [replace(INVITE, at=START + timedelta(milliseconds=each)) for each in (500, 1500)]
    lines = drawn(INVITE, *again, RINGING)
    assert len(lines) == 2 + 2
    assert "  x3" in lines[2]


def test_another_target_gets_a_lifeline_of_its_own() -> None:
    refused = message(5, "SIP/2.0 503 Service Unavailable", "1 INVITE", server="PBX")
    second = message(8, "INVITE sip:phone@198.51.100.8 SIP/2.0", "1 INVITE", peer=BACKUP, sdp=SDP)
    head, _, first, _, crossing = drawn(INVITE, refused, second)
    assert head.split() == ["192.0.2.1", "198.51.100.7", "198.51.100.8"]
    assert first.count("|") == 3
    # The arrow to the second target crosses the lifeline of the first.
    assert crossing.count("|") == 2
    assert crossing.rindex("|") == first.rindex("|")


def test_media_stands_before_the_bye_and_names_a_host_that_has_no_lifeline() -> None:
    whole = ladder(INVITE, ANSWER, ACK, BYE, GONE)
    whole.media = MEDIA
    lines = [line.plain for line in whole.lines(120)]
    (media,) = (line for line in lines if "RTP" in line)
    assert lines.index(media) == next(n for n, line in enumerate(lines) if "BYE" in line) - 1
    assert "RTP PCMU 50 out 48 in 203.0.113.9" in media
    assert "|<=" in media
    assert "=>|" in media
    assert "audio, 4.0 % lost, jitter 1.2 ms, DTMF 1 out" in media


def test_one_way_media_is_an_arrow_one_way() -> None:
    whole = ladder(INVITE, ANSWER, ACK)
    whole.media = replace(MEDIA, flow=MediaFlow.OUT_ONLY, heard=Heard.NOTHING, source=None)
    media = whole.lines(120)[-1].plain
    assert "=>|" in media
    assert "|<" not in media


def test_nothing_is_wider_than_the_terminal() -> None:
    for width in (40, 60, 80, 200):
        whole = ladder(INVITE, RINGING, ANSWER, ACK, BYE, GONE, glyphs=LINES)
        whole.media = MEDIA
        assert max(line.cell_len for line in whole.lines(width)) <= width


def test_control_characters_of_a_peer_do_not_reach_the_terminal() -> None:
    evil = message(5, "SIP/2.0 486 Busy\x1b[2J\x07", "1 INVITE", server="\x1b]0;owned\x07PBX")
    for line in ladder(INVITE, evil).lines(100):
        assert line.plain.isprintable()


def test_before_the_first_message_there_is_nothing_to_draw() -> None:
    assert TerminalLadder().lines(80) == []
