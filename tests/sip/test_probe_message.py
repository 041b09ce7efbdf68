"""The OPTIONS of health checks is the one that is built in full; its quick reader never disagrees."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sip.build import options_request, response_to, with_received
from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.message import Request, Response, parse_message
from sip.probe_message import OptionsTemplate, QuickReply, branches_in, read_reply
from sip.uri import SipUri
from tests import fuzz_sip
from tests.sip import strategies as sip

EDITED = settings(sip.PARTS, max_examples=200)

BRANCH = "z9hG4bK0123456789abcdef"
REPLY = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:40000;branch=z9hG4bK0123456789abcdef;rport=40000\r\n"
    b"From: <sip:trunkline@192.0.2.10>;tag=0123456789abcdef\r\n"
    b"To: <sip:pbx.example.com>;tag=as5f3e\r\nCall-ID: 0123456789abcdef\r\nCSeq: 1 OPTIONS\r\n"
    b"Server: Asterisk PBX 18.9.0\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n"
    b"Supported: replaces, timer\r\nContact: <sip:203.0.113.5:5060>\r\n"
    b"Accept: application/sdp\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
)
READ = QuickReply(200, BRANCH, 1, "OPTIONS", 120)


def parsed(data: bytes) -> QuickReply | None:
    """What the parser reads of a response to a request of ours."""
    try:
        message = parse_message(data)
    except RemoteProtocolError:
        return None
    if not isinstance(message, Response) or len(message.vias) != 1 or not message.via.branch:
        return None
    waits = message.headers.get("Retry-After")
    digits = "" if waits is None else waits[: len(waits) - len(waits.lstrip("0123456789"))]
    return QuickReply(
        message.status,
        message.via.branch,
        message.cseq.number,
        message.cseq.method,
        int(digits.lstrip("0") or "0") if digits else None,
    )


def agrees(data: bytes) -> bool:
    """Check the one rule; whether the quick reader read the bytes."""
    quick = read_reply(data)
    assert quick is None or quick == parsed(data)
    return quick is not None


class TestTemplate:
    @EDITED
    @given(
        transport=st.sampled_from(["udp", "tcp", "tls"]),
        local=st.tuples(sip.hosts, st.integers(1, 65535)),
        target=st.tuples(sip.hosts, sip.ports),
        sender=sip.sip_uris(with_headers=False),
        token=sip.tokens,
    )
    def test_it_renders_what_is_built_in_full(
        self,
        transport: str,
        local: tuple[str, int],
        target: tuple[str, int | None],
        sender: SipUri,
        token: str,
    ) -> None:
        params = () if transport == "udp" else (("transport", transport),)
        uri = SipUri("sip", target[0], port=target[1], params=params)
        template = OptionsTemplate(
            transport=transport,
            via_host=local[0],
            via_port=local[1],
            from_uri=sender,
            user_agent="Probe/1",
        )
        whole = options_request(
            target_uri=uri,
            from_uri=sender,
            from_tag=token,
            call_id=token,
            branch=f"z9hG4bK{token}",
            cseq=1,
            via_transport=transport.upper(),
            via_host=local[0],
            via_port=local[1],
            contact=SipUri("sip", local[0], port=local[1], params=params),
            user_agent="Probe/1",
        )
        assert template.render(template.target(uri), token.encode()) == whole.serialize()

    @pytest.mark.parametrize(
        "host",
        ["a b", "", "pbx.example.com\r\nX: y", "user@pbx", "pbx;lr", "pbx:5070", "256.1.1.1"],
    )
    def test_a_domain_that_is_no_host_is_refused(self, host: str) -> None:
        with pytest.raises(LocalProtocolError):
            OptionsTemplate.target(SipUri("sip", host))

    def test_an_identity_that_would_break_out_of_its_line_is_refused(self) -> None:
        with pytest.raises(LocalProtocolError):
            OptionsTemplate(
                transport="udp",
                via_host="192.0.2.10",
                via_port=40_000,
                from_uri=SipUri("sip", "192.0.2.10"),
                user_agent="Probe/1\r\nX: y",
            )


class TestReader:
    def test_an_everyday_reply_is_read(self) -> None:
        assert read_reply(REPLY) == READ

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (b";branch=z9hG4bK0123456789abcdef;rport=40000", b";rport;branch=" + BRANCH.encode()),
            (b";rport=40000", b";rport=40000;received=192.0.2.10"),
            (b";rport=40000", b";received=192.0.2.10;rport=40000"),
            (b"192.0.2.10:40000;", b"sbc-1.example.com;"),
            (b"<sip:203.0.113.5:5060>", b'"PBX" <sip:asterisk@203.0.113.5;transport=udp>'),
            (b"Server: Asterisk PBX 18.9.0", b"X-Anything: at all"),
            (b"Server: Asterisk PBX 18.9.0", b"Date: Sat, 13 Nov 2010 23:29:00 GMT"),
            (b"Server: Asterisk PBX 18.9.0", b"Server: A\r\nServer: B"),
            (
                b"Server: A",
                b'WWW-Authenticate: Digest realm="a, b", nonce="c", qop=auth\r\nServer: A',
            ),
            (b"Server: A", b'Warning: 399 192.0.2.1:5060 "Too, busy"\r\nServer: A'),
            (b"Content-Length: 0\r\n\r\n", b"Content-Type: application/sdp\r\n\r\nv=0\r\n"),
            (b"Content-Length: 0\r\n\r\n", b"Content-Length: 3\r\n\r\nabc beyond"),
            (b"Content-Length: 0\r\n\r\n", b"\r\n\r\nVia: in the body\r\n"),
        ],
    )
    def test_what_peers_usually_write_is_read(self, one: bytes, other: bytes) -> None:
        reply = REPLY.replace(one, other, 1)
        assert reply != REPLY
        assert read_reply(reply) == READ == parsed(reply)

    @pytest.mark.parametrize(
        ("usual", "unusual"),
        [
            (b"Via:", b"v:"),
            (b"To:", b"TO:"),
            (b"To:", b"To :"),
            (b"\r\nCSeq: 1 OPTIONS", b"\r\nCSeq: 1\r\n OPTIONS"),
            (b";rport=40000", b";received=2001:db8::1;x=y"),
            (b"192.0.2.10:40000;", b"[2001:db8::1]:40000;"),
            (b"<sip:203.0.113.5:5060>", b"<sip:a.example>, <sip:b.example>"),
            (b"<sip:pbx.example.com>;tag=as5f3e", b"Bob Smith <sip:pbx.example.com>;tag=1;x"),
            (b"<sip:pbx.example.com>;tag=as5f3e", b"sip:pbx.example.com;tag=1"),
            (b"Server: Asterisk", "Server: Telefonanlage für Büros".encode()),
            (b"Retry-After: 120", b"Retry-After: 120 (busy);duration=60"),
            (b"SIP/2.0 200 OK", b"\r\nSIP/2.0 200 OK"),
        ],
    )
    def test_what_few_write_is_left_to_the_parser(self, usual: bytes, unusual: bytes) -> None:
        reply = REPLY.replace(usual, unusual, 1)
        assert reply != REPLY
        assert read_reply(reply) is None
        assert parsed(reply) == READ

    @pytest.mark.parametrize(
        ("good", "bad"),
        [
            (b"SIP/2.0 200", b"SIP/2.0 099"),
            (b"SIP/2.0 200 OK", b"SIP/2.0 200"),
            (b";rport=40000", b";rport=40000;rport=40000"),
            (b";rport=40000", b";rport=400000"),
            (b";rport=40000", b";received=256.1.1.1"),
            (b"192.0.2.10:40000;", b"192.0.2.256:40000;"),
            (b"192.0.2.10:40000;", b"192.0.2.10:99999;"),
            (b"CSeq: 1 OPTIONS", b"CSeq: 1"),
            (b"Allow: INVITE,", b"Allow: INVITE @,"),
            (b"Supported: replaces", b"Supported"),
            (b"Supported:", b"Sup ported:"),
            (b"Retry-After: 120", b"Retry-After: soon"),
            (b"Server: Asterisk", b"Call-ID: 0123456789abcdef\r\nServer: Asterisk"),
            (b"Server: Asterisk", b"Server: Aster\0isk"),
            (b"Contact: <sip:203.0.113.5:5060>", b"Contact: <sip:203.0.113.5:5060"),
            (b"Content-Length: 0", b"Content-Length: 1"),
            (b"<sip:pbx.example.com>;tag=as5f3e", b"<sip:pbx..example.com>;tag=as5f3e"),
            (b"<sip:pbx.example.com>;tag=as5f3e", b"<sip:pbx.example.com>;tag="),
            (b"<sip:pbx.example.com>", b"<sip:%s.example.com>" % (b"a" * 300)),
        ],
    )
    def test_what_is_no_sip_is_not_read(self, good: bytes, bad: bytes) -> None:
        reply = REPLY.replace(good, bad, 1)
        assert reply != REPLY
        assert read_reply(reply) is None
        assert parsed(reply) is None

    def test_a_response_that_went_astray_is_not_read(self) -> None:
        other = b"Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKother\r\n"
        assert read_reply(REPLY.replace(b"Via:", other + b"Via:", 1)) is None
        joined = b", SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKother\r\nFrom:"
        assert read_reply(REPLY.replace(b"\r\nFrom:", joined, 1)) is None

    @sip.WHOLE_MESSAGES
    @given(sip.responses(), st.data())
    def test_it_agrees_with_the_parser_on_every_response(
        self, response: Response, data: st.DataObject
    ) -> None:
        agrees(response.serialize())
        agrees(data.draw(sip.spelled_differently(response)))

    @EDITED
    @given(
        sip.host_names.map(lambda name: name.replace("_", "a")),
        st.integers(1, 65_535),
        st.text(string.ascii_letters + string.digits, min_size=1, max_size=40),
        st.integers(100, 699),
        st.booleans(),
    )
    def test_it_reads_the_answer_to_any_probe(
        self, host: str, port: int, token: str, status: int, to_name: bool
    ) -> None:
        template = OptionsTemplate(
            transport="udp",
            via_host="192.0.2.10",
            via_port=port,
            from_uri=SipUri("sip", "192.0.2.10", "trunkline"),
            user_agent="Probe/1",
        )
        target = template.target(SipUri("sip", host if to_name else "192.0.2.1", port=port))
        request = parse_message(template.render(target, token.encode()))
        assert isinstance(request, Request)
        stamped = with_received(request, "198.51.100.7", port)
        reply = response_to(stamped, status, to_tag=token).serialize()
        assert read_reply(reply) == QuickReply(status, f"z9hG4bK{token}", 1, "OPTIONS", None)
        assert agrees(reply)

    @EDITED
    @given(
        st.lists(
            st.tuples(
                st.integers(0, len(REPLY)),
                st.integers(0, 12),
                st.sampled_from(fuzz_sip.TOKENS) | st.binary(max_size=3) | st.just(b""),
            ),
            min_size=1,
            max_size=3,
        )
    )
    @example([(0, 0, b"")])
    def test_it_agrees_with_the_parser_on_mutated_replies(
        self, edits: list[tuple[int, int, bytes]]
    ) -> None:
        data = REPLY
        for at, length, text in edits:
            data = data[:at] + text + data[at + length :]
        agrees(data)

    def test_it_agrees_with_the_parser_on_the_fuzzed_corpora(self) -> None:
        accepted = sum(agrees(data) for data in fuzz_sip.mutations(3_000, 5060))
        assert accepted > 3

    @EDITED
    @given(st.binary(max_size=200))
    def test_any_bytes_are_survived(self, data: bytes) -> None:
        agrees(data)
        agrees(b"SIP/2.0 200 OK\r\n" + data)
        branches_in(data)

    @pytest.mark.parametrize(
        "line",
        [
            b"Server: " + b"a" * 9000,
            b'To: "' + b"a" * 8000,
            b"To: <sip:" + b"a." * 4000,
            b"To: <sip:" + b"a-" * 4000,
            b"Via: SIP/2.0/UDP a;branch=" + b"a" * 8000,
            b"WWW-Authenticate: Digest " + b'a="b", ' * 1100,
        ],
    )
    def test_a_line_made_to_last_takes_no_time(self, line: bytes) -> None:
        reply = REPLY.replace(b"Server: Asterisk PBX 18.9.0", line)
        begun = time.process_time()
        for _ in range(20):
            assert read_reply(reply) is None
        # Microseconds each; what would backtrack takes more than all time there is.
        assert time.process_time() - begun < 5


def test_branches_are_found_in_whatever_shape() -> None:
    assert branches_in(b"branch = z9hG4bKa1;z9hG4bKb2\r\n") == ("z9hG4bKa1", "z9hG4bKb2")
    assert branches_in(b"no z9hG4bK here") == ()
    assert len(branches_in(b"z9hG4bKx " * 100)) == 4
