"""Webhooks about port orders: a type for each transition, a body that its schema describes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from domain.porting.effects import Audience, EntryKind, NoticeKind
from domain.porting.port_event import EVENT_TYPES, event_type, is_for_webhooks
from domain.porting.port_event_schema import examples, schema_document
from domain.porting.words import SubStatus
from tests.domain.porting.notices import a_notice

SCHEMA = Path(__file__).parents[3] / "docs/porting/port-event.schema.json"


def test_the_schema_is_published_as_it_is() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_document()


def test_every_example_is_what_the_schema_says() -> None:
    document = json.loads(schema_document())
    validator = jsonschema_rs.Draft202012Validator(document, validate_formats=True)

    assert len(document["examples"]) == len(EVENT_TYPES)
    for example in document["examples"]:
        assert list(validator.iter_errors(example)) == []
        assert not validator.is_valid({**example, "type": "port.unheard_of"})


def test_there_is_an_event_for_every_transition_and_one_example_of_each_type() -> None:
    assert [each.type for each in examples()] == list(EVENT_TYPES)
    assert {f"port.{each.value}" for each in SubStatus} - set(EVENT_TYPES) == {"port.draft"}


def test_nothing_of_people_is_in_an_event() -> None:
    for each in examples():
        written = each.model_dump_json()
        for hidden in ("Jane", "Roe", "jane@acme.example", "Acme", "NAME DOES NOT MATCH"):
            assert hidden not in written


@pytest.mark.parametrize("kind", NoticeKind)
def test_webhooks_hear_what_customers_are_told(kind: NoticeKind) -> None:
    unheard = {
        NoticeKind.SIGNATURE_LINK,
        NoticeKind.SIGNATURE_REMINDER,
        NoticeKind.NEEDS_OPERATOR,
    }
    assert is_for_webhooks(a_notice(kind)) == (kind not in unheard)
    assert not is_for_webhooks(a_notice(kind, audience=Audience.OPERATOR))
    assert not is_for_webhooks(a_notice(kind, audience=Audience.SIGNER))


def test_a_transition_is_named_after_where_it_leads() -> None:
    assert event_type(a_notice(status=SubStatus.LSR_SENT)) == "port.lsr_sent"
    reminded = a_notice(
        NoticeKind.ACTION_REMINDER, SubStatus.ACTION_REQUIRED, entry=EntryKind.REMINDED
    )
    assert event_type(reminded) == "port.reminder"
