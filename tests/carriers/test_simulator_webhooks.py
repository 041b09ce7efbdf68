"""Webhooks of the simulated carrier: when they come, and that only genuine ones are believed."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from carriers.simulator_script import course
from carriers.simulator_state import Scenario, SimulatedOrder
from carriers.simulator_webhooks import (
    CarrierNotice,
    WebhookRefused,
    due_webhooks,
    headers_of,
    next_webhook_at,
    verified,
    webhooks,
)
from channels.webhook import signed_headers
from tests.carriers.orders import MONDAY, a_submission, an_order, requested

SECRET = "whsec_" + base64.b64encode(b"between the carrier and us").decode()
MINUTE = timedelta(minutes=1)


def order_with(scenario: Scenario) -> SimulatedOrder:
    return requested(an_order(scenario), MONDAY, a_submission(requested_date=date(2026, 12, 8)))


def sequences(scenario: Scenario) -> list[int]:
    return [each.notice.sequence for each in webhooks(order_with(scenario))]


def test_each_change_is_told_when_it_happens() -> None:
    order = order_with(Scenario.HAPPY)
    assert [(each.at, each.notice.event) for each in webhooks(order)] == [
        (each.at, each.status) for each in course(order)
    ]
    assert webhooks(order)[0].body == (
        b'{"carrier_order_id":"sim_1","sequence":0,"event":"received"}'
    )
    assert webhooks(an_order()) == []


def test_webhooks_come_twice_in_another_order_or_not_at_all() -> None:
    assert sequences(Scenario.WEBHOOK_DUPLICATED) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert sequences(Scenario.WEBHOOK_REORDERED) == [1, 0, 3, 2, 4]
    assert sequences(Scenario.WEBHOOK_LOST) == []
    assert next_webhook_at(order_with(Scenario.WEBHOOK_LOST)) is None
    twice = webhooks(order_with(Scenario.WEBHOOK_DUPLICATED))
    assert twice[0].id == twice[1].id != twice[2].id


def test_those_that_were_sent_are_not_due_again() -> None:
    order = order_with(Scenario.HAPPY)
    assert next_webhook_at(order) == MONDAY
    assert [each.notice.sequence for each in due_webhooks(order, MONDAY + 10 * MINUTE)] == [0, 1]
    told = order.model_copy(update={"told": 1})
    assert [each.notice.sequence for each in due_webhooks(told, MONDAY + 10 * MINUTE)] == [1]
    assert next_webhook_at(told) == MONDAY + 10 * MINUTE
    assert due_webhooks(told, MONDAY) == []


def test_only_what_the_carrier_signed_is_believed() -> None:
    forged, genuine = webhooks(order_with(Scenario.WEBHOOK_FORGED))[:2]
    assert not forged.genuine
    with pytest.raises(WebhookRefused, match="signature"):
        verified(dict(headers_of(forged, SECRET, MONDAY)), forged.body, SECRET, now=MONDAY)
    notice = verified(dict(headers_of(genuine, SECRET, MONDAY)), genuine.body, SECRET, now=MONDAY)
    assert notice == CarrierNotice(carrier_order_id="sim_1", sequence=0, event="received")


def test_a_receiver_with_the_usual_library_believes_it_too() -> None:
    webhook = webhooks(order_with(Scenario.HAPPY))[0]
    now = datetime.now().astimezone()
    headers = dict(headers_of(webhook, SECRET, now))
    assert Webhook(SECRET).verify(webhook.body, headers)["event"] == "received"


@pytest.mark.parametrize(
    ("minutes", "reason"), [(5, None), (-5, None), (6, "five minutes"), (-6, "five minutes")]
)
def test_an_old_webhook_is_no_news(minutes: int, reason: str | None) -> None:
    webhook = webhooks(order_with(Scenario.HAPPY))[0]
    headers = dict(headers_of(webhook, SECRET, MONDAY))
    now = MONDAY + minutes * MINUTE
    if reason is None:
        assert verified(headers, webhook.body, SECRET, now=now) == webhook.notice
        return
    with pytest.raises(WebhookRefused, match=reason):
        verified(headers, webhook.body, SECRET, now=now)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "not a notice"),
        (b'{"carrier_order_id": ""}', "not a notice"),
        (b"\xff", "not a notice"),
        (b" " * 5000, "too large"),
    ],
)
def test_what_is_signed_must_be_a_notice(body: bytes, reason: str) -> None:
    headers = dict(signed_headers("msg_1", body, (SECRET,), int(MONDAY.timestamp())))
    with pytest.raises(WebhookRefused, match=reason):
        verified(headers, body, SECRET, now=MONDAY)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(max_size=20) | st.integers().map(str),
    ),
    st.binary(max_size=50),
)
def test_whatever_arrives_unsigned_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        verified(headers, body, SECRET, now=MONDAY)
