"""The messages of RFC 4475 sections 3.2 to 3.4: well-formed, and answered as the RFC asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sip.errors import RemoteProtocolError
from sip.headers import parse_addresses
from sip.message import Request, Response, parse_message
from sip.uas import is_ours, refusal_of, refusal_of_malformed
from sip.uri import OtherUri, SipUri
from tests.sip.corpora import expectations, raw, request, response

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER")


def _refusal(message: Request) -> Response | None:
    return refusal_of(message, allowed_methods=METHODS, to_tag="here")


def _refused(message: Request) -> Response:
    answer = _refusal(message)
    assert answer is not None
    parsed = parse_message(answer.serialize())
    assert parsed.to.tag == "here"
    assert parsed.vias == message.vias
    return answer


def _malformed(file: str) -> Response:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(raw(file))
    answer = refusal_of_malformed(raw(file), caught.value)
    assert answer is not None
    return answer


def badbranch() -> None:
    message = request("badbranch.dat")
    assert message.via.branch == "z9hG4bK"
    assert not message.via.has_rfc3261_branch
    assert _refusal(message) is None


def insuf() -> None:
    answer = _malformed("insuf.dat")
    assert (answer.status, answer.reason) == (400, "Bad From")
    assert [name for name, _ in answer.headers] == ["Via", "CSeq"]


def unkscm() -> None:
    message = request("unkscm.dat")
    assert message.uri == OtherUri("nobodyknowsthisscheme", "totallyopaquecontent")
    assert _refused(message).status == 416


def novelsc() -> None:
    message = request("novelsc.dat")
    assert message.uri == OtherUri("soap.beep", "//192.0.2.103:3002")
    assert _refused(message).status == 416


def unksm2() -> None:
    message = request("unksm2.dat")
    assert message.to.uri == OtherUri("isbn", "2983792873")
    assert message.from_.uri == OtherUri("http", "//www.example.com")
    assert [contact.uri for contact in message.contacts] == [OtherUri("name", "John_Smith")]
    assert _refused(message).status == 416


def bext01() -> None:
    answer = _refused(request("bext01.dat"))
    assert answer.status == 420
    assert answer.headers.get("Unsupported") == ("nothingSupportsThis, nothingSupportsThisEither")


def invut() -> None:
    message = request("invut.dat")
    assert message.content_type == "application/unknownformat"
    answer = _refused(message)
    assert answer.status == 415
    assert answer.headers.get("Accept") == "application/sdp"


def regaut01() -> None:
    message = request("regaut01.dat")
    assert message.headers.get("Authorization") == "NoOneKnowsThisScheme opaque-data=here"
    assert _refusal(message) is None


def multi01() -> None:
    assert _malformed("multi01.dat").status == 400


def mcl01() -> None:
    assert _malformed("mcl01.dat").status == 400


def bcast() -> None:
    message = response("bcast.dat")
    assert [via.host for via in message.vias] == ["192.0.2.198", "255.255.255.255"]
    assert not is_ours(message, {("192.0.2.198", 5060)})


def zeromf() -> None:
    message = request("zeromf.dat")
    assert message.max_forwards == 0
    assert _refusal(message) is None


def cparam01() -> None:
    (contact,) = request("cparam01.dat").contacts
    assert contact.uri == SipUri("sip", "gw1.example.net", "+19725552222")
    assert contact.params == (("unknownparam", None),)


def cparam02() -> None:
    (contact,) = request("cparam02.dat").contacts
    assert contact.uri == SipUri(
        "sip", "gw1.example.net", "+19725552222", params=(("unknownparam", None),)
    )
    assert contact.params == ()


def regescrt() -> None:
    (contact,) = request("regescrt.dat").contacts
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.headers == (("Route", "%3Csip:sip.example.com%3E"),)
    assert str(contact.uri) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def sdp01() -> None:
    assert _refused(request("sdp01.dat")).status == 406


def inv2543() -> None:
    message = request("inv2543.dat")
    assert message.via.branch is None
    assert not message.via.has_rfc3261_branch
    assert message.max_forwards is None
    assert message.from_.tag is None
    assert message.to.params == (("user", "phone"),)
    assert "Content-Length" not in message.headers
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")
    (route,) = parse_addresses(message.headers.get("Record-Route") or "")
    assert isinstance(route.uri, SipUri)
    assert route.uri.param("maddr") == "ss1.example.com"
    assert _refusal(message) is None


SEMANTIC: dict[str, Callable[[], None]] = {
    f"{check.__name__}.dat": check
    for check in (
        badbranch, insuf, unkscm, novelsc, unksm2, bext01, invut, regaut01, multi01, mcl01, bcast,
        zeromf, cparam01, cparam02, regescrt, sdp01, inv2543,
    )
}  # fmt: skip


@pytest.mark.parametrize("file", [row.file for row in expectations("rfc4475", "semantic")])
def test_a_message_gets_the_reaction_the_rfc_asks_for(file: str) -> None:
    SEMANTIC[file]()
