"""Addresses of the peer that cannot work from here."""

from __future__ import annotations

from sip.build import response_to
from sip.call_addresses import MAX_FINDINGS, AddressNotes, contact_of, first_route_of
from sip.call_facts import AddressPlace
from sip.message import Headers, Request
from sip.session_requests import invite_request
from tests.sip.caller import PLAN

INVITE = invite_request(PLAN, "UDP", "z9hG4bKa")


def objection(address: str) -> str | None:
    return f"{address} is private" if address.startswith(("10.", "fd")) else None


def test_contact_and_record_route_of_an_answer_are_judged() -> None:
    notes = AddressNotes(objection)
    message = response_to(
        INVITE,
        200,
        to_tag="t",
        headers=(
            ("Contact", "<sip:x@10.0.0.1:5062>"),
            ("Record-Route", "<sip:198.51.100.1;lr>, <sip:[fd00::1]:5061;lr>"),
        ),
    )
    notes.read(message)
    found = [(f.place, f.address, f.problem, f.blocked) for f in notes.findings]
    assert found == [
        (AddressPlace.CONTACT, "10.0.0.1", "10.0.0.1 is private", False),
        (AddressPlace.RECORD_ROUTE, "fd00::1", "fd00::1 is private", False),
    ]
    assert str(contact_of(message)) == "sip:x@10.0.0.1:5062"
    assert str(first_route_of(message)) == "sip:[fd00::1]:5061;lr"


def test_the_top_via_of_a_request_is_judged() -> None:
    notes = AddressNotes(objection)
    headers = Headers(
        [("Via", "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKx"), ("Via", "SIP/2.0/UDP 10.0.0.3")]
    )
    notes.read(Request("BYE", INVITE.uri, headers))
    assert [(f.place, f.address) for f in notes.findings] == [(AddressPlace.VIA, "10.0.0.2")]


def test_the_contact_of_a_redirection_is_no_place_of_the_peers() -> None:
    notes = AddressNotes(objection)
    redirection = response_to(INVITE, 302, headers=(("Contact", "<sip:x@10.0.0.1>"),))
    notes.read(redirection)
    assert notes.findings == ()
    assert contact_of(redirection) is None


def test_an_address_stands_once_and_blocked_stays_blocked() -> None:
    notes = AddressNotes(objection)
    assert notes.note(AddressPlace.SDP, "10.0.0.1", blocked=True) == "10.0.0.1 is private"
    notes.note(AddressPlace.SDP, "10.0.0.1")
    (finding,) = notes.findings
    assert finding.blocked


def test_names_and_good_addresses_are_left_alone() -> None:
    notes = AddressNotes(objection)
    assert notes.note(AddressPlace.CONTACT, "pbx.example.com") is None
    assert notes.note(AddressPlace.CONTACT, "198.51.100.1") is None
    assert notes.findings == ()


def test_malformed_routes_and_other_uris_are_passed_over() -> None:
    headers = (("Record-Route", "<tel:+1>, <<"), ("Contact", "<tel:+1>"))
    message = response_to(INVITE, 200, headers=headers)
    notes = AddressNotes(objection)
    notes.read(message)
    assert (notes.findings, first_route_of(message), contact_of(message)) == ((), None, None)


def test_findings_are_bounded() -> None:
    notes = AddressNotes(objection)
    for number in range(3 * MAX_FINDINGS):
        notes.note(AddressPlace.SDP, f"10.0.0.{number}")
    assert len(notes.findings) == MAX_FINDINGS
