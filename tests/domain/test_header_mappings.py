"""Header mappings: what may be mapped, and what a call makes of it both ways (contract 3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.header_mappings import HeaderMapping, HeaderMappings, flat_problem, is_ours
from domain.header_variables import headers_from, mappings_of, variables_from
from domain.trunk import Direction

MAPPING: TypeAdapter[HeaderMapping] = TypeAdapter(HeaderMapping)


def custom(key: str, value: str, **fields: Any) -> HeaderMapping:
    return MAPPING.validate_python({"type": "custom", "key": key, "value": value, **fields})


def uui(**fields: Any) -> HeaderMapping:
    return MAPPING.validate_python(
        {
            "type": "uui",
            "target": "CustomerId",
            "purpose": "bland",
            "encoding": "hex",
            "content": "id",
            **fields,
        }
    )


def test_the_contracts_inbound_example_is_decoded() -> None:
    headers = [("User-to-User", "3432;encoding=hex;purpose=bland;content=id")]

    assert variables_from(headers, [uui()]) == {"CustomerId": "42"}


def test_the_contracts_outbound_example_is_sent() -> None:
    mapping = uui(target="CustomerKV", content="customerid_1234")

    assert headers_from({"CustomerKV": "id=12345"}, [mapping]) == (
        ("User-to-User", "69643d3132333435;encoding=hex;purpose=bland;content=customerid_1234"),
    )


def test_an_inbound_header_is_stored_in_the_variable_that_value_names() -> None:
    headers = [("X-Cool-Guy", "Ada"), ("X-Cool-Guy", "Bob")]

    found = variables_from(
        headers,
        [
            custom("X-Cool-Guy", "First_Name"),
            custom("x-cool-guy", "Other_Case"),
            custom("Account_Type", "VIP", passthrough=True),
        ],
    )

    assert found == {
        "First_Name": "Ada",
        "Account_Type": "VIP",
        "sip_header_x-cool-guy": "Ada",
    }


def test_an_outbound_variable_is_sent_as_the_header_that_value_names() -> None:
    made = headers_from(
        {"account": "42", "empty": ""},
        [
            custom("account", "X-Account"),
            custom("empty", "X-Empty"),
            custom("missing", "X-Missing"),
            custom("X-Fixed", "VIP", passthrough=True),
        ],
    )

    assert made == (("X-Account", "42"), ("X-Fixed", "VIP"))


def test_identity_headers_of_the_call_become_variables_by_themselves() -> None:
    headers = [
        ("P-Asserted-Identity", "<sip:+14155550100@example.com>"),
        ("Remote-Party-ID", "<sip:100@example.com>"),
        ("Diversion", "<sip:200@example.com>"),
        ("X-Account-Id", "7"),
        ("Subject", "none of it"),
    ]

    assert variables_from(headers, []) == {
        "sip_header_x-original-pai": "<sip:+14155550100@example.com>",
        "sip_header_x-original-rpid": "<sip:100@example.com>",
        "sip_header_x-original-diversion": "<sip:200@example.com>",
        "sip_header_x-account-id": "7",
    }


@pytest.mark.parametrize("name", ["call_id", "phone_number", "from_number"])
def test_a_reserved_variable_is_never_set(name: str) -> None:
    mappings = [custom("X-A", name), custom(name, "x", passthrough=True), uui(target=name)]
    headers = [("X-A", "1"), ("User-to-User", "3432;purpose=bland")]

    assert variables_from(headers, mappings) == {"sip_header_x-a": "1"}


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("3432;encoding=hex;purpose=bland", "hex", "42"),
        ("3432 ; purpose = bland", "hex", "42"),
        ('"3432";purpose="bland"', "hex", "42"),
        ("zz;purpose=other, 3432;purpose=bland", "hex", "42"),
        ("zz;purpose=bland, 3432;purpose=BLAND", "hex", "42"),
        ("343;purpose=bland", "hex", None),
        ("3432;purpose=other", "hex", None),
        ("3432", "hex", None),
        ("", "hex", None),
        ('"a, b; \\"c\\"";purpose=bland;encoding=ascii', "ascii", 'a, b; "c"'),
        ("plain;purpose=bland", "ascii", "plain"),
    ],
)
def test_a_user_to_user_value_is_found_by_its_purpose(
    text: str, encoding: str, found: str | None
) -> None:
    variables = variables_from([("user-to-user", text)], [uui(encoding=encoding)])

    assert variables.get("CustomerId") == found


@pytest.mark.parametrize("name", ["Via", "f", "Route", "CALL-ID", "Proxy-Authorization"])
def test_no_mapping_writes_a_header_of_the_stack(name: str) -> None:
    assert is_ours(name)
    assert headers_from({"a": "b"}, [custom("a", name), custom(name, "b", passthrough=True)]) == ()
    with pytest.raises(ValidationError, match="written by Trunkline"):
        HeaderMappings.model_validate(
            {
                "direction": "outbound",
                "headers": [{"type": "custom", "key": "a", "value": name}],
            }
        )
    assert flat_problem({name: "x"}) is not None


def test_stored_headers_are_mappings_of_their_direction() -> None:
    stored = {
        "direction": "inbound",
        "headers": [{"type": "custom", "key": "X-A", "value": "a"}],
    }

    assert mappings_of(stored, Direction.INBOUND) == (custom("X-A", "a"),)
    assert mappings_of(stored, Direction.OUTBOUND) == ()
    assert mappings_of(None, Direction.INBOUND) == ()
    assert mappings_of({"direction": "inbound", "headers": [{}]}, Direction.INBOUND) == ()


def test_a_flat_map_is_fixed_values_both_ways() -> None:
    stored = {"X-Account": "acme"}

    assert headers_from({}, mappings_of(stored, Direction.OUTBOUND)) == (("X-Account", "acme"),)
    assert variables_from([], mappings_of(stored, Direction.INBOUND)) == {"X-Account": "acme"}


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, None),
        ({"X-Account": "acme"}, None),
        ({"X Account": "acme"}, "name of a SIP header"),
        ({"X-Account": "a\r\nVia: b"}, "control characters"),
        ({"X-Account": "a" * 1025}, "at most 1024"),
        ({f"X-{index}": "a" for index in range(16)}, "at most 15"),
    ],
)
def test_a_flat_map_that_cannot_be_sent_is_told_apart(
    headers: dict[str, str], words: str | None
) -> None:
    problem = flat_problem(headers)

    assert (problem is None) == (words is None)
    assert (words or "") in (problem or "")


@given(
    st.text(max_size=50),
    st.text(max_size=50),
    st.sampled_from(["hex", "ascii"]),
)
def test_no_variable_can_bring_a_header_of_its_own(value: str, other: str, encoding: str) -> None:
    made = headers_from(
        {"a": value, "b": other},
        [custom("a", "X-A"), uui(target="b", encoding=encoding)],
    )

    for name, line in made:
        assert name in {"X-A", "User-to-User"}
        assert not any(character < " " or character == "\x7f" for character in line)


@given(st.text(min_size=1, max_size=50).filter(lambda text: not (set(text) & {"\ud800"})))
def test_what_is_sent_in_hex_is_what_is_received(value: str) -> None:
    made = headers_from({"CustomerId": value}, [uui()])

    assert variables_from(made, [uui()]) == {"CustomerId": value}


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_what_is_sent_as_text_is_what_is_received(value: str) -> None:
    mapping = uui(encoding="ascii")
    made = headers_from({"CustomerId": value}, [mapping])

    expected = {"CustomerId": value.strip()} if value else {}
    assert variables_from(made, [mapping]) == expected


@given(st.text(max_size=200))
def test_any_user_to_user_header_is_read_or_left(text: str) -> None:
    found = variables_from([("User-to-User", text)], [uui(), uui(target="b", encoding="ascii")])

    assert set(found) <= {"CustomerId", "b"}


@pytest.mark.parametrize(
    ("direction", "mapping", "place"),
    [
        ("inbound", {"type": "custom", "key": "", "value": "a"}, ("headers", 0, "custom", "key")),
        (
            "inbound",
            {"type": "custom", "key": "X-A", "value": "\n"},
            ("headers", 0, "custom", "value"),
        ),
        (
            "inbound",
            {"type": "custom", "key": "X\x00A", "value": "a"},
            ("headers", 0, "custom", "key"),
        ),
        (
            "inbound",
            {"type": "uui", "target": "a", "purpose": "b c"},
            ("headers", 0, "uui", "purpose"),
        ),
        ("inbound", "X-A", ("headers", 0)),
    ],
)
def test_a_mapping_that_means_nothing_is_refused_by_its_field(
    direction: str, mapping: Any, place: tuple[Any, ...]
) -> None:
    with pytest.raises(ValidationError) as refused:
        HeaderMappings.model_validate({"direction": direction, "headers": [mapping]})

    assert place in {error["loc"] for error in refused.value.errors()}


def test_mappings_are_a_list() -> None:
    with pytest.raises(ValidationError, match="must be a list"):
        HeaderMappings.model_validate({"direction": "inbound", "headers": {"X-A": "a"}})


def test_only_what_is_a_header_must_be_named_like_one() -> None:
    free = [
        {"type": "custom", "key": "any variable", "value": "VIP", "passthrough": True},
        {"type": "uui", "target": "a b", "purpose": "p", "encoding": "hex", "content": "c"},
    ]

    found = HeaderMappings.model_validate({"direction": "inbound", "headers": free})

    assert len(found.headers) == 2
