"""Rows that tests of storage start from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from storage import calls, discoveries, organizations
from storage.calls import Admitted, NewTestCall
from storage.discoveries import Claimed, NewAttempt, NewDiscovery
from storage.engine import Database
from storage.ids import new_id
from storage.tables import Call, Discovery

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def add_organization(database: Database, name: str = "Example") -> str:
    """A new organization's id."""
    org_id = new_id("org")
    async with database.system() as session:
        await organizations.create(
            session,
            organizations.NewOrganization(id=org_id, name=name, region="us", entitlements=("SIP",)),
        )
    return org_id


def a_discovery(org_id: str, *, host: str = "sip.example.com", at: datetime = NOON) -> NewDiscovery:
    discovery_id = new_id("disc")
    return NewDiscovery(
        id=discovery_id,
        org_id=org_id,
        host=host,
        port=None,
        transport=None,
        input={"host": host},
        requested_by=new_id("key"),
        workflow_id=f"discovery:{discovery_id}",
        started_at=at,
        deadline_at=at + timedelta(seconds=90),
    )


async def running_discovery(
    database: Database, org_id: str, *, host: str = "sip.example.com", at: datetime = NOON
) -> Discovery:
    """A discovery that holds the organization's slot."""
    async with database.system() as session:
        outcome = await discoveries.claim_slot(
            session, a_discovery(org_id, host=host, at=at), runs_per_target=1000
        )
    assert isinstance(outcome, Claimed)
    return outcome.discovery


def an_attempt(port: int = 5060, **fields: Any) -> NewAttempt:
    return NewAttempt(
        **{
            "address": "192.0.2.1",
            "port": port,
            "transport": "udp",
            "host": "sip.example.com",
            "outcome": "answered",
            "response_code": 200,
            "response_reason": "OK",
            "response_time_ms": 12.5,
            "user_agent": "Asterisk PBX 18.0.0",
            "started_at": NOON,
            "ended_at": NOON + timedelta(milliseconds=13),
            **fields,
        }
    )


def a_test_call(org_id: str, *, at: datetime = NOON, **fields: Any) -> NewTestCall:
    call_id = new_id("tc")
    return NewTestCall(
        **{
            "id": call_id,
            "org_id": org_id,
            "number": "+14155550100",
            "trunk_id": new_id("trk"),
            "settings": {"host": "sip.example.com", "callee": "+14155550100"},
            "started_at": at,
            "deadline_at": at + timedelta(minutes=3),
            "workflow_id": f"test-call:{call_id}",
            "requested_by": new_id("key"),
            **fields,
        }
    )


async def queued_call(
    database: Database, org_id: str, *, at: datetime = NOON, **fields: Any
) -> Call:
    """An admitted test call."""
    new = a_test_call(org_id, at=at, **fields)
    async with database.tenant(org_id) as session:
        outcome = await calls.admit(session, new, limit=1000, window=timedelta(minutes=15))
        assert isinstance(outcome, Admitted)
        found = await calls.get(session, new.id)
    assert found is not None
    return found
