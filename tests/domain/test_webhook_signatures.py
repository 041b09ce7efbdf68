"""Webhooks that come in: genuine, whole, fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from domain.webhook_signatures import WINDOW, InvalidSecret, is_genuine, key_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
BODY = b'{"type": "loa_signed"}'


def judged(
    *,
    message_id: str = "evt_1",
    at: datetime = NOW,
    timestamp: str | None = None,
    before: str = "",
    after: str = "",
    body: bytes = BODY,
) -> bool:
    signature = Webhook(SECRET).sign(message_id, at, BODY.decode())
    return is_genuine(
        key_of(SECRET),
        message_id=message_id,
        timestamp=timestamp or str(int(at.timestamp())),
        signatures=before + signature + after,
        body=body,
        now=NOW,
    )


def test_what_the_library_of_the_standard_signs_is_genuine() -> None:
    assert judged()
    assert judged(before="v1,AAAA v1a,xyz ", after=" v1,\u00e9")
    assert judged(at=NOW - WINDOW)
    assert judged(at=NOW + WINDOW)


def test_what_is_old_changed_or_of_another_form_is_not() -> None:
    assert not judged(at=NOW - WINDOW - timedelta(seconds=1))
    assert not judged(at=NOW + WINDOW + timedelta(seconds=1))
    assert not judged(body=BODY + b" ")
    assert not judged(timestamp=str(int(NOW.timestamp()) + 1))
    assert not judged(timestamp="soon")
    assert not judged(message_id="evt.1")
    assert not judged(message_id="")
    assert not judged(before="v1,AAAA " * 8)
    assert not judged(before="v2")


@given(st.text(), st.text(), st.text(), st.binary())
def test_nothing_that_is_made_up_is_genuine(one: str, two: str, three: str, body: bytes) -> None:
    assert not is_genuine(
        b"key", message_id=one, timestamp=two, signatures=three, body=body, now=NOW
    )


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%", "", "whsec_é"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(InvalidSecret):
        key_of(secret)
