"""Reliable provisional responses (RFC 3262)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.dialog_state import Challenged, EarlyMedia, Failed, FailureCause, Progress, Ringing
from tests.sip.caller import ANSWER, CONTACT, CREDENTIALS, PLAN, Caller
from tests.sip.test_invite_session import challenge


def reliable(number: int) -> tuple[tuple[str, str], ...]:
    return CONTACT, ("Require", "100REL"), ("RSeq", str(number))


class TestPrack:
    def test_a_reliable_response_is_acknowledged_in_its_early_dialog(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(183, headers=reliable(7), sdp=ANSWER)
        prack = caller.last("PRACK")
        assert prack.headers.get("RAck") == "7 1 INVITE"
        assert (prack.cseq.number, prack.to.tag, prack.body) == (2, "a", b"")
        assert str(prack.uri) == "sip:callee@192.0.2.2:5060"
        assert caller.of(Progress)[0].reliable
        assert caller.saved[-1].dialogs[0].local_cseq == 2

    def test_they_are_taken_in_order_and_once(self) -> None:
        caller = Caller()
        caller.start()
        for number in (7, 7, 9, 8, 9):
            caller.respond(180, headers=reliable(number))
        racks = [prack.headers.get("RAck") for prack in caller.requests("PRACK")]
        assert racks == ["7 1 INVITE", "8 1 INVITE", "9 1 INVITE"]
        assert len(caller.of(Ringing)) == 3

    def test_each_fork_counts_for_itself(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180, tag="a", headers=reliable(7))
        caller.respond(180, tag="b", headers=reliable(99))
        assert [prack.to.tag for prack in caller.requests("PRACK")] == ["a", "b"]

    @pytest.mark.parametrize("headers", [(("RSeq", "1"),), (("Require", "100rel"),)])
    def test_half_of_it_asks_for_nothing(self, headers: tuple[tuple[str, str], ...]) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180, headers=headers)
        assert caller.requests("PRACK") == []
        assert not caller.of(Ringing)[0].reliable

    def test_an_offer_in_it_is_answered_by_the_prack_and_only_there(self) -> None:
        offers: list[bytes | None] = []

        def answer(offer: bytes | None) -> bytes:
            offers.append(offer)
            return b"mine"

        caller = Caller(replace(PLAN, offer=None), answer_offer=answer)
        caller.start()
        caller.respond(183, sdp=b"unreliable")
        caller.respond(183, headers=reliable(1), sdp=ANSWER)
        caller.respond(200, sdp=ANSWER)
        assert (caller.last("PRACK").body, caller.last("ACK").body) == (b"mine", b"")
        assert offers == [ANSWER]
        assert [event.sdp for event in caller.of(EarlyMedia)] == [b"unreliable", ANSWER]

    def test_an_offer_that_is_refused_there_cancels_the_call(self) -> None:
        caller = Caller(replace(PLAN, offer=None), answer_offer=lambda offer: None)
        caller.start()
        caller.respond(183, headers=reliable(1), sdp=ANSWER)
        assert caller.requests("CANCEL")
        caller.respond(200, to=caller.last("CANCEL"))
        caller.respond(487)
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.OFFER_REFUSED]

    def test_a_challenged_prack_is_repeated_with_credentials(self) -> None:
        caller = Caller(replace(PLAN, credentials=CREDENTIALS))
        caller.start()
        caller.respond(180, headers=reliable(1))
        first = caller.last("PRACK")
        caller.respond(100, to=first)
        caller.respond(401, to=first, headers=(challenge(),))
        second = caller.last("PRACK")
        assert (second.cseq.number, second.headers.get("RAck")) == (3, "1 1 INVITE")
        assert "Authorization" in second.headers
        assert [event.method for event in caller.of(Challenged)] == ["PRACK"]
        caller.respond(200, to=second)
        caller.respond(200)
        assert caller.last("ACK").cseq.number == 1

    def test_silence_after_it_does_not_end_the_call(self) -> None:
        caller = Caller(replace(PLAN, ring_seconds=100.0))
        caller.start()
        caller.respond(180, headers=reliable(1))
        caller.advance(40.0)
        assert caller.of(Failed) == []
        caller.respond(200)
        assert caller.requests("ACK")
