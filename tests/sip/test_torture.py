"""The well-formed messages of RFC 4475 section 3.1.1: each field the RFC talks about comes out right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sip.headers import CSeq, parse_addresses, split_commas
from sip.message import parse_message
from sip.uas import refusal_of
from sip.uri import SipUri, parse_uri
from tests.sip.corpora import CORPORA, expectations, raw, request, response


def test_both_corpora_are_complete() -> None:
    for corpus, count in (("rfc4475", 49), ("rfc5118", 12)):
        listed = [expected.file for expected in expectations(corpus)]
        assert len(listed) == count
        assert sorted(listed) == sorted(path.name for path in (CORPORA / corpus).glob("*.dat"))


def _uri(text: object) -> SipUri:
    assert isinstance(text, SipUri)
    return text


def wsinv() -> None:
    message = request("wsinv.dat")
    assert message.method == "INVITE"
    assert message.uri == SipUri(
        "sip", "chair-dnrc.example.com", "vivekg", params=(("unknownparam", None),)
    )
    assert str(message.to.uri) == "sip:vivekg@chair-dnrc.example.com"
    assert message.to.tag == "1918181833n"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert message.max_forwards == 68
    assert message.call_id == "wsinv.ndaksdj@192.0.2.1"
    assert message.cseq == CSeq(9, "INVITE")
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert not message.via.has_rfc3261_branch
    assert message.headers.get("Subject") == ""
    assert message.headers.get("newfangledheader") == (
        "newfangled value continued newfangled value"
    )
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    (route,) = parse_addresses(message.headers.get("Route") or "")
    assert _uri(route.uri).host == "services.example.com"
    assert _uri(route.uri).params == (
        ("lr", None),
        ("unknownwith", "value"),
        ("unknown-no-value", None),
    )
    (contact,) = message.contacts
    assert contact.display_name == 'Quoted string ""'
    assert str(contact.uri) == "sip:jdrosen@example.com"
    assert contact.params == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))
    assert len(message.body) == 150
    assert message.text_body.startswith("v=0\r\n")


def intmeth() -> None:
    message = request("intmeth.dat")
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.method == method
    uri = _uri(message.uri)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert uri.host == "example.com"
    assert message.via.transport == "TCP"
    assert message.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert _uri(message.to.uri).user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.param("fromParam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.cseq == CSeq(139122385, method)
    assert message.max_forwards == 255
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def esc01() -> None:
    message = request("esc01.dat")
    assert message.uri == SipUri("sip", "example.net", "sips%3Auser%40example.com")
    assert _uri(message.to.uri).equivalent(parse_uri("sip:user@example.com"))
    assert _uri(message.from_.uri).user == "I%20have%20spaces"
    (contact,) = message.contacts
    uri = _uri(contact.uri)
    assert uri.user == "cal%6Cer"
    assert uri.param("lr") == ""
    assert uri.param("name") == "v%61lue%25%34%31"
    assert uri.equivalent(parse_uri("sip:caller@host5.example.net;lr;name=value%2541"))
    assert not uri.equivalent(parse_uri("sip:caller@host5.example.net;lr;name=valueA"))


def escnull() -> None:
    message = request("escnull.dat")
    assert _uri(message.to.uri).user == "null-%00-null"
    assert _uri(message.from_.uri).user == "null-%00-null"
    one, two = (_uri(contact.uri) for contact in message.contacts)
    assert (one.user, two.user) == ("%00", "%00%00")
    assert not one.equivalent(two)


def esc02() -> None:
    message = request("esc02.dat")
    assert message.method == "RE%47IST%45R"
    refused = refusal_of(message, allowed_methods=("REGISTER", "OPTIONS"))
    assert refused is not None
    assert refused.status == 501
    assert message.to.display_name == message.from_.display_name == "%Z%45"
    assert message.via.branch == "z9hG4bK209%fzsnel234"
    assert [_uri(contact.uri).user for contact in message.contacts] == ["alias1", "alias3"]
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def lwsdisp() -> None:
    message = request("lwsdisp.dat")
    assert message.from_.display_name == "caller"
    assert str(message.from_.uri) == "sip:caller@example.com"
    assert message.from_.tag == "323"


def longreq() -> None:
    message = request("longreq.dat")
    assert message.to.display_name == f"I have a user name of {'extreme' * 10} proportion"
    to = _uri(message.to.uri)
    assert to.port == 6000
    assert to.param("unknownparam1") == f"very{'long' * 20}value"
    assert to.param(f"very{'long' * 25}ParameterNameWithNoValue") == ""
    assert _uri(message.from_.uri).user == "amazinglylongcallername" * 5
    assert message.from_.tag == "12" + "982" * 50 + "424"
    assert message.call_id == f"longreq.one{'really' * 20}longcallid"
    assert message.cseq == CSeq(3882340, "INVITE")
    assert len(message.vias) == 34
    assert [via.host for via in message.vias[:2]] == ["sip33.example.com", "sip32.example.com"]
    assert message.vias[-1].received == "192.0.2.5"
    assert message.vias[-1].branch == f"very{'long' * 50}branchvalue"
    assert len(message.headers.get_all("v")) == 34
    assert len(message.body) == 150


def dblreq() -> None:
    message = request("dblreq.dat")
    assert message.method == "REGISTER"
    assert message.call_id == "dblreq.0ha0isndaksdj99sdfafnl3lk233412"
    assert message.body == b""


def semiuri() -> None:
    message = request("semiuri.dat")
    assert message.uri == SipUri("sip", "example.com", "user;par=u%40example.net")
    assert split_commas(message.headers.get("Accept") or "") == (
        "application/sdp",
        "application/pkcs7-mime",
        "multipart/mixed",
        "multipart/signed",
        "message/sip",
        "message/sipfrag",
    )


def transports() -> None:
    message = request("transports.dat")
    assert [(via.transport, via.host) for via in message.vias] == [
        ("UDP", "t1.example.com"),
        ("SCTP", "t2.example.com"),
        ("TLS", "t3.example.com"),
        ("UNKNOWN", "t4.example.com"),
        ("TCP", "t5.example.com"),
    ]


def mpart01() -> None:
    message = request("mpart01.dat")
    assert message.method == "MESSAGE"
    assert message.content_type == "multipart/mixed"
    assert message.headers.get("c") == "multipart/mixed;boundary=7a9cbec02ceef655"
    assert len(message.body) == 553
    assert b"\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n" in message.body
    assert b"0\x82\x01R\x06\t*\x86H\x86\xf7\r\x01\x07\x02" in message.body
    assert message.body.endswith(b"\r\n--7a9cbec02ceef655--\r\n")
    assert parse_message(message.serialize()).body == message.body


def unreason() -> None:
    message = response("unreason.dat")
    assert message.status == 200
    assert message.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"


def noreason() -> None:
    message = response("noreason.dat")
    assert message.status == 100
    assert message.reason == ""
    assert message.serialize().startswith(b"SIP/2.0 100 \r\n")


VALID: dict[str, Callable[[], None]] = {
    f"{check.__name__}.dat": check
    for check in (
        wsinv, intmeth, esc01, escnull, esc02, lwsdisp, longreq, dblreq, semiuri, transports,
        mpart01, unreason, noreason,
    )
}  # fmt: skip


@pytest.mark.parametrize("file", [row.file for row in expectations("rfc4475", "valid")])
def test_a_well_formed_message_comes_out_with_the_fields_the_rfc_names(file: str) -> None:
    VALID[file]()


@pytest.mark.parametrize("file", [row.file for row in expectations("rfc4475", "valid")])
def test_a_well_formed_message_survives_serializing(file: str) -> None:
    before = parse_message(raw(file))
    after = parse_message(before.serialize())
    assert after.headers.without("Content-Length") == before.headers.without("Content-Length")
    assert (after.vias, after.from_, after.to, after.cseq) == (
        before.vias, before.from_, before.to, before.cseq,
    )  # fmt: skip
    assert after.body == before.body
