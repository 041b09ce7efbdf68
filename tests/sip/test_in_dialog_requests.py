"""What the peer asks within the call, and what it is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.dialog_state import Ended, EndedBy, Failed, FailureCause, PeerRequest
from sip.message import Request
from sip.transaction import ServerKey, TransportFailed
from tests.sip.caller import ANSWER, CONTACT, PLAN, Caller, peer_request

REOFFER = b"v=0\r\no=again\r\n"
MOVED = ("Contact", "<sip:moved@192.0.2.7>")


def talking() -> Caller:
    caller = Caller()
    caller.answered()
    return caller


def status_of(caller: Caller, request: Request) -> int:
    caller.receive(request)
    return caller.responses()[-1].status


class TestBye:
    def test_one_ends_the_call_with_its_reason(self) -> None:
        caller = talking()
        bye = peer_request("BYE", headers=(("Reason", "Q.850;cause=16"), ("Require", "x")))
        assert status_of(caller, bye) == 200
        (ended,) = caller.of(Ended)
        assert (ended.by, ended.reason, ended.status) == (EndedBy.PEER, "Q.850;cause=16", None)
        caller.advance(70.0)
        assert caller.session.is_over
        assert caller.requests("BYE") == []

    def test_without_a_reason_it_is_just_a_bye(self) -> None:
        caller = talking()
        caller.receive(peer_request("BYE", headers=()))
        assert caller.of(Ended)[0].reason == "BYE"
        assert status_of(caller, peer_request("OPTIONS", cseq=2)) == 481

    def test_one_in_an_early_dialog_ends_the_call_that_never_was(self) -> None:
        caller = Caller()
        invite = caller.start()
        caller.respond(180)
        assert status_of(caller, peer_request("BYE")) == 200
        assert caller.requests("CANCEL")
        caller.respond(180)
        caller.respond(200, to=invite)
        assert caller.last("ACK").to.tag == "a"
        assert caller.requests("BYE") == []
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.PEER_ENDED]


class TestReinvite:
    def test_an_offer_is_answered_and_the_2xx_repeated_until_its_ack(self) -> None:
        offers: list[bytes | None] = []

        def answer(offer: bytes | None) -> bytes:
            offers.append(offer)
            return b"mine"

        caller = Caller(answer_offer=answer)
        caller.answered()
        reinvite = peer_request("INVITE", headers=(MOVED, ("Session-Expires", "1800")), sdp=REOFFER)
        assert status_of(caller, reinvite) == 200
        response = caller.responses()[-1]
        assert (response.body, response.content_type) == (b"mine", "application/sdp")
        assert response.contacts[0].uri == PLAN.contact
        assert "Session-Expires" not in response.headers
        assert offers == [REOFFER]
        caller.advance(3.0)
        assert len(caller.responses()) == 3
        caller.receive(peer_request("ACK", cseq=9))
        caller.receive(peer_request("ACK", cseq=1, branch="z9hG4bKack"))
        caller.advance(20.0)
        assert len(caller.responses()) == 3
        caller.hang_up()
        assert str(caller.last("BYE").uri) == "sip:moved@192.0.2.7"

    def test_one_without_offer_gets_ours(self) -> None:
        caller = Caller(answer_offer=lambda offer: b"mine" if offer is None else None)
        caller.answered()
        assert status_of(caller, peer_request("INVITE")) == 200
        assert caller.responses()[-1].body == b"mine"

    def test_an_offer_that_cannot_be_met_leaves_the_call_as_it_is(self) -> None:
        caller = Caller(answer_offer=lambda offer: None)
        caller.answered()
        assert status_of(caller, peer_request("INVITE", headers=(MOVED,), sdp=REOFFER)) == 488
        assert caller.saved[-1].dialogs[0].remote_target == "sip:callee@192.0.2.2:5060"
        assert caller.of(Ended) == []

    def test_one_before_the_ack_of_the_last_is_glare(self) -> None:
        caller = talking()
        caller.receive(peer_request("INVITE", sdp=REOFFER))
        assert status_of(caller, peer_request("INVITE", cseq=2, sdp=REOFFER)) == 491
        assert status_of(caller, peer_request("UPDATE", cseq=3, sdp=REOFFER)) == 491
        assert status_of(caller, peer_request("UPDATE", cseq=4)) == 200

    def test_one_in_an_early_dialog_is_glare(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180)
        assert status_of(caller, peer_request("INVITE", sdp=REOFFER)) == 491

    def test_without_its_ack_the_call_is_ended(self) -> None:
        caller = talking()
        caller.receive(peer_request("INVITE", sdp=REOFFER))
        caller.advance(31.9)
        assert caller.requests("BYE") == []
        copies = len(caller.responses())
        caller.advance(33.0)
        assert len(caller.requests("BYE")) == 1
        assert copies == 11
        assert status_of(caller, peer_request("OPTIONS", cseq=2)) == 481

    def test_a_cancel_comes_too_late(self) -> None:
        caller = talking()
        reinvite = peer_request("INVITE", sdp=REOFFER)
        caller.receive(reinvite)
        branch = reinvite.via.branch
        assert status_of(caller, peer_request("CANCEL", branch=branch)) == 200
        assert status_of(caller, peer_request("CANCEL", branch="z9hG4bKnone")) == 481
        assert caller.of(Ended) == []


class TestUpdate:
    def test_one_without_offer_refreshes_the_target(self) -> None:
        caller = talking()
        assert status_of(caller, peer_request("UPDATE", headers=(MOVED,))) == 200
        assert caller.responses()[-1].body == b""
        assert caller.saved[-1].dialogs[0].remote_target == "sip:moved@192.0.2.7"

    def test_an_early_offer_waits_until_ours_is_answered(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180)
        assert status_of(caller, peer_request("UPDATE", cseq=1)) == 200
        assert status_of(caller, peer_request("UPDATE", cseq=2, sdp=REOFFER)) == 491
        reliable = (CONTACT, ("Require", "100rel"), ("RSeq", "1"))
        caller.respond(183, headers=reliable, sdp=ANSWER)
        assert status_of(caller, peer_request("UPDATE", cseq=3, sdp=REOFFER)) == 200
        assert caller.responses()[-1].body == ANSWER


class TestOtherRequests:
    def test_options_are_answered_with_what_is_allowed(self) -> None:
        caller = talking()
        assert status_of(caller, peer_request("OPTIONS")) == 200
        response = caller.responses()[-1]
        assert response.tokens("Allow") == ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE")
        assert response.headers.get("Accept") == "application/sdp"
        assert [(e.method, e.status) for e in caller.of(PeerRequest)] == [("OPTIONS", 200)]

    @pytest.mark.parametrize(
        ("method", "status"), [("INFO", 405), ("REFER", 405), ("PRACK", 405), ("DANCE", 501)]
    )
    def test_a_method_that_is_not_allowed_is_refused(self, method: str, status: int) -> None:
        caller = talking()
        assert status_of(caller, peer_request(method)) == status
        assert "INFO" not in caller.responses()[-1].tokens("Allow")

    def test_an_unknown_requirement_is_named(self) -> None:
        caller = talking()
        reinvite = peer_request("INVITE", headers=(CONTACT, ("Require", "timer, x")), sdp=REOFFER)
        assert status_of(caller, reinvite) == 420
        assert caller.responses()[-1].tokens("Unsupported") == ("timer", "x")

    def test_a_number_out_of_order_is_refused(self) -> None:
        caller = talking()
        caller.receive(peer_request("OPTIONS", cseq=5))
        assert status_of(caller, peer_request("OPTIONS", cseq=4)) == 500

    def test_a_dialog_that_is_not_there_is_481(self) -> None:
        caller = talking()
        assert status_of(caller, peer_request("BYE", tag="nobody")) == 481
        assert caller.of(Ended) == []

    @pytest.mark.parametrize(
        ("call_id", "local_tag"), [("other", "from-1"), ("call-1", None), ("call-1", "x")]
    )
    @pytest.mark.parametrize("method", ["BYE", "CANCEL", "ACK"])
    def test_what_belongs_to_no_call_of_ours_is_left_to_the_owner(
        self, method: str, call_id: str, local_tag: str | None
    ) -> None:
        caller = talking()
        caller.receive(peer_request(method, call_id=call_id, local_tag=local_tag))
        assert len(caller.foreign) == 1
        assert caller.responses() == []

    def test_an_ack_that_nothing_waits_for_is_ours_all_the_same(self) -> None:
        caller = talking()
        caller.receive(peer_request("ACK"))
        assert caller.foreign == []

    def test_the_failure_of_a_servers_transaction_is_left_to_the_owner(self) -> None:
        caller = talking()
        key = ServerKey("z9hG4bKx", "192.0.2.2:5060", "BYE")
        assert not caller.session.receive_event(TransportFailed(key, "closed"), 1.0)

    def test_a_response_to_a_request_of_somebody_else_is_left_to_the_owner(self) -> None:
        caller = talking()
        other = replace(caller.last("INVITE"), method="OPTIONS")
        via = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKoptions"
        fields = other.headers.with_set("Via", via).with_set("CSeq", "1 OPTIONS")
        options = replace(other, headers=fields)
        caller.layer.send_request(options, caller.flow, 0.0)
        caller.respond(200, to=options)
        assert len(caller.foreign) == 1
