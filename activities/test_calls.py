"""A test call's side effects: the call itself with its rows as it goes on, its judgement, its end."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.call_journal import CallJournal, read_snapshot
from activities.call_lines import failure_event
from activities.call_plans import plan_of
from activities.contracts import (
    CALL_LIMIT,
    CLEAN_UP_PATIENCE,
    CleanUpOutcome,
    TestCallContract,
    TestCallFailure,
    TestCallOrder,
    TestCallOutcome,
)
from activities.dependencies import Dependencies
from activities.endings import outlasting, set_on_shutdown
from activities.heartbeats import heartbeats
from domain.call_result import CallVerdict, verdict_of
from domain.call_settings import CallSettings
from domain.call_state import CallFailure, CallResult, CallStatus
from domain.diagnosis import diagnose
from domain.proof import proof_of
from domain.variants import variants_for
from sip.call_facts import CallFacts
from sip.call_plan import CallPlan
from sip.net.call_agent import place_call
from sip.net.call_clean_up import clean_up_call
from storage import calls, trunks
from storage.call_placing import take
from storage.outbound import password_of
from storage.tables import Call
from storage.trunk_vault import client_certificate_of
from workflows.names import ErrorType

__all__ = ["TestCallActivities"]

_FACTS = TypeAdapter(CallFacts)


@dataclass(frozen=True, slots=True)
class TestCallActivities(TestCallContract):
    """See the contract for what each promises."""

    dependencies: Dependencies

    @activity.defn(name="test_call.place")
    async def place(self, order: TestCallOrder) -> TestCallOutcome:
        hang_up, stop = asyncio.Event(), asyncio.Event()
        async with heartbeats(lambda: None), set_on_shutdown(stop):
            return await outlasting(self._placed(order, hang_up, stop), hang_up)

    @activity.defn(name="test_call.clean_up")
    async def clean_up(self, order: TestCallOrder) -> CleanUpOutcome:
        async with heartbeats(lambda: None):
            return await self._cleaned_up(order)

    @activity.defn(name="test_call.fail")
    async def fail(self, failure: TestCallFailure) -> TestCallOutcome:
        async with self.dependencies.database.tenant(failure.org_id) as session:
            await calls.fail(session, failure.call_id, failure.reason, now=datetime.now(UTC))
            return await _outcome(session, failure.call_id)

    async def _placed(
        self, order: TestCallOrder, hang_up: asyncio.Event, stop: asyncio.Event
    ) -> TestCallOutcome:
        call, plan = await self._taken(order)
        if call.hang_up_at is not None:
            hang_up.set()
        dependencies = self.dependencies
        async with CallJournal(
            dependencies.call_writer,
            dependencies.secret_box,
            order,
            on_gone=hang_up.set,
            export=dependencies.traffic_export.of_call(order.call_id),
        ) as journal:
            facts = await place_call(
                plan,
                guard=dependencies.guard,
                resolver=dependencies.resolver,
                media_process=dependencies.media_process,
                media_ports=dependencies.settings.media_ports(),
                new_token=_token,
                observer=journal,
                hang_up=hang_up,
                stop=stop,
            )
        return await self._concluded(order, _settings_of(call), facts)

    async def _cleaned_up(self, order: TestCallOrder) -> CleanUpOutcome:
        dependencies = self.dependencies
        database, box = dependencies.database, dependencies.secret_box
        snapshot = await read_snapshot(database, box, order)
        async with database.tenant(order.org_id) as session:
            call = await calls.get(session, order.call_id)
            if snapshot is None or call is None:
                waits = call is not None and call.status is CallStatus.QUEUED
                return CleanUpOutcome(untaken=waits)
            plan = await self._plan(session, call)
        export = dependencies.traffic_export.of_call(order.call_id)
        async with CallJournal(dependencies.call_writer, box, order, export=export) as journal:
            facts = await clean_up_call(
                snapshot,
                guard=dependencies.guard,
                resolver=dependencies.resolver,
                new_token=_token,
                credentials=plan.credentials,
                wire=journal.wire,
                ca_file=plan.ca_file,
                ca_pem=plan.ca_pem,
                verify_tls=plan.verify_tls,
                pin=plan.certificate_pin,
                client=plan.client_certificate,
                seconds=CLEAN_UP_PATIENCE.total_seconds(),
            )
        if not facts.ended:
            raise ApplicationError(
                f"{order.call_id} may be up still: {facts.failure}",
                type=ErrorType.TEST_CALL_LEFT_UP,
            )
        async with database.tenant(order.org_id) as session:
            await calls.save_snapshot(session, order.call_id, None)
        statuses = tuple(status for _, status in facts.answers)
        return CleanUpOutcome(sent=facts.sent, answers=statuses)

    async def _taken(self, order: TestCallOrder) -> tuple[Call, CallPlan]:
        """The call, taken for good, and what to tell the user agent."""
        async with self.dependencies.database.tenant(order.org_id) as session:
            call = await take(session, order.call_id)
            if call is None:
                raise ApplicationError(
                    f"{order.call_id} was placed before, or has ended",
                    type=ErrorType.TEST_CALL_GONE,
                    non_retryable=True,
                )
            return call, await self._plan(session, call)

    async def _plan(self, session: AsyncSession, call: Call) -> CallPlan:
        settings = self.dependencies.settings
        box = self.dependencies.secret_box
        password, client = None, None
        if call.trunk_id is not None:
            password = await password_of(session, box, call.trunk_id)
            trunk = await trunks.get(session, call.org_id, call.trunk_id)
            client = None if trunk is None else client_certificate_of(box, trunk)
        return plan_of(
            _settings_of(call),
            password,
            user_agent=settings.user_agent,
            public_address=settings.public_address,
            ca_file=settings.tls_ca_file,
            client_certificate=client,
            call_id=call.id,
            limit_seconds=CALL_LIMIT.total_seconds(),
        )

    async def _concluded(
        self, order: TestCallOrder, settings: CallSettings, facts: CallFacts
    ) -> TestCallOutcome:
        verdict, now = verdict_of(facts), datetime.now(UTC)
        async with self.dependencies.database.tenant(order.org_id) as session:
            ended = await calls.conclude(
                session,
                order.call_id,
                status=verdict.status,
                result=verdict.result,
                ended_at=now,
                duration_ms=verdict.duration_ms,
                sip_code=verdict.sip_code,
                sip_reason=verdict.sip_reason,
                details=_details(settings, facts, verdict),
            )
            if ended and verdict.failure_reason is CallFailure.INTERRUPTED:
                event = failure_event(verdict.failure_reason, now)
                await calls.add_event(session, order.call_id, event)
            outcome = await _outcome(session, order.call_id)
        return outcome.model_copy(update={"left_up": facts.left_up})


def _details(settings: CallSettings, facts: CallFacts, verdict: CallVerdict) -> dict[str, Any]:
    diagnosis = diagnose(facts)
    return {
        "facts": _FACTS.dump_python(facts, mode="json"),
        "proof": [step.model_dump(mode="json") for step in proof_of(facts)],
        "diagnosis": None if diagnosis is None else diagnosis.model_dump(mode="json"),
        "variants": [each.model_dump(mode="json") for each in variants_for(facts, settings)],
        "failure_reason": verdict.failure_reason,
    }


async def _outcome(session: AsyncSession, call_id: str) -> TestCallOutcome:
    """How the call stands; one that is not there has failed."""
    row = await calls.get(session, call_id)
    if row is None:
        return TestCallOutcome(call_id=call_id, status=CallStatus.FAILED, result=CallResult.FAILED)
    reason = row.details.get("failure_reason")
    return TestCallOutcome(
        call_id=call_id,
        status=row.status,
        result=row.result,
        sip_code=row.sip_code,
        interrupted=reason in (CallFailure.INTERRUPTED, CallFailure.NOT_STARTED),
    )


def _settings_of(call: Call) -> CallSettings:
    return CallSettings.model_validate(call.details["settings"])


def _token() -> str:
    return secrets.token_hex(16)
