"""Whom captured messages name, and which audio they agree on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.live_call import HangupSide, LiveCall
from domain.live_call_sighting import SeenMessage
from tests.domain.live_traffic import (
    ANSWER,
    OFFER,
    START,
    TO_CALLER,
    TO_PROXY,
    Traffic,
    call_of,
)
from tests.domain.traces import sdp


def invited(*headers: str, uri: str = "sip:+14155550100@sip.example.com") -> LiveCall:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", headers=headers, uri=uri)
    return call_of(traffic.messages)


def edited(traffic: Traffic, old: str, new: str) -> list[SeenMessage]:
    """The messages with a part of their text exchanged."""
    edit = Traffic()
    for each in traffic.messages:
        edit.send(0, (each.source, each.destination), each.data.replace(old.encode(), new.encode()))
    return edit.messages


def test_an_offer_in_the_answer_is_answered_by_the_ack() -> None:
    traffic = Traffic()
    traffic.invites(body="")
    traffic.passes(1000, 200, "OK", body=OFFER)
    traffic.acks(1002, body=ANSWER)

    call = call_of(traffic.messages)

    assert (call.offered_codecs, call.answered_codecs) == (("PCMU", "PCMA"), ("PCMA",))


def test_a_call_without_descriptions_tells_of_no_audio() -> None:
    traffic = Traffic()
    traffic.invites(body="")
    traffic.passes(1000, 200, "OK")

    call = call_of(traffic.messages)

    assert (call.offered_codecs, call.codec, call.secure_media) == ((), None, None)


def test_early_media_is_the_answer_when_the_200_has_none() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(900, 183, "Session Progress", body=ANSWER)
    traffic.passes(1000, 200, "OK")

    assert call_of(traffic.messages).codec == "PCMA"


@pytest.mark.parametrize(
    ("answer", "codecs", "secure"),
    [
        (sdp(secure=True), ("PCMU", "PCMA"), True),
        (ANSWER.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"), ("PCMA",), True),
        (ANSWER.replace("m=audio 10000", "m=audio 0"), (), None),
        ("v=0\r\nm=video 1 RTP/AVP 99\r\n", (), None),
        ("no description", (), None),
    ],
)
def test_the_answer_says_codecs_and_whether_they_are_encrypted(
    answer: str, codecs: tuple[str, ...], secure: bool | None
) -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(1000, 200, "OK", body=answer)

    call = call_of(traffic.messages)

    assert (call.answered_codecs, call.secure_media) == (codecs, secure)


def test_a_description_among_other_parts_of_a_body_counts() -> None:
    parts = f"--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\n\r\n{OFFER}\r\n--x--\r\n"
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", body=parts)
    mixed = edited(traffic, "application/sdp", "multipart/mixed;boundary=x")

    assert call_of(mixed).offered_codecs == ("PCMU", "PCMA")
    assert call_of(edited(traffic, "application/sdp", "text/plain")).offered_codecs == ()
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", body="--x\r\n\r\nnothing\r\n--x--")
    assert call_of(edited(traffic, "application/sdp", "multipart/mixed")).offered_codecs == ()


@pytest.mark.parametrize(
    ("header", "number"),
    [
        ("P-Asserted-Identity: <sip:+14155550111@carrier.example>", "+14155550111"),
        ('Remote-Party-ID: "A, B" <sip:2001@pbx>;party=calling', "2001"),
        ("P-Preferred-Identity: tel:+1-415-555-0112", "+14155550112"),
        ("Diversion: <sip:+14155550113@pbx>;reason=unconditional", "+14155550113"),
    ],
)
def test_the_caller_may_be_named_elsewhere(header: str, number: str) -> None:
    assert invited(header).callers == ("+14155550199", number)


def test_several_identities_are_all_candidates() -> None:
    call = invited(
        'P-Asserted-Identity: "x" <sip:a@h>, <tel:+14155550111>', "P-Asserted-Identity: <sip:b@h>"
    )

    assert call.callers == ("+14155550199", "a", "+14155550111", "b")


def test_nobody_is_no_candidate() -> None:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", headers=["P-Asserted-Identity: <sip:Anonymous@x>"])
    call = call_of(
        edited(traffic, "sip:+14155550199@192.0.2.10", "sip:anonymous@anonymous.invalid")
    )

    assert (call.from_user, call.callers) == ("anonymous", ())


def test_the_callee_is_who_was_dialled_and_who_is_meant() -> None:
    assert invited(uri="sip:2001@pbx.example.com").callees == ("2001", "+14155550100")
    assert invited(uri="sip:pbx.example.com").callees == ("+14155550100",)


def test_names_of_peers_are_kept_short_and_printable() -> None:
    call = invited("User-Agent: " + "x" * 4000, uri="sip:" + "1" * 4000 + "%00@h")

    assert len(call.request_user or "") == 64
    assert len(call.caller_agent or "") <= 128
    assert invited(uri="sip:a%00b@h").request_user == "a?b"


def test_clocks_that_differ_make_no_negative_times() -> None:
    traffic = Traffic()
    traffic.request(1000, TO_PROXY, "INVITE")
    traffic.response(10, TO_CALLER, 200, "OK")
    traffic.caller_hangs_up(5)

    call = call_of(traffic.messages)

    assert (call.pdd_ms, call.duration_ms) == (0, 0)


def test_a_peer_without_tags_can_be_followed() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(1000, 200, "OK", to_tag="")
    traffic.caller_hangs_up(2001, to_tag="")
    call = call_of(edited_in_time(traffic, ";tag=9fxced76sl", ""))

    assert (call.duration_ms, call.hung_up_by) == (1000, HangupSide.CALLER)


def edited_in_time(traffic: Traffic, old: str, new: str) -> list[SeenMessage]:
    edit = Traffic()
    for each in traffic.messages:
        at = (each.at - START) / timedelta(milliseconds=1)
        edit.send(
            at, (each.source, each.destination), each.data.replace(old.encode(), new.encode())
        )
    return edit.messages
