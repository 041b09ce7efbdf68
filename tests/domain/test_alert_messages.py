"""What people and machines read of an alert."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alert_kinds import Severity
from domain.alert_mail import mail_of
from domain.alert_messages import (
    ALERT_MESSAGE,
    MEMBERS_AT_MOST,
    AlertEvent,
    AlertEventType,
    AlertLinks,
    AlertMessage,
    digest_of,
    event_of,
    trial_event,
)
from domain.alert_schema import example_alert, examples, schema_document
from domain.alert_services import pagerduty_body, slack_body
from domain.alert_sms import GSM_LIMIT, UCS2_LIMIT, sms_of, sms_units
from domain.alert_state import Alert, AlertMember
from tests.domain.alerting import NOW

SCHEMA = Path(__file__).parents[2] / "docs/alerts/alert-event.schema.json"
HOSTILE = '<script>alert("x")</script>&\r\nBcc: all@example.com'
LINKS = AlertLinks(dashboard="https://t.example/alerts/1?a=1&b=2", alert="https://t.example/v1/1")


def alert(count: int = 2, **facts: Any) -> Alert:
    members = tuple(
        AlertMember(trunk_id=f"trk_{each}", name=f"Trunk {each}", numbers=2, since=NOW)
        for each in range(count)
    )
    return example_alert().model_copy(update={"members": members, **facts})


def opened(about: Alert) -> AlertEvent:
    return event_of(about, AlertEventType.OPENED, NOW, LINKS)


def test_the_schema_file_is_what_the_models_say() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_document()


@pytest.mark.parametrize("message", examples(), ids=lambda each: each.type)
def test_every_example_obeys_the_schema_and_reads_back(message: AlertMessage) -> None:
    body = message.model_dump_json()
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(json.loads(body))
    assert ALERT_MESSAGE.validate_json(body) == message
    assert {"type", "id", "timestamp", "org_id", "data"} == set(json.loads(body))


def test_every_type_has_an_example() -> None:
    assert {each.type for each in examples()} == {*AlertEventType, "sip.alert.digest"}


def test_a_webhook_names_the_first_hundred_trunks_and_counts_all() -> None:
    data = opened(alert(250)).data
    assert len(data.trunks) == MEMBERS_AT_MOST
    assert (data.trunks_total, data.numbers_total) == (250, 500)
    assert len(opened(alert(250)).model_dump_json()) < 20_000


def test_an_open_alert_shows_who_is_concerned_now_and_at_its_end_all() -> None:
    about = alert(3)
    first = about.members[0].model_copy(update={"left_at": NOW})
    about = about.model_copy(update={"members": (first, *about.members[1:])})
    assert opened(about).data.trunks_total == 2
    assert opened(about.model_copy(update={"resolved_at": NOW})).data.trunks_total == 3


def test_an_event_keeps_its_id_and_has_no_full_stop_in_it() -> None:
    event = opened(alert())
    assert event.id == opened(alert()).id
    assert event.id != event_of(alert(), AlertEventType.RESOLVED, NOW).id
    assert re.fullmatch(r"evt_[0-9a-f]+", event.id)


def test_a_digest_is_of_alerts_that_are_over() -> None:
    over = alert(resolved_at=NOW + timedelta(hours=1))
    digest = digest_of([over, alert()], NOW)
    assert digest.data.alerts_total == 1
    with pytest.raises(ValueError, match="is over"):
        digest_of([alert()], NOW)


def test_mail_says_what_happened_and_what_to_change() -> None:
    mail = mail_of(opened(alert(30, flaps=2)))
    assert mail.subject == "[critical] No answer from sip1.carrier.example"
    for part in (mail.text, mail.html):
        assert "Ask the operator of sip1.carrier.example" in part
        assert "Trunk 19 (2 numbers)" in part
        assert "Trunk 20" not in part
        assert "and 10 more trunks" in part
        assert "2 times" in part
    assert mail.thread == alert().alert_id
    assert mail_of(opened(alert(1))).text.count("Trunk 0 (2 numbers)") == 1
    assert "Concerned (" not in mail_of(opened(alert(0))).text


def test_mail_about_the_end_asks_for_nothing() -> None:
    event = event_of(alert(resolved_at=NOW), AlertEventType.RESOLVED, NOW)
    mail = mail_of(event)
    assert mail.subject.startswith("[critical] Resolved: ")
    assert "What to change" not in mail.text
    assert "Resolved: 2026-03-09 12:00:00 UTC" in mail.text


def test_a_digest_is_one_mail() -> None:
    over = [alert(alert_id=f"alt_{each}", resolved_at=NOW) for each in range(60)]
    mail = mail_of(digest_of(over, NOW))
    assert mail.subject == "60 alerts opened and ended in quiet hours"
    assert "and 10 more" in mail.text
    assert mail_of(digest_of(over[:1], NOW)).subject.startswith("1 alert ")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


@pytest.mark.parametrize("text", [HOSTILE, "x\u2028y\x00z", "é" * 2000])
def test_names_of_others_are_neither_markup_nor_headers(text: str) -> None:
    member = AlertMember(
        trunk_id="trk_a", name=text, numbers=1, since=NOW, endpoints=(text,), no_route=True
    )
    about = alert(title=text, cause=text, happened=text, to_change=text, members=(member,))
    mail = mail_of(opened(about))
    assert mail.subject.isprintable()
    assert len(mail.subject) <= 150
    tags = Tags()
    tags.feed(mail.html)
    assert "script" not in tags.seen
    slack = slack_body(opened(about))
    assert "<script" not in slack["text"]
    for block in slack["blocks"]:
        assert len(block["text"]["text"]) <= 3000
        assert block["text"]["type"] == "plain_text" or "<script" not in block["text"]["text"]
    assert sms_of(opened(about)).isprintable()


@given(
    st.text(max_size=300),
    st.sampled_from(list(AlertEventType)),
    st.sampled_from(list(Severity)),
    st.integers(0, 90),
)
def test_a_text_message_fits_into_one(
    title: str, type_: AlertEventType, severity: Severity, count: int
) -> None:
    about = alert(count, title=title, severity=severity)
    units, limit = sms_units(sms_of(event_of(about, type_, NOW)))
    assert units <= limit
    assert limit in (GSM_LIMIT, UCS2_LIMIT)


def test_a_text_message_says_what_and_how_many() -> None:
    assert sms_of(opened(alert(80))) == (
        "ALERT critical: No answer from sip1.carrier.example (80 trunks)"
    )
    long = sms_of(opened(alert(80, title="x" * 300)))
    assert long.endswith("x... (80 trunks)")
    assert len(long) == 160
    assert sms_units("a[€") == (5, 160)
    assert sms_units("Łódź\U0001f600") == (6, 70)
    over = alert(resolved_at=NOW)
    assert sms_of(digest_of([over], NOW)) == "1 alert opened and ended in quiet hours"


def test_pagerduty_opens_acknowledges_and_resolves_one_incident() -> None:
    trigger = pagerduty_body(opened(alert()), "R" * 32)
    assert trigger["event_action"] == "trigger"
    assert set(trigger["payload"]) >= {"summary", "source", "severity"}
    assert trigger["payload"]["severity"] == "critical"
    assert [each["href"] for each in trigger["links"]] == [LINKS.dashboard, LINKS.alert]
    known = event_of(alert(acknowledged_at=NOW), AlertEventType.UPDATED, NOW)
    over = event_of(alert(resolved_at=NOW), AlertEventType.RESOLVED, NOW)
    for event, action in ((known, "acknowledge"), (over, "resolve")):
        assert pagerduty_body(event, "R" * 32) == {
            "routing_key": "R" * 32,
            "event_action": action,
            "dedup_key": trigger["dedup_key"],
        }
    worse = event_of(alert(), AlertEventType.UPDATED, NOW)
    assert pagerduty_body(worse, "R" * 32)["event_action"] == "trigger"
    assert "links" not in pagerduty_body(worse, "R" * 32)
    trial = pagerduty_body(trial_event("org_1", NOW), "R" * 32)
    assert trial["payload"]["severity"] == "info"


def test_slack_gets_blocks_and_a_line_for_the_notification() -> None:
    body = slack_body(opened(alert(12)))
    assert body["text"] == "No answer from sip1.carrier.example"
    assert [each["type"] for each in body["blocks"]] == ["header"] + ["section"] * 4
    assert "and 2 more" in body["blocks"][3]["text"]["text"]
    assert "|Open the alert>" in body["blocks"][4]["text"]["text"]
    assert "&amp;b=2" in body["blocks"][4]["text"]["text"]
    over = slack_body(event_of(alert(0, resolved_at=NOW), AlertEventType.RESOLVED, NOW))
    assert len(over["blocks"]) == 2
    assert ":white_check_mark:" in over["blocks"][1]["text"]["text"]
    digest = slack_body(digest_of([alert(resolved_at=NOW)], NOW))
    assert [each["type"] for each in digest["blocks"]] == ["header", "section"]
    markup = slack_body(opened(alert(happened="<" * 2400)))
    assert len(markup["blocks"][1]["text"]["text"]) <= 3000
