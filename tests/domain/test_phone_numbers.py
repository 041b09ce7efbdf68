"""Numbers as customers write them: possible ones are read, others get what was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phone_numbers import (
    InvalidNumber,
    identity_of,
    is_e164,
    number_of,
    spellings_of,
)

ANY_TEXT = st.text(max_size=40) | st.text(alphabet="+0123456789 ()-.", max_size=20)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+14150000000", "+14150000000"),
        ("14150000000", "+14150000000"),
        ("+442079460018", "+442079460018"),
        ("442079460018", "+442079460018"),
        ("+4520123456", "+4520123456"),
        ("493012345678", "+493012345678"),
        ("+80012345678", "+80012345678"),
        ("+6799123456", "+6799123456"),
    ],
)
def test_a_possible_number_is_read_with_or_without_plus(text: str, number: str) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("+1 415 555 0100", "+14155550100"),
        ("1-415-555-0100", "+14155550100"),
        ("(415) 555-0100", "+14155550100"),
        ("4155550100", "+14155550100"),
        ("415.555.0100", "+14155550100"),
        ("tel:+14155550100", "+14155550100"),
        ("+1\u00a0415\u00a0555\u00a00100", "+14155550100"),
        ("011442079460018", "+442079460018"),
        ("00442079460018", "+442079460018"),
        ("0044 20 7946 0018", "+442079460018"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        (" +14155550100", "+14155550100"),
        ("+14155550100 ", "+14155550100"),
        ("020 7946 0018", None),
        ("+1415555010", None),
        ("+141555501000", None),
        ("+41555501", None),
        ("+0415555010", None),
        ("+2105550100", None),
        ("+1234567890123456", None),
        ("911", None),
        ("+", None),
        ("++14155550100", None),
        ("alice", None),
        ("", None),
        ("   ", None),
        ("+1415555\u0660100", None),
        ("1" * 5000, None),
    ],
)
def test_what_is_none_says_what_was_probably_meant(text: str, suggestion: str | None) -> None:
    with pytest.raises(InvalidNumber) as refused:
        number_of(text)

    assert refused.value.suggestion == suggestion
    assert (suggestion or "") in str(refused.value)
    assert len(str(refused.value)) < 250


def test_ten_digits_that_two_countries_could_mean_are_not_guessed() -> None:
    # A number of Denmark without +, or one of North America without its country code.
    with pytest.raises(InvalidNumber, match=r"write \+4522345678") as refused:
        number_of("4522345678")

    assert refused.value.suggestion == "+14522345678"


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("2001", "2001"),
        ("14155550100", "14155550100"),
        ("0301234", "0301234"),
        ("bland-001", "bland-001"),
        ("*97", "*97"),
        ("+14155550100", "+14155550100"),
    ],
)
def test_on_a_trunk_only_a_leading_plus_makes_a_number(text: str, identity: str) -> None:
    assert identity_of(text) == identity


@pytest.mark.parametrize(
    "text", ["", "a b", "a@b", "a:b", "a<b", "caf\u00e9", "a\r\nb", "a,b", "a;b", "+12", "x" * 65]
)
def test_what_cannot_be_a_user_part_is_no_identity(text: str) -> None:
    with pytest.raises(InvalidNumber):
        identity_of(text)


@pytest.mark.parametrize(
    ("asked", "spellings"),
    [
        ("+14150000000", ("+14150000000",)),
        (" 14150000000", ("+14150000000",)),
        ("14150000000", ("14150000000", "+14150000000")),
        ("bland-001", ("bland-001",)),
    ],
)
def test_a_number_is_looked_for_by_every_way_of_writing_it(
    asked: str, spellings: tuple[str, ...]
) -> None:
    assert spellings_of(asked) == spellings


@given(ANY_TEXT)
def test_every_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = number_of(text)
    except InvalidNumber as refusal:
        suggestion = refusal.suggestion
        number = text = suggestion or "+14155550100"
    assert is_e164(number)
    assert number_of(number) == number
    assert number == f"+{text.removeprefix('+')}"


@given(ANY_TEXT)
def test_every_identity_is_kept_as_it_is(text: str) -> None:
    try:
        identity = identity_of(text)
    except InvalidNumber:
        return
    assert identity == text
    assert text in spellings_of(identity)
