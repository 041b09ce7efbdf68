"""Via, addresses, CSeq and lists as values (RFC 3261 sections 20 and 25.1)."""

from __future__ import annotations

import pytest

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.headers import (
    STAR,
    CSeq,
    NameAddr,
    Via,
    parse_addresses,
    parse_contacts,
    parse_cseq,
    parse_name_addr,
    parse_token_list,
    parse_via,
    split_commas,
)
from sip.uri import SipUri, TelUri

BOB = SipUri("sip", "b.example", "bob")


class TestVia:
    def test_every_part_is_read(self) -> None:
        (via,) = parse_via(
            "SIP/2.0/udp PC33.Atlanta.com:5066;branch=z9hG4bK776;received=192.0.2.1;rport=4;x"
        )
        assert via == Via(
            "UDP",
            "pc33.atlanta.com",
            5066,
            (("branch", "z9hG4bK776"), ("received", "192.0.2.1"), ("rport", "4"), ("x", None)),
        )
        assert (via.branch, via.received, via.rport) == ("z9hG4bK776", "192.0.2.1", 4)
        assert via.param("X") == ""
        assert via.param("maddr") is None

    def test_white_space_may_stand_between_all_parts(self) -> None:
        spaced = (
            "SIP / 2.0 \t/ TCP   [2001:db8::1] : 5061 ; branch = z9hG4bKa ; rport , SIP/2.0/UDP b"
        )
        first, second = parse_via(spaced)
        assert str(first) == "SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bKa;rport"
        assert first.rport is None
        assert str(second) == "SIP/2.0/UDP b"
        assert second.branch is None
        assert second.received is None

    @pytest.mark.parametrize("port", [1, 5060, 65535])
    def test_rport_is_a_port(self, port: int) -> None:
        (via,) = parse_via(f"SIP/2.0/UDP a;rport={port}")
        assert via.rport == port

    @pytest.mark.parametrize(
        ("branch", "unique"),
        [("z9hG4bKx", True), ("Z9HG4BKx", True), ("z9hG4bK", False), ("1", False)],
    )
    def test_only_a_branch_behind_the_magic_cookie_names_a_transaction(
        self, branch: str, unique: bool
    ) -> None:
        (via,) = parse_via(f"SIP/2.0/UDP a;branch={branch}")
        assert via.has_rfc3261_branch is unique

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDPa",
            "SIP/1.0/UDP a",
            "HTTP/2.0/TCP a",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP a:65536",
            "SIP/2.0/UDP a:x",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDP a;",
            "SIP/2.0/UDP a;;x",
            "SIP/2.0/UDP a,",
            "SIP/2.0/UDP a,,SIP/2.0/UDP b",
            "SIP/2.0/UDP a;x;X",
            "SIP/2.0/UDP a;branch",
            'SIP/2.0/UDP a;branch="z9hG4bKx"',
            "SIP/2.0/UDP a;branch=ab:cd",
            "SIP/2.0/UDP a;received=b.example",
            "SIP/2.0/UDP a;received=1.2.3.400",
            "SIP/2.0/UDP a;received",
            "SIP/2.0/UDP a;received=2001:db8::1::",
            "SIP/2.0/UDP a;rport=0",
            "SIP/2.0/UDP a;rport=65536",
            "SIP/2.0/UDP a;rport=" + "0" * 5000 + "1",
            "SIP/2.0/UDP a;rport=x",
            'SIP/2.0/UDP a;x="open',
        ],
    )
    def test_a_malformed_via_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_via(value)


class TestNameAddr:
    @pytest.mark.parametrize(
        ("value", "name", "params"),
        [
            ("<sip:bob@b.example>", None, ()),
            ("sip:bob@b.example", None, ()),
            (" Bob <sip:bob@b.example> ", "Bob", ()),
            ("The Bob\t Himself<sip:bob@b.example>", "The Bob\t Himself", ()),
            ('"Bob, \\"B\\\\"<sip:bob@b.example>', 'Bob, "B\\', ()),
            ('"" <sip:bob@b.example>', "", ()),
            ('"B\u00f6b \u7530" <sip:bob@b.example>', "B\u00f6b \u7530", ()),
            ("<sip:bob@b.example>;tag=1;x", None, (("tag", "1"), ("x", None))),
            ("sip:bob@b.example;tag=1", None, (("tag", "1"),)),
            ("sip:bob@b.example ; tag = 1 ", None, (("tag", "1"),)),
            ('<sip:bob@b.example>; x = "a;b"', None, (("x", '"a;b"'),)),
            ("<sip:bob@b.example>;x=[::1]", None, (("x", "[::1]"),)),
        ],
    )
    def test_both_forms_are_read(
        self, value: str, name: str | None, params: tuple[tuple[str, str | None], ...]
    ) -> None:
        assert parse_name_addr(value) == NameAddr(BOB, name, params)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Bob",
            "<>",
            "<sip:bob@b.example",
            "sip:bob@b.example>",
            "< sip:bob@b.example>",
            "<sip:bob@b.example >",
            "Bob, B <sip:bob@b.example>",
            "B\u00f6b <sip:bob@b.example>",
            '"Bob <sip:bob@b.example>',
            '"Bob" B <sip:bob@b.example>',
            '"B\x07" <sip:bob@b.example>',
            '"B\\\u00f6" <sip:bob@b.example>',
            "<sip:bob@b.example> x",
            "<sip:bob@b.example>;",
            "<sip:bob@b.example>;tag",
            '<sip:bob@b.example>;tag="1"',
            "<sip:bob@b.example>;tag=1;TAG=2",
            "<sip:bob@b.example>,<sip:bob@b.example>",
            "sip:bob@b.example?a=b",
            "sip:bob@b.example,x",
            "*",
        ],
    )
    def test_a_malformed_address_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_name_addr(value)

    def test_a_display_name_is_quoted_and_a_line_break_in_it_refused(self) -> None:
        assert str(NameAddr(BOB, 'a "b" \\ \x00')) == (
            '"a \\"b\\" \\\\ \\\x00" <sip:bob@b.example>'
        )
        for breaker in "\r\n":
            with pytest.raises(LocalProtocolError):
                str(NameAddr(BOB, f"a{breaker}b"))

    def test_a_quoted_parameter_is_unquoted_on_access(self) -> None:
        address = parse_name_addr('<tel:+1>;+sip.instance="<urn:uuid:1\\"2>";x=y;z')
        assert address.uri == TelUri("+1")
        assert address.param("+SIP.instance") == '<urn:uuid:1"2>'
        assert address.param("x") == "y"
        assert address.param("z") == ""
        assert address.tag is None


class TestContacts:
    def test_commas_separate_addresses_only_outside_quotes_and_brackets(self) -> None:
        value = '"Bob, B" <sip:bob@b.example;x=1>;q=0.7 , sip:bob@b.example;expires=3600'
        assert parse_contacts(value) == (
            NameAddr(SipUri("sip", "b.example", "bob", params=(("x", "1"),)), "Bob, B", (("q", "0.7"),)),
            NameAddr(BOB, None, (("expires", "3600"),)),
        )  # fmt: skip

    def test_a_star_is_no_address(self) -> None:
        assert parse_contacts(" * ") is STAR

    @pytest.mark.parametrize("q", ["0", "1", "0.", "0.333", "1.000"])
    def test_a_preference_lies_between_zero_and_one(self, q: str) -> None:
        parse_contacts(f"<sip:a@b>;q={q}")

    @pytest.mark.parametrize(
        "param",
        ["q=1.001", "q=2", "q=.5", "q=0.3333", "q", "q=-1", "expires=-1", "expires", "expires=1x",
         "expires=4294967296", "expires=" + "9" * 6000],
    )  # fmt: skip
    def test_a_parameter_out_of_range_is_refused(self, param: str) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_contacts(f"<sip:a@b>;{param}")

    def test_the_largest_expiry_is_accepted(self) -> None:
        assert parse_contacts("<sip:a@b>;expires=0004294967295")

    @pytest.mark.parametrize("value", ["*, <sip:a@b>", "<sip:a@b>,", ",<sip:a@b>", "<sip:a@b>;;"])
    def test_a_malformed_list_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_contacts(value)

    def test_a_route_is_a_list_of_addresses(self) -> None:
        routes = parse_addresses("<sip:p1;lr>,<sip:p2;lr>")
        assert [str(route) for route in routes] == ["<sip:p1;lr>", "<sip:p2;lr>"]


class TestCSeq:
    def test_leading_zeros_and_white_space_are_read(self) -> None:
        assert parse_cseq(" 0009 \t INVITE ") == CSeq(9, "INVITE")
        assert parse_cseq("0" * 5000 + "1 BYE") == CSeq(1, "BYE")
        assert str(parse_cseq("2147483647 A")) == "2147483647 A"

    @pytest.mark.parametrize(
        "value", ["", "1", "INVITE", "1INVITE", "-1 A", "2147483648 A", "9" * 6000 + " A", "1 A B",
                  "1 @", "\u0661 A"],
    )  # fmt: skip
    def test_a_malformed_sequence_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_cseq(value)


class TestLists:
    def test_commas_inside_quotes_and_brackets_do_not_split(self) -> None:
        assert split_commas(' a, "b,\\"c" <x,y>,, d ') == ("a", '"b,\\"c" <x,y>', "d")
        assert split_commas("") == ()

    @pytest.mark.parametrize("value", ['a, "b', "a, <b"])
    def test_an_open_part_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            split_commas(value)

    def test_empty_elements_of_a_token_list_are_skipped(self) -> None:
        assert parse_token_list("INVITE,ACK , ,BYE,") == ("INVITE", "ACK", "BYE")
        assert parse_token_list("") == ()

    def test_an_element_that_is_no_token_is_refused(self) -> None:
        with pytest.raises(RemoteProtocolError):
            parse_token_list("INVITE, a b")
