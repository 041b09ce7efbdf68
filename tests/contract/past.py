"""What must have happened before a request of the contract can be answered as it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.attempts import AttemptOutcome
from domain.call_state import CallResult, CallStatus
from domain.call_timeline import timeline_text
from domain.health import HealthState
from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity
from domain.recommendation import recommend
from domain.replies import SipReply
from domain.trunk import Direction
from sip.dialog_state import (
    Answered,
    Calling,
    DialogPhase,
    DialogState,
    Ended,
    EndedBy,
    Origin,
    Ringing,
    Said,
)
from sip.transports import Transport
from storage import bindings, calls, discoveries, organizations
from storage.bindings import NewBinding
from storage.calls import NewEvent
from storage.discoveries import NewAttempt, Resolution
from storage.engine import Database
from storage.health_config import ResolvedTarget, write_resolution
from storage.health_writes import write_transitions
from storage.ids import new_id
from storage.tables import DiscoveryStatus
from tests.api.victims import add_discovery
from tests.domain.builders import answered
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call
from tests.storage.health_rows import a_transition, add_trunk, fences_of, place_names

__all__ = ["MEANWHILE", "PAST"]

Ids = dict[str, str]

HOST = "sip.example.com"
ADDRESS = "203.0.113.10"
_PROVIDER = "trunk.provider.com"
_BANNER = "Asterisk PBX 18.0.0"
_DIALOG = DialogState(
    call_id="abc123",
    local="<sip:trunkline@192.0.2.1>",
    local_tag="a",
    remote=f"<sip:1@{HOST}>",
    remote_tag="b",
    remote_target=f"sip:1@{HOST}",
    route_set=(),
    invite_cseq=1,
    local_cseq=1,
    remote_cseq=None,
    phase=DialogPhase.CONFIRMED,
    origin=Origin("UDP", "192.0.2.1", 5060, "<sip:192.0.2.1>", "Trunkline"),
)


async def _completed_discovery(database: Database, org_id: str) -> Ids:
    discovery_id = await add_discovery(database, org_id, HOST)
    await _run(database, org_id, discovery_id)
    return {"discovery_id": discovery_id}


async def _run(database: Database, org_id: str, discovery_id: str) -> None:
    """What a worker writes of a host that answers on UDP."""
    now = datetime.now(UTC)
    reply = SipReply(
        status=200,
        reason="OK",
        server=_BANNER,
        allow=("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"),
        codecs=("PCMU", "PCMA", "G.722"),
    )
    attempt = answered(Transport.UDP, ms=45, reply=reply, address=ADDRESS)
    best = recommend([attempt])
    assert best is not None
    found = Resolution(addresses=[ADDRESS], pinned=[], srv_records=[], trail=[])
    async with database.system() as session:
        await discoveries.record_resolution(
            session, discovery_id, found, now=now, runs_per_target=20
        )
    async with database.tenant(org_id) as session:
        await discoveries.add_attempts(session, discovery_id, [_row_of(attempt, now)])
        await discoveries.complete(
            session,
            discovery_id,
            recommended=best.model_dump(mode="json"),
            fingerprint=best.fingerprint.model_dump(mode="json"),
            now=now,
        )


def _row_of(attempt: AttemptOutcome, now: datetime) -> NewAttempt:
    assert attempt.reply is not None
    return NewAttempt(
        address=attempt.address,
        port=attempt.port,
        transport=attempt.transport.value,
        host=attempt.host,
        outcome=attempt.cause.value,
        response_code=attempt.reply.status,
        response_reason=attempt.reply.reason,
        response_time_ms=attempt.response_time_ms,
        user_agent=attempt.reply.banner,
        details=attempt.model_dump(mode="json"),
        started_at=now,
        ended_at=now,
    )


async def _running_discovery_is_run(database: Database, org_id: str) -> None:
    """Be the worker of the organization's next discovery."""
    while True:
        async with database.tenant(org_id) as session:
            begun = await discoveries.history(session, org_id, limit=1)
        if begun and begun[0].status is DiscoveryStatus.RUNNING:
            await _run(database, org_id, begun[0].id)
            return
        await asyncio.sleep(0.02)


async def _test_call(database: Database, org_id: str) -> Ids:
    call = await queued_call(database, org_id, at=datetime.now(UTC))
    return {"call_id": call.id}


async def _completed_test_call(database: Database, org_id: str) -> Ids:
    begun = datetime.now(UTC) - timedelta(seconds=10)
    call = await queued_call(database, org_id, at=begun, number="+14150000000")
    events = (
        Calling(0, attempt=1),
        Ringing(1, 180, "Ringing", "b", reliable=False),
        Answered(3, 200, "OK", None, _DIALOG, Said()),
        Ended(8, EndedBy.US, "done", 200, Said()),
    )
    async with database.tenant(org_id) as session:
        await calls.progress(
            session,
            call.id,
            sip_call_id="abc123@sip.example.com",
            from_user="+14150000000",
            to_user="+15105551234",
            answered_at=begun + timedelta(seconds=3),
        )
        invite = a_message(org_id, call.id, "INVITE", at=begun)
        await calls.add_messages(session, call.id, [invite])
        for event in events:
            line = timeline_text(event)
            assert line is not None
            at = begun + timedelta(seconds=event.at)
            new = NewEvent(at=at, event=line.event.value, detail=line.detail)
            await calls.add_event(session, call.id, new)
        await calls.conclude(
            session,
            call.id,
            status=CallStatus.COMPLETED,
            result=CallResult.CONNECTED,
            ended_at=begun + timedelta(seconds=8),
            duration_ms=8000,
            sip_code=200,
            sip_reason="OK",
        )
    return {"call_id": call.id}


async def _recipients(database: Database, org_id: str) -> Ids:
    async with database.system() as session:
        await organizations.change(session, org_id, alert_emails=["it@acme.example"])
    return {}


async def _completed_check(database: Database, org_id: str) -> Ids:
    """A number whose trunk was probed once, and answered."""
    trunk_id = await add_trunk(database, org_id, sip_endpoint=f"sip:{_PROVIDER}")
    binding = NewBinding(
        id=new_id("cfg"),
        org_id=org_id,
        phone_number="+14150000000",
        direction=Direction.OUTBOUND,
        trunk_id=trunk_id,
        priority=0,
    )
    name = NameIdentity(_PROVIDER, None, None, ProbeProfile(_PROVIDER))
    target = TargetIdentity(ADDRESS, 5060, Transport.UDP, name.profile)
    await place_names(database, org_id, trunk_id, name)
    now = datetime.now(UTC)
    change = a_transition(target.target_id, HealthState.HEALTHY, at=now)
    health = replace(change.state.health, last_ms=42.0)
    fences = await fences_of(database, name)
    async with database.tenant(org_id) as session:
        await bindings.add(session, [binding])
    async with database.system() as session:
        ((shard, fence),) = fences.items()
        await write_resolution(
            session,
            shard,
            fence,
            name.name_id,
            [ResolvedTarget(target)],
            now=now,
            ttl=timedelta(minutes=5),
        )
        answered = replace(change, state=replace(change.state, health=health))
        await write_transitions(session, fences, [answered])
    return {}


PAST: Final[dict[str, Callable[[Database, str], Awaitable[Ids]]]] = {
    "a completed discovery": _completed_discovery,
    "a test call": _test_call,
    "a completed test call": _completed_test_call,
    "a completed check": _completed_check,
    "recipients of alerts": _recipients,
}
MEANWHILE: Final[dict[str, Callable[[Database, str], Awaitable[None]]]] = {
    "the discovery runs": _running_discovery_is_run,
}
