"""Dialogs, snapshots and the messages that end a call from one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sip.build import response_to
from sip.dialog import Dialog, clean_up, clean_up_after
from sip.dialog_state import CallSnapshot, DialogPhase
from sip.invite_session import InviteSession
from sip.message import Request, Response, parse_message
from sip.session_requests import invite_request
from sip.transaction import Flow, TransactionLayer
from tests.sip.caller import CONTACT, PLAN, Caller, peer_request, tokens
from tests.sip.transactions import flow_between

LOOSE = ("Record-Route", "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>")
STRICT = ("Record-Route", "<sip:p2.example.com>, <sip:p1.example.com;method=BYE?a=b>")


def invite() -> Request:
    return invite_request(PLAN, "UDP", "z9hG4bKinvite")


def response(status: int, *headers: tuple[str, str], tag: str | None = "a") -> Response:
    made = parse_message(response_to(invite(), status, to_tag=tag, headers=headers).serialize())
    assert isinstance(made, Response)
    return made


def dialog_of(*headers: tuple[str, str], status: int = 200) -> Dialog:
    return Dialog.of_response(invite(), response(status, *headers), PLAN.origin("UDP"))


class TestRequestsInADialog:
    def test_they_carry_the_dialog_and_the_next_number(self) -> None:
        dialog = dialog_of(CONTACT)
        assert dialog.id == ("call-1", "from-1", "a")
        assert dialog.next_hop == dialog.request("INFO", tokens()).uri
        bye = dialog.request("BYE", tokens("z9hG4bKx"))
        assert str(bye.uri) == "sip:callee@192.0.2.2:5060"
        assert (bye.cseq.number, bye.from_.tag, bye.to.tag) == (3, "from-1", "a")
        assert bye.via.branch == "z9hG4bKx1"
        assert bye.contacts == ()
        assert "Route" not in bye.headers
        assert isinstance(parse_message(bye.serialize()), Request)

    def test_a_loose_route_is_reversed_and_leaves_the_target_in_the_request_line(self) -> None:
        dialog = dialog_of(CONTACT, LOOSE)
        bye = dialog.request("BYE", tokens())
        assert str(bye.uri) == "sip:callee@192.0.2.2:5060"
        assert bye.headers.get_all("Route") == (
            "<sip:p1.example.com;lr>",
            "<sip:p2.example.com;lr>",
        )
        assert str(dialog.next_hop) == "sip:p1.example.com;lr"

    def test_a_strict_router_is_the_request_line_and_the_target_the_last_route(self) -> None:
        bye = dialog_of(CONTACT, STRICT).request("BYE", tokens())
        assert str(bye.uri) == "sip:p1.example.com"
        assert bye.headers.get_all("Route") == (
            "<sip:p2.example.com>",
            "<sip:callee@192.0.2.2:5060>",
        )

    def test_the_ack_has_the_number_of_its_invite_and_its_answer(self) -> None:
        dialog = dialog_of(CONTACT)
        dialog.request("PRACK", tokens())
        ack = dialog.ack(tokens(), transport="TCP", body=b"v=0\r\n")
        assert (ack.cseq.number, ack.content_type, ack.via.transport) == (
            1,
            "application/sdp",
            "TCP",
        )

    def test_a_peer_without_tag_gets_none(self) -> None:
        made = response_to(invite(), 200, headers=[CONTACT])
        bye = Dialog.of_response(invite(), made, PLAN.origin("UDP")).request("BYE", tokens())
        assert bye.to.tag is None

    @pytest.mark.parametrize("contact", ["*", "<mailto:a@example.com>", None])
    def test_without_a_contact_to_call_the_target_stays(self, contact: str | None) -> None:
        headers = () if contact is None else (("Contact", contact),)
        assert dialog_of(*headers).request("BYE", tokens()).uri == PLAN.target

    def test_a_target_of_another_scheme_stands_as_it_is(self) -> None:
        state = replace(dialog_of(CONTACT).state, remote_target="tel:+15550100")
        assert str(Dialog(state).request("BYE", tokens()).uri) == "tel:+15550100"

    def test_a_route_that_is_no_sip_uri_is_left_out(self) -> None:
        dialog = dialog_of(("Record-Route", "<tel:+1>, <sip:p1.example.com;lr>"), CONTACT)
        assert dialog.state.route_set == ("<sip:p1.example.com;lr>",)


class TestTheLifeOfADialog:
    def test_a_2xx_confirms_and_decides_the_route_again(self) -> None:
        dialog = dialog_of(CONTACT, LOOSE, status=180)
        assert dialog.state.phase == "early"
        dialog.confirm(response(200, ("Contact", "<sip:other@192.0.2.9>")))
        assert dialog.state.phase is DialogPhase.CONFIRMED
        assert dialog.state.route_set == ()
        assert dialog.state.remote_target == "sip:other@192.0.2.9"

    def test_a_lower_number_of_the_peer_is_out_of_order(self) -> None:
        dialog = dialog_of(CONTACT)
        assert dialog.takes_number_of(peer_request("OPTIONS", cseq=5))
        assert not dialog.takes_number_of(peer_request("OPTIONS", cseq=4))
        assert dialog.takes_number_of(peer_request("OPTIONS", cseq=5))

    @pytest.mark.parametrize(
        ("tag", "local_tag", "call_id", "matches"),
        [
            ("a", "from-1", "call-1", True),
            ("b", "from-1", "call-1", False),
            ("a", "x", "call-1", False),
            ("a", None, "call-1", False),
            ("a", "from-1", "x", False),
        ],
    )
    def test_a_request_is_in_it_by_call_id_and_both_tags(
        self, tag: str, local_tag: str | None, call_id: str, matches: bool
    ) -> None:
        request = peer_request("BYE", tag=tag, local_tag=local_tag, call_id=call_id)
        assert dialog_of(CONTACT).matches(request) is matches


class TestSnapshots:
    def snapshot(self) -> CallSnapshot:
        caller = Caller(replace(PLAN, routes=("<sip:proxy.example.com;lr>",)))
        caller.start()
        caller.respond(180, headers=(CONTACT, LOOSE))
        return caller.saved[-1]

    def test_one_survives_json_whole(self) -> None:
        snapshot = self.snapshot()
        assert CallSnapshot.from_json(snapshot.to_json()) == snapshot
        assert json.loads(snapshot.to_json())["dialogs"][0]["phase"] == "early"
        assert snapshot.invite_request().body == b""

    def test_something_else_is_refused(self) -> None:
        text = response(200).serialize().decode()
        with pytest.raises(ValueError, match="no request"):
            replace(self.snapshot(), invite=text).invite_request()

    def test_a_ringing_call_gets_cancel_and_its_early_dialog_ack_and_bye(self) -> None:
        snapshot = self.snapshot()
        cancel, ack, bye = clean_up(snapshot, tokens("z9hG4bKnew"))
        assert [r.method for r in (cancel, ack, bye)] == ["CANCEL", "ACK", "BYE"]
        assert cancel.via == snapshot.invite_request().via
        assert cancel.headers.get("Route") == "<sip:proxy.example.com;lr>"
        assert cancel.to.tag is None
        assert (ack.cseq.number, bye.cseq.number) == (1, 2)
        assert {ack.via.branch, bye.via.branch} == {"z9hG4bKnew1", "z9hG4bKnew2"}
        assert bye.headers.get_all("Route")[0] == "<sip:p1.example.com;lr>"

    def test_a_2xx_that_comes_then_gets_what_it_lacks(self) -> None:
        snapshot = self.snapshot()
        made = snapshot.invite_request()
        known = response_to(made, 200, to_tag="a", headers=[CONTACT])
        other = response_to(made, 200, to_tag="b", headers=[CONTACT])
        assert [r.method for r in clean_up_after(snapshot, known, tokens())] == ["ACK"]
        ack, bye = clean_up_after(snapshot, other, tokens())
        assert (ack.method, bye.method, bye.to.tag) == ("ACK", "BYE", "b")
        assert bye.headers.get("User-Agent") == "test"

    def test_a_refusal_then_gets_its_ack_and_everything_else_nothing(self) -> None:
        snapshot = self.snapshot()
        made = snapshot.invite_request()
        (ack,) = clean_up_after(snapshot, response_to(made, 487, to_tag="a"), tokens())
        assert (ack.method, ack.via) == ("ACK", made.via)
        assert clean_up_after(snapshot, response_to(made, 180, to_tag="a"), tokens()) == ()
        foreign = response_to(replace(made, headers=made.headers.with_set("Call-ID", "x")), 200)
        assert clean_up_after(snapshot, foreign, tokens()) == ()

    def test_a_call_that_is_over_needs_nothing(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(486)
        assert caller.saved[-1].is_over
        assert clean_up(caller.saved[-1], tokens()) == ()

    def test_each_is_saved_before_the_message_it_is_for(self) -> None:
        layer = TransactionLayer()
        saved: list[CallSnapshot] = []

        def save(snapshot: CallSnapshot) -> None:
            assert layer.messages_to_send() == []
            saved.append(snapshot)

        session = InviteSession(
            layer,
            flow_between(),
            PLAN,
            new_token=tokens(),
            answer_offer=lambda offer: None,
            save=save,
        )
        session.start(0.0)
        (out,) = layer.messages_to_send()
        (snapshot,) = saved
        assert snapshot.pending
        assert snapshot.invite_request().via == out.message.via
        assert out.flow == Flow(snapshot.transport, snapshot.local, snapshot.remote)
