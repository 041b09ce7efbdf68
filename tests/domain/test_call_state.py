"""The words of a call's state, and whom a call may dial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.call_settings import MAX_USER_PART, is_user_part
from domain.call_state import CallFailure, CallStatus, call_failure_message, statuses_before
from sip.uri import SipUri, parse_uri

FINAL = (CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.BUSY, CallStatus.NO_ANSWER)


@pytest.mark.parametrize("reason", CallFailure)
def test_every_failure_is_explained(reason: CallFailure) -> None:
    assert call_failure_message(reason).endswith(".")


def test_an_unfinished_call_goes_through_its_states_in_order() -> None:
    progress = [status for status in CallStatus if status not in FINAL]
    for place, status in enumerate(progress):
        assert statuses_before(status) == tuple(progress[:place])


@pytest.mark.parametrize("status", FINAL)
def test_every_unfinished_state_comes_before_a_final_one(status: CallStatus) -> None:
    assert set(statuses_before(status)) == set(CallStatus) - set(FINAL)


@pytest.mark.parametrize(
    "text", ["+14155550100", "100", "*98", "*98%23", "echo", "a.b-c_d~1", "1;phone-context=+1"]
)
def test_numbers_extensions_and_names_can_be_dialled(text: str) -> None:
    assert is_user_part(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a b",
            "alice@example.com",
            "alice:secret",
            "*98#",
            "sip:100",
            "\u00fc",
            "1\r\nVia: x",
        ),
        *("1\n", "<1>", '"1"', "%", "%2", "%zz", "1" * (MAX_USER_PART + 1)),
    ],
)
def test_what_would_break_the_request_line_cannot(text: str) -> None:
    assert not is_user_part(text)


@given(st.text(max_size=MAX_USER_PART + 4))
def test_what_can_be_dialled_comes_back_from_the_wire(text: str) -> None:
    if is_user_part(text):
        uri = parse_uri(f"sip:{text}@pbx.example.com:5080;transport=tcp")
        assert isinstance(uri, SipUri)
        assert (uri.user, uri.password, uri.host) == (text, None, "pbx.example.com")
        assert text.isascii()
        assert not set(text) & set(' \t\r\n@:<>"')
