"""The ordered multi-map of header fields."""

from __future__ import annotations

import pytest

from sip.errors import LocalProtocolError
from sip.message import Headers

PAIRS = (("v", "1"), ("SUBJECT", "s"), ("via", "2"), ("X-Own", "a"), ("x-own", "b"))


def test_names_get_their_registered_spelling_and_keep_their_order() -> None:
    assert Headers(PAIRS).items() == (
        ("Via", "1"),
        ("Subject", "s"),
        ("Via", "2"),
        ("X-Own", "a"),
        ("x-own", "b"),
    )


@pytest.mark.parametrize("name", ["Via", "via", "VIA", "v", "V"])
def test_a_field_is_found_in_any_case_and_in_compact_form(name: str) -> None:
    headers = Headers(PAIRS)
    assert headers.get(name) == "1"
    assert headers.get_all(name) == ("1", "2")
    assert name in headers


def test_an_unknown_field_is_found_in_any_case() -> None:
    assert Headers(PAIRS).get_all("X-OWN") == ("a", "b")
    assert Headers(PAIRS).get("X-Other") is None
    assert "X-Other" not in Headers(PAIRS)
    assert 7 not in Headers(PAIRS)


def test_a_field_is_added_at_either_end_of_a_copy() -> None:
    headers = Headers(PAIRS)
    assert headers.with_added("V", "0", front=True).get_all("Via") == ("0", "1", "2")
    assert headers.with_added("V", "3").get_all("Via") == ("1", "2", "3")
    assert headers.get_all("Via") == ("1", "2")


def test_a_field_is_set_where_the_first_one_stood() -> None:
    headers = Headers(PAIRS).with_set("v", "9")
    assert headers.items()[0] == ("Via", "9")
    assert headers.get_all("Via") == ("9",)
    assert Headers().with_set("t", "x").items() == (("To", "x"),)


def test_a_field_is_removed_in_all_its_spellings() -> None:
    headers = Headers(PAIRS).without("x-OWN").without("V")
    assert headers.items() == (("Subject", "s"),)
    assert len(headers) == 1
    assert list(headers) == [("Subject", "s")]


def test_maps_that_mean_the_same_are_equal() -> None:
    one, other = Headers([("v", "1"), ("X-Y", "2")]), Headers([("VIA", "1"), ("x-y", "2")])
    assert one == other
    assert hash(one) == hash(other)
    assert one != Headers([("v", "1"), ("X-Y", "3")])
    assert one != "v"
    assert repr(one) == "Headers((('Via', '1'), ('X-Y', '2')))"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nVia", "\u00fc"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        Headers([(name, "x")])
    with pytest.raises(LocalProtocolError):
        Headers().with_added(name, "x")
    with pytest.raises(LocalProtocolError):
        Headers().with_set(name, "x")
