"""Our capture files, dissected by Wireshark as it is installed: no option says what is SIP in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sip.capture import CapturedMessage
from sip.message import Response, parse_message
from sip.pcap import LinkType, pcap_of
from tests.domain.traces import KEY, Way, challenged_call, request, sdp
from tests.support.programs import require_program
from tests.support.tshark import fields_of

pytestmark = pytest.mark.peer

V4 = Way()
V6 = Way(local=("2001:db8::10", 40404), remote=("2001:db8::5", 5060))
# Severities of Wireshark's expert information: chat, note, warning, error. A handshake is chat.
WARNING = 0x600000
CHECKSUMS = [
    option for layer in ("ip", "udp", "tcp") for option in ("-o", f"{layer}.check_checksum:TRUE")
]

WAYS = {
    "UDP": V4,
    "UDP, IPv6": V6,
    "UDP on 5080": replace(V4, remote=("203.0.113.5", 5080)),
    "UDP on mDNS's port": replace(V4, remote=("203.0.113.5", 5353)),
    "UDP, IPv6, high ports": Way(local=("2001:db8::10", 47808), remote=("2001:db8::5", 51820)),
    "TCP": replace(V4, transport="TCP"),
    "TCP, IPv6": replace(V6, transport="TCP"),
    "TCP on X11's port": Way(transport="TCP", remote=("203.0.113.5", 6060)),
    "TLS": Way(transport="TLS", remote=("203.0.113.5", 5061)),
    "TLS, IPv6": replace(V6, transport="TLS", remote=("2001:db8::5", 5061)),
    "TLS on 443": Way(transport="TLS", remote=("203.0.113.5", 443)),
}


@dataclass(frozen=True)
class Dissected:
    """One packet as Wireshark understood it; empty text for what it has not."""

    protocols: str
    malformed: str
    severities: str
    at: str
    ipv4: str
    ipv6: str
    method: str
    status: str
    call_id: str
    cseq_method: str
    stream: str

    @property
    def is_sip(self) -> bool:
        return "sip" in self.protocols.split(":")


FIELDS = (
    *("frame.protocols", "_ws.malformed", "_ws.expert.severity", "frame.time_epoch"),
    *("ip.src", "ipv6.src", "sip.Method", "sip.Status-Code", "sip.Call-ID", "sip.CSeq.method"),
    "tcp.stream",
)


def written(folder: Path, messages: list[CapturedMessage], link: LinkType | None = None) -> Path:
    file = folder / "call.pcap"
    file.write_bytes(pcap_of([message.masked() for message in messages], link=link))
    return file


async def dissected(file: Path) -> list[Dissected]:
    """Every packet of the file, none with a flaw."""
    tshark = require_program("tshark", "tshark")
    packets = [Dissected(*fields) for fields in await fields_of(tshark, file, FIELDS, *CHECKSUMS)]
    for packet in packets:
        assert packet.malformed == ""
        severities = [int(each) for each in packet.severities.split(",") if each]
        assert [each for each in severities if each >= WARNING] == [], packet
    return packets


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_message_of_a_call_is_shown_as_sip(way: Way, tmp_path: Path) -> None:
    messages = challenged_call(way)

    packets = await dissected(written(tmp_path, messages))

    sip = [packet for packet in packets if packet.is_sip]
    assert len(sip) == len(messages)
    for message, packet in zip(messages, sip, strict=True):
        sent = parse_message(message.data)
        assert packet.call_id == sent.call_id
        assert packet.cseq_method == sent.cseq.method
        if isinstance(sent, Response):
            assert packet.status == str(sent.status)
        else:
            assert packet.method == sent.method
        assert packet.protocols.endswith(":sdp") == bool(sent.body)
        assert packet.at == f"{message.at.timestamp():.6f}000"
        assert packet.ipv4 + packet.ipv6 == message.source[0]


async def test_the_media_keys_of_a_secure_call_are_dissected_as_zeros(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, challenged_call(WAYS["TLS"]))

    await dissected(file)

    tshark = require_program("tshark", "tshark")
    wanted = ("sdp.crypto.crypto_suite", "sdp.crypto.master_key")
    assert (
        await fields_of(tshark, file, wanted, "-Y", "sdp.crypto.tag")
        == [("AES_CM_128_HMAC_SHA1_80", "00" * 16)] * 3
    )
    assert KEY.encode() not in file.read_bytes()


async def test_a_call_over_tls_that_is_asked_for_as_packets_is_one_clean_stream(
    tmp_path: Path,
) -> None:
    messages = challenged_call(Way(transport="TLS", remote=("203.0.113.5", 5080)))

    packets = await dissected(written(tmp_path, messages, LinkType.IP))

    assert {packet.stream for packet in packets} == {"0"}
    assert len([packet for packet in packets if packet.is_sip]) == len(messages)


async def test_a_message_of_several_segments_is_put_together(tmp_path: Path) -> None:
    long = "".join(f"a=x-{number}:{'y' * 200}\r\n" for number in range(300))
    headers = [f"X-Long: {'z' * 8_000}"]
    data = request("INVITE", body=sdp(extra=long), headers=headers)
    way = WAYS["TCP"]

    packets = await dissected(
        written(tmp_path, [way.sent(0, data), way.sent(1, request("BYE", cseq=2))])
    )

    assert len(data) > 65_535
    assert [packet.method for packet in packets if packet.is_sip] == ["INVITE", "BYE"]
