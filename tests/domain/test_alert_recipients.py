"""A recipient in a log is recognised by who knows it and learnt by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alert_picture import ChannelKind
from domain.alert_recipients import masked_recipient


@pytest.mark.parametrize(
    ("channel", "recipient", "shown"),
    [
        (ChannelKind.EMAIL, "alice@example.com", "a***@example.com"),
        (ChannelKind.EMAIL, "a@example.com", "a***@example.com"),
        (ChannelKind.SMS, "+14155550100", "+1415***0100"),
        (ChannelKind.SMS, "+491701234567", "+4917***4567"),
        (ChannelKind.SMS, "+12345678", "+1***5678"),
        (
            ChannelKind.WEBHOOK,
            "whk_9sVt3QeUo6yHd1BgXn5MiC",
            "whk_9sVt3QeUo6yHd1BgXn5MiC",
        ),
    ],
)
def test_a_recipient_is_shown_as(channel: ChannelKind, recipient: str, shown: str) -> None:
    assert masked_recipient(channel, recipient) == shown


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_three_digits_of_every_phone_number_are_covered(number: str) -> None:
    first, _, last = masked_recipient(ChannelKind.SMS, number).partition("***")

    assert number.startswith(first)
    assert number.endswith(last)
    assert len(number) - len(first) - len(last) >= 3
