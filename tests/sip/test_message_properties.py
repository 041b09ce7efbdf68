"""What holds for every well-formed message, however it is written, and for every byte string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.headers import NameAddr, Via, parse_contacts, parse_name_addr, parse_via
from sip.message import Headers, Message, Request, parse_message
from sip.uas import refusal_of_malformed
from sip.uri import Uri, parse_uri
from tests.sip import strategies as sip


@sip.WHOLE_MESSAGES
@given(sip.messages())
def test_a_message_survives_the_wire(message: Message) -> None:
    parsed = parse_message(message.serialize())
    assert parsed == message
    assert hash(parsed) == hash(message)


@sip.WHOLE_MESSAGES
@given(sip.messages())
def test_what_was_checked_by_the_parser_is_what_the_accessors_of_a_built_message_say(
    message: Message,
) -> None:
    parsed = parse_message(message.serialize())
    for name in ("vias", "via", "from_", "to", "call_id", "cseq", "contacts", "max_forwards"):
        assert getattr(parsed, name) == getattr(message, name)


@sip.WHOLE_MESSAGES
@given(sip.messages(), st.data())
def test_a_message_means_the_same_however_it_is_written(
    message: Message, data: st.DataObject
) -> None:
    assert parse_message(data.draw(sip.spelled_differently(message))) == message


@sip.PARTS
@given(sip.uris())
def test_a_uri_survives_the_wire(uri: Uri) -> None:
    assert parse_uri(str(uri)) == uri


@sip.PARTS
@given(sip.name_addrs())
def test_an_address_survives_the_wire(address: NameAddr) -> None:
    assert parse_name_addr(str(address)) == address


@sip.WHOLE_MESSAGES
@given(st.lists(sip.name_addrs(), min_size=1, max_size=4))
def test_a_list_of_contacts_survives_the_wire(addresses: list[NameAddr]) -> None:
    assert parse_contacts(" , ".join(map(str, addresses))) == tuple(addresses)


@sip.WHOLE_MESSAGES
@given(st.lists(sip.vias(), min_size=1, max_size=4))
def test_a_list_of_vias_survives_the_wire(vias: list[Via]) -> None:
    assert parse_via(",".join(map(str, vias))) == tuple(vias)


@sip.PARTS
@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_a_remote_protocol_error(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(data)
    refusal_of_malformed(data, caught.value)


@sip.WHOLE_MESSAGES
@given(sip.requests(), st.data())
def test_a_cut_message_is_refused_or_loses_only_its_body(
    request: Request, data: st.DataObject
) -> None:
    wire = request.serialize()
    cut = data.draw(st.integers(0, len(wire) - 1))
    with pytest.raises(RemoteProtocolError):
        parse_message(wire[:cut])


@sip.PARTS
@given(
    st.sampled_from(["\r\n", "\r", "\n", "\0", "\x1b", "\x7f"]),
    st.text("ab \t", max_size=4),
    st.text("ab \t", max_size=4),
)
def test_nothing_that_breaks_a_line_is_ever_serialized(
    breaker: str, before: str, after: str
) -> None:
    evil = f"{before}{breaker}{after}"
    request = Request("OPTIONS", parse_uri("sip:a@b"), Headers([("X-Evil", evil)]))
    with pytest.raises(LocalProtocolError):
        request.serialize()


@sip.WHOLE_MESSAGES
@given(sip.requests(), st.binary(min_size=1, max_size=20))
def test_bytes_behind_the_message_are_ignored(request: Request, garbage: bytes) -> None:
    assert parse_message(request.serialize() + garbage) == request
