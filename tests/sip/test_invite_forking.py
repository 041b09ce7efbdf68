"""Several dialogs of one INVITE: those that are one too many are acknowledged and ended."""

from __future__ import annotations

from dataclasses import replace

from sip.dialog_state import Answered, Ended, OtherForkEnded, Ringing
from sip.session_dialogs import MAX_LEGS
from tests.sip.caller import ANSWER, CREDENTIALS, PLAN, Caller, peer_request
from tests.sip.test_invite_session import challenge


class TestForks:
    def test_the_first_2xx_is_the_call_and_each_other_gets_ack_and_bye(self) -> None:
        caller = Caller()
        invite = caller.start()
        for tag in "abc":
            caller.respond(180, tag=tag)
        caller.respond(200, tag="b", sdp=ANSWER)
        caller.respond(200, tag="c")
        assert [event.dialog.remote_tag for event in caller.of(Answered)] == ["b"]
        assert [ack.to.tag for ack in caller.requests("ACK")] == ["b", "c"]
        assert [bye.to.tag for bye in caller.requests("BYE")] == ["c"]
        assert len(caller.saved[-1].dialogs) == 3
        caller.respond(200, to=caller.last("BYE"), tag="c")
        assert caller.of(OtherForkEnded) == [OtherForkEnded(0.0, "c")]
        caller.respond(200, tag="c", to=invite)
        assert len(caller.requests("BYE")) == 1
        assert len(caller.requests("ACK", copies=True)) == 3
        assert [event.remote_tag for event in caller.of(Ringing)] == ["a", "b", "c"]

    def test_early_dialogs_are_forgotten_when_no_2xx_can_come_any_more(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180, tag="a")
        caller.respond(200, tag="b")
        assert len(caller.saved[-1].dialogs) == 2
        caller.advance(33.0)
        assert [state.remote_tag for state in caller.saved[-1].dialogs] == ["b"]
        assert not caller.session.is_over

    def test_a_2xx_behind_a_refusal_is_ended(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(486)
        caller.respond(200, tag="b")
        assert caller.last("BYE").to.tag == "b"
        assert not caller.session.is_over
        caller.respond(200, to=caller.last("BYE"), tag="b")
        caller.advance(40.0)
        assert caller.session.is_over
        assert caller.of(Answered) == []

    def test_a_2xx_to_an_invite_that_was_challenged_is_no_second_call(self) -> None:
        caller = Caller(replace(PLAN, credentials=CREDENTIALS))
        first = caller.start()
        caller.respond(401, headers=(challenge(),))
        caller.respond(200, to=first, tag="b")
        ack, bye = caller.last("ACK"), caller.last("BYE")
        assert (ack.to.tag, ack.cseq.number, bye.to.tag) == ("b", 1, "b")
        assert "Authorization" not in ack.headers
        caller.respond(200, tag="c")
        assert [event.dialog.remote_tag for event in caller.of(Answered)] == ["c"]

    def test_a_2xx_after_the_silence_of_timer_b_is_ended(self) -> None:
        caller = Caller()
        caller.start()
        caller.advance(40.0)
        caller.respond(180)
        assert (caller.requests("CANCEL"), caller.of(Ringing), caller.foreign) == ([], [], [])
        caller.respond(200)
        assert caller.last("BYE").to.tag == "a"

    def test_a_stray_response_of_another_call_is_left_alone(self) -> None:
        caller = Caller()
        invite = caller.start()
        headers = invite.headers.with_set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother")
        caller.respond(200, to=replace(invite, headers=headers))
        assert len(caller.foreign) == 1

    def test_too_many_dialogs_are_not_followed(self) -> None:
        caller = Caller()
        caller.start()
        for number in range(MAX_LEGS + 3):
            caller.respond(180, tag=f"t{number}")
        assert len(caller.saved[-1].dialogs) == MAX_LEGS
        caller.respond(200, tag="more")
        assert caller.requests("ACK") == []

    def test_a_fork_that_hangs_up_first_is_over_without_our_bye(self) -> None:
        caller = Caller()
        caller.answered()
        caller.respond(200, tag="b")
        assert caller.last("BYE").to.tag == "b"
        caller.receive(peer_request("BYE", tag="b"))
        caller.respond(481, to=caller.last("BYE"), tag="b")
        assert caller.of(OtherForkEnded) == [OtherForkEnded(0.0, "b")]
        assert caller.of(Ended) == []
        assert caller.responses()[-1].status == 200
