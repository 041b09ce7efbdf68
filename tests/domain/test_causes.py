"""What is read from Reason, Warning, Retry-After and the headers of vendors."""

from __future__ import annotations

import pytest

from domain.causes import Clues, clues_of
from domain.q850 import Q850
from sip.dialog_state import Said


def vendor(name: str, value: str) -> Clues:
    return clues_of(Said(details=((name, value),)))


@pytest.mark.parametrize(
    ("value", "cause", "shown"),
    [
        ('Q.850;cause=17;text="User busy"', 17, 'Q.850 17: "User busy"'),
        ("Q.850 ;cause=34", 34, "Q.850 34: no circuit or channel available"),
        ('q.850; cause = "21"', 21, "Q.850 21: call rejected"),
        ("Q.850;text=Congestion;cause=42", 42, 'Q.850 42: "Congestion"'),
        ('Q.850;cause=16;text="a, b; cause=17"', 16, 'Q.850 16: "a, b; cause=17"'),
        ("Q.850;cause=250", 250, "Q.850 250"),
        (
            'SIP;cause=200;text="Call completed elsewhere"',
            None,
            'SIP 200: "Call completed elsewhere"',
        ),
        ("X.int;reason-code=0x0;add-info=02D1", None, "X.INT"),
    ],
)
def test_a_reason_is_read(value: str, cause: int | None, shown: str) -> None:
    clues = clues_of(Said(reasons=(value,)))
    assert clues.q850 == cause
    assert clues.reasons == (shown,)


def test_several_reasons_in_one_header_are_told_apart() -> None:
    clues = clues_of(Said(reasons=('SIP;cause=486;text="Busy, here", Q.850;cause=17',)))
    assert clues.q850 == 17
    assert clues.reasons == ('SIP 486: "Busy, here"', "Q.850 17: callee busy")


@pytest.mark.parametrize("cause", [17, 21, 28, 34, 38, 41, 42, 57, 88])
def test_the_causes_that_trunks_give_have_words(cause: int) -> None:
    clues = clues_of(Said(reasons=(f"Q.850;cause={cause}",)))
    assert clues.q850_text == Q850[cause].text


@pytest.mark.parametrize(
    ("value", "codes", "texts", "agent"),
    [
        (
            '305 sip.example.com "Incompatible media format"',
            (305,),
            (
                '305 "Incompatible media format" (a media format (codec) of the session '
                "description is not available)",
            ),
            "sip.example.com",
        ),
        ('399 - "No \\"route\\""', (399,), ('399 "No "route""',), None),
        (
            '370 a:5060 "x, y", 399 b "z"',
            (370, 399),
            ('370 "x, y" (there is not enough bandwidth)', '399 "z"'),
            "a:5060",
        ),
        ("no format at all", (), ("no format at all",), None),
    ],
)
def test_a_warning_is_read(
    value: str, codes: tuple[int, ...], texts: tuple[str, ...], agent: str | None
) -> None:
    clues = clues_of(Said(warnings=(value,)))
    assert (clues.warn_codes, clues.warnings, clues.agent) == (codes, texts, agent)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("18000;duration=3600", 18000),
        ("120 (I'm in a meeting)", 120),
        ("99999999999", 604_800),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_without_comment_and_parameters(
    value: str, seconds: int | None
) -> None:
    assert clues_of(Said(retry_after=value)).retry_after == seconds


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("P-Hangup-Cause", "USER_BUSY", 17),
        ("X-Asterisk-HangupCause", "Normal Clearing", 16),
        ("X-Asterisk-HangupCauseCode", "34", 34),
        ("X-Disconnect-Reason", "Q.850;cause=57", 57),
        ("X-Error", "900", None),
        ("X-Error", "something", None),
        ("X-Account", "17", None),
    ],
)
def test_the_cause_in_a_vendors_header_is_read(name: str, value: str, cause: int | None) -> None:
    assert vendor(name, value).q850 == cause


def test_the_reason_header_counts_more_than_a_vendors() -> None:
    said = Said(reasons=("Q.850;cause=34",), details=(("X-Asterisk-HangupCauseCode", "17"),))
    assert clues_of(said).q850 == 34


def test_twilios_error_is_read_and_is_no_q850_cause() -> None:
    clues = vendor("X-Twilio-Error", "32203 Blocked number")
    assert (clues.twilio_error, clues.q850) == (32203, None)
    assert clues.vendor == ("X-Twilio-Error: 32203 Blocked number",)


def test_microsofts_diagnostics_are_read() -> None:
    value = '540000;reason="Number not found; ask";source="sip.pstnhub.microsoft.com"'
    clues = vendor("ms-diagnostics", value)
    assert clues.microsoft_code == 540000
    assert clues.vendor == ("ms-diagnostics: 540000 Number not found; ask",)


def test_words_are_found_whole_or_by_their_beginning() -> None:
    clues = clues_of(Said(warnings=('399 a "Codec-mismatch, viaduct"',)), "Bad Request")
    assert clues.mention("codec")
    assert clues.mention("bad request")
    assert clues.mention("mis*")
    assert not clues.mention("via")
    assert not clues.mention("ecod*")


def test_only_the_peers_own_words_are_searched() -> None:
    clues = clues_of(Said(reasons=("Q.850;cause=34",), warnings=('305 codec.example "no"',)))
    assert not clues.mention("circuit")
    assert not clues.mention("codec")
    assert clues.mention("no")


def test_a_long_header_is_bounded() -> None:
    clues = clues_of(Said(reasons=("SIP;text=" + "x" * 50_000,), warnings=("y" * 50_000,) * 40))
    assert all(len(text) <= 300 for text in (*clues.reasons, *clues.warnings))
    assert len(clues.warnings) <= 16


@pytest.mark.parametrize("value", ['"' * 8000, ";cause=" * 2000, 'a;"' * 3000, "399 a " * 2000])
def test_hostile_values_take_no_time(value: str) -> None:
    said = Said(reasons=(value,) * 8, warnings=(value,) * 8, details=(("X-Error", value),) * 8)
    assert clues_of(said).q850 is None
