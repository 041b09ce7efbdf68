"""Each peer as plain sockets see it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lab import Lab
from sip.message import Response
from tests.lab.client import ask_stream, ask_udp, exchange_udp, request

pytestmark = pytest.mark.usefixtures("loop_errors")


async def options(lab: Lab, name: str, *lines: str, target: str | None = None) -> Response:
    peer = lab.peers[name]
    return await ask_udp(peer.address, request(target or peer.uri, *lines))


class TestSystems:
    @pytest.mark.parametrize(
        ("name", "field", "banner"),
        [
            ("asterisk", "Server", "Asterisk PBX 20.9.2"),
            ("freeswitch", "User-Agent", "FreeSWITCH-mod_sofia/1.10.7-release~64bit"),
            ("kamailio", "Server", "kamailio (5.7.2 (x86_64/linux))"),
            ("opensips", "Server", "OpenSIPS (3.2.14 (x86_64/linux))"),
            ("3cx", "User-Agent", "3CXPhoneSystem 14.0.44198.522 (44097)"),
            ("cisco", "Server", "Cisco-SIPGateway/IOS-16.6.1"),
            ("twilio", "Server", "Twilio Gateway"),
            ("renamed", "Server", "ACME Voice 7"),
        ],
    )
    async def test_it_shows_its_banner_over_udp_and_tcp(
        self, lab: Lab, name: str, field: str, banner: str
    ) -> None:
        peer = lab.peers[name]
        for answer in (
            await ask_udp(peer.address, request(peer.uri)),
            await ask_stream(peer.address, request(peer.uri, transport="TCP")),
        ):
            assert (answer.status, answer.headers.get(field)) == (200, banner)
            assert answer.to.tag

    async def test_a_shy_one_names_itself_nowhere(self, lab: Lab) -> None:
        answer = await options(lab, "shy")
        assert answer.status == 200
        assert {"Server", "User-Agent", "Organization", "Supported"}.isdisjoint(
            name for name, _ in answer.headers
        )

    async def test_a_renamed_asterisk_keeps_its_header_fields(self, lab: Lab) -> None:
        renamed, asterisk = await options(lab, "renamed"), await options(lab, "asterisk")
        for name in ("Allow", "Supported", "Accept"):
            assert renamed.headers.get(name) == asterisk.headers.get(name)

    @pytest.mark.parametrize(
        ("name", "codecs"),
        [("asterisk", "0 8 9 101"), ("cisco", "18 0 8 4 2 15 3")],
    )
    async def test_it_describes_its_codecs_with_its_own_address(
        self, lab: Lab, name: str, codecs: str
    ) -> None:
        answer = await options(lab, name)
        assert answer.content_type == "application/sdp"
        assert f"m=audio 0 RTP/AVP {codecs}\r\n" in answer.text_body
        assert f"c=IN IP4 {lab.peers[name].address}\r\n" in answer.text_body

    @pytest.mark.parametrize("name", ["kamailio", "opensips"])
    async def test_a_proxy_knows_nobody_behind_the_user_part(self, lab: Lab, name: str) -> None:
        address = lab.peers[name].address
        assert (await options(lab, name, target=f"sip:alice@{address}")).status == 404
        assert (await options(lab, name)).status == 200

    async def test_a_tag_is_new_for_every_request(self, lab: Lab) -> None:
        tags = {(await options(lab, "kamailio")).to.tag for _ in range(3)}
        assert len(tags) == 3

    async def test_via_says_where_the_request_came_from(self, lab: Lab) -> None:
        peer = lab.peers["asterisk"]
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.bind(("127.0.0.1", 0))
            await loop.sock_sendto(sock, request(peer.uri), (peer.address, 5060))
            data, _ = await asyncio.wait_for(loop.sock_recvfrom(sock, 4096), 5)
            assert f";received=127.0.0.1;rport={sock.getsockname()[1]}".encode() in data


class TestRequestsThatAreRefused:
    @pytest.mark.parametrize("method", ["REGISTER", "INFO", "MESSAGE"])
    async def test_a_method_it_does_not_answer_is_405_with_those_it_does(
        self, lab: Lab, method: str
    ) -> None:
        peer = lab.peers["asterisk"]
        answer = await ask_udp(peer.address, request(peer.uri, method=method))
        allowed = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "PRACK", "UPDATE")
        assert (answer.status, answer.tokens("Allow")) == (405, allowed)
        assert answer.headers.get("Server") == "Asterisk PBX 20.9.2"

    async def test_a_method_that_nobody_knows_is_501(self, lab: Lab) -> None:
        peer = lab.peers["asterisk"]
        assert (await ask_udp(peer.address, request(peer.uri, method="DANCE"))).status == 501

    async def test_a_cancel_for_nothing_is_481(self, lab: Lab) -> None:
        peer = lab.peers["asterisk"]
        assert (await ask_udp(peer.address, request(peer.uri, method="CANCEL"))).status == 481

    async def test_another_uri_scheme_is_416(self, lab: Lab) -> None:
        assert (await options(lab, "asterisk", target="tel:+15551234567")).status == 416

    async def test_a_required_extension_is_420(self, lab: Lab) -> None:
        answer = await options(lab, "asterisk", "Require: 100rel, teleport")
        assert (answer.status, answer.headers.get("Unsupported")) == (420, "teleport")

    @pytest.mark.parametrize("transport", ["UDP", "TCP"])
    async def test_a_malformed_request_is_400(self, lab: Lab, transport: str) -> None:
        peer = lab.peers["asterisk"]
        data = request(peer.uri, transport=transport).replace(b"CSeq: 1 OPTIONS", b"CSeq: one")
        if transport == "UDP":
            answer = (await exchange_udp(peer.address, 5060, data))[0]
        else:
            reader, writer = await asyncio.open_connection(peer.address, 5060)
            writer.write(data)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            writer.close()
            await writer.wait_closed()
        assert answer.startswith(b"SIP/2.0 400 Bad CSeq\r\n")
        assert b"\r\nServer: Asterisk PBX 20.9.2\r\n" in answer


class TestWalls:
    @pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "REGISTER", "DANCE"])
    async def test_forbidden_answers_everything_with_403(self, lab: Lab, method: str) -> None:
        peer = lab.peers["forbidden"]
        assert (await ask_udp(peer.address, request(peer.uri, method=method))).status == 403

    @pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
    async def test_maintenance_says_when_to_come_back(self, lab: Lab, method: str) -> None:
        peer = lab.peers["maintenance"]
        answer = await ask_udp(peer.address, request(peer.uri, method=method))
        assert (answer.status, answer.headers.get("Retry-After")) == (503, "120")

    async def test_the_ack_of_a_refused_invite_ends_the_repetition(self, lab: Lab) -> None:
        peer = lab.peers["forbidden"]
        loop = asyncio.get_running_loop()
        branch = "z9hG4bKackedinvite"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.bind(("127.0.0.1", 0))
            there = (peer.address, 5060)
            await loop.sock_sendto(sock, request(peer.uri, method="INVITE", branch=branch), there)
            for _ in range(2):
                data = await asyncio.wait_for(loop.sock_recv(sock, 4096), 5)
                assert data.startswith(b"SIP/2.0 403")
            await loop.sock_sendto(sock, request(peer.uri, method="ACK", branch=branch), there)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(sock, 4096), 1.5)
