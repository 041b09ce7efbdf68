"""A test call's activities against the lab: real sockets, real rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import contracts
from activities.call_journal import read_snapshot, sealed_snapshot
from activities.dependencies import Dependencies
from activities.test_calls import TestCallActivities as Activities
from domain.call_state import CallFailure, CallResult, CallStatus
from lab import Lab
from sip.call_facts import CallFacts, StopCause
from sip.dialog_state import CallSnapshot
from storage import calls
from storage.engine import Database
from storage.tables import Call
from tests.storage.factories import add_organization, queued_call
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock
from workflows.names import ErrorType

pytestmark = pytest.mark.postgres

PEERS = ("asterisk", "busy", "no-answer", "identity-required", "ignores-bye")
FACTS = TypeAdapter(CallFacts)


@pytest.fixture(scope="module")
async def answering(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lab]:
    """The peers that are called here."""
    folder = tmp_path_factory.mktemp("lab")
    async with Lab(new_lab_network(loopback), folder, PEERS) as running:
        yield running


class Caller:
    """Places calls of an organization of its own to the lab."""

    def __init__(self, dependencies: Dependencies, lab: Lab, org_id: str) -> None:
        self.activities = Activities(dependencies)
        self.environment = ActivityEnvironment()
        self.database, self._box = dependencies.database, dependencies.secret_box
        self._lab, self._org_id = lab, org_id

    async def order(self, peer: str, **settings: Any) -> contracts.TestCallOrder:
        """A queued call to this peer."""
        call = await queued_call(
            self.database,
            self._org_id,
            at=datetime.now(UTC),
            trunk_id=None,
            settings={
                "host": self._lab.peers[peer].address,
                "transport": "udp",
                "port": 5060,
                "callee": "+12025550123",
                "caller_number": "+14155550100",
                **settings,
            },
        )
        return contracts.TestCallOrder(call_id=call.id, org_id=self._org_id)

    async def place(self, order: contracts.TestCallOrder) -> contracts.TestCallOutcome:
        return await self.environment.run(self.activities.place, order)

    async def row(self, order: contracts.TestCallOrder) -> Call:
        async with self.database.tenant(self._org_id) as session:
            found = await calls.get(session, order.call_id)
        assert found is not None
        return found

    async def words(self, order: contracts.TestCallOrder) -> list[str]:
        """The timeline."""
        async with self.database.tenant(self._org_id) as session:
            return [each.event for each in await calls.events(session, order.call_id)]

    async def until(self, order: contracts.TestCallOrder, status: CallStatus) -> None:
        """Return once the call has this status. Raises ``TimeoutError``."""
        for _ in range(500):
            if (await self.row(order)).status is status:
                return
            await asyncio.sleep(0.02)
        raise TimeoutError(status)

    async def snapshot(self, order: contracts.TestCallOrder) -> CallSnapshot | None:
        """What a clean-up would go by."""
        return await read_snapshot(self.database, self._box, order)

    async def keep(self, order: contracts.TestCallOrder, snapshot: CallSnapshot) -> None:
        sealed = sealed_snapshot(self._box, order, snapshot)
        async with self.database.tenant(order.org_id) as session:
            await calls.save_snapshot(session, order.call_id, sealed)


@pytest.fixture
async def caller(dependencies: Dependencies, database: Database, answering: Lab) -> Caller:
    return Caller(dependencies, answering, await add_organization(database))


async def test_a_call_that_works_is_proven_and_leaves_nothing_up(caller: Caller) -> None:
    order = await caller.order("asterisk")
    outcome = await caller.place(order)
    row = await caller.row(order)
    assert (outcome.status, outcome.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
    assert (outcome.sip_code, outcome.interrupted) == (200, False)
    assert (row.status, row.result, row.sip_code) == (outcome.status, outcome.result, 200)
    assert row.ended_at is not None
    assert row.duration_ms is not None
    assert {step["rung"]: step["outcome"] for step in row.details["proof"]}["rtp_in"] == "pass"
    assert row.details["diagnosis"] is None
    assert await caller.snapshot(order) is None
    words = await caller.words(order)
    assert [each for each in words if each in ("initiated", "ringing", "answered")] == [
        "initiated",
        "ringing",
        "answered",
    ]
    assert words[-1] == "completed"


async def test_the_facts_are_kept_with_the_call(caller: Caller) -> None:
    order = await caller.order("busy")
    outcome = await caller.place(order)
    facts = FACTS.validate_python((await caller.row(order)).details["facts"], strict=False)
    assert (outcome.status, outcome.result) == (CallStatus.BUSY, CallResult.BUSY)
    assert facts.invite is not None
    assert facts.invite.final is not None
    assert facts.invite.final.status == 486


async def test_a_refused_call_offers_what_usually_cures_it(caller: Caller) -> None:
    order = await caller.order("identity-required")
    outcome = await caller.place(order)
    details = (await caller.row(order)).details
    assert (outcome.status, outcome.sip_code) == (CallStatus.FAILED, 403)
    assert details["diagnosis"]["sip_code"] == 403
    assert details["variants"] != []
    assert details["failure_reason"] is None


async def test_a_call_is_never_placed_twice(caller: Caller) -> None:
    order = await caller.order("busy")
    await caller.place(order)
    before = await caller.row(order)
    with pytest.raises(ApplicationError) as refused:
        await caller.place(order)
    assert (refused.value.type, refused.value.non_retryable) == (ErrorType.TEST_CALL_GONE, True)
    assert await caller.row(order) == before


async def test_a_cancelled_call_hangs_up_and_is_no_failure_of_the_trunk(caller: Caller) -> None:
    order = await caller.order("no-answer")
    placing = asyncio.create_task(caller.place(order))
    await caller.until(order, CallStatus.RINGING)
    caller.environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    row = await caller.row(order)
    assert (row.status, row.details["failure_reason"]) == (CallStatus.FAILED, "cancelled")
    assert row.sip_code == 487
    assert await caller.snapshot(order) is None


async def test_a_call_that_was_answered_and_hung_up_is_connected(caller: Caller) -> None:
    order = await caller.order("asterisk")
    placing = asyncio.create_task(caller.place(order))
    await caller.until(order, CallStatus.IN_PROGRESS)
    caller.environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    row = await caller.row(order)
    facts = FACTS.validate_python(row.details["facts"], strict=False)
    assert (row.status, row.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
    assert facts.stopped is StopCause.HANG_UP


async def test_a_draining_worker_hangs_up_and_says_interrupted(caller: Caller) -> None:
    order = await caller.order("no-answer")
    placing = asyncio.create_task(caller.place(order))
    await caller.until(order, CallStatus.RINGING)
    caller.environment.worker_shutdown()
    outcome = await placing
    row = await caller.row(order)
    assert (outcome.status, outcome.interrupted) == (CallStatus.FAILED, True)
    assert row.details["failure_reason"] == "interrupted"
    assert await caller.snapshot(order) is None
    assert (await caller.words(order))[-1] == "failed"


async def test_a_call_that_somebody_hung_up_before_is_not_placed(
    caller: Caller, database: Database
) -> None:
    order = await caller.order("asterisk")
    async with database.tenant(order.org_id) as session:
        await calls.request_hang_up(session, order.call_id, now=datetime.now(UTC))
    outcome = await caller.place(order)
    row = await caller.row(order)
    assert outcome.status is CallStatus.FAILED
    assert row.details["failure_reason"] == "cancelled"
    assert row.sip_call_id is None


async def test_failing_closes_the_row_once(caller: Caller) -> None:
    order = await caller.order("asterisk")
    failure = contracts.TestCallFailure(
        call_id=order.call_id, org_id=order.org_id, reason=CallFailure.INTERRUPTED
    )
    first = await caller.environment.run(caller.activities.fail, failure)
    row, words = await caller.row(order), await caller.words(order)
    again = await caller.environment.run(
        caller.activities.fail, failure.model_copy(update={"reason": CallFailure.CANCELLED})
    )
    assert first == again
    assert (first.status, first.interrupted) == (CallStatus.FAILED, True)
    assert (await caller.row(order), await caller.words(order)) == (row, words)
    assert words == ["failed"]


async def test_failing_a_call_that_has_a_verdict_returns_it(caller: Caller) -> None:
    order = await caller.order("busy")
    placed = await caller.place(order)
    failure = contracts.TestCallFailure(
        call_id=order.call_id, org_id=order.org_id, reason=CallFailure.CANCELLED
    )
    assert await caller.environment.run(caller.activities.fail, failure) == placed


async def test_failing_a_call_that_is_gone_is_no_error(caller: Caller, database: Database) -> None:
    org_id = await add_organization(database)
    failure = contracts.TestCallFailure(
        call_id="tc_gone", org_id=org_id, reason=CallFailure.INTERRUPTED
    )
    outcome = await caller.environment.run(caller.activities.fail, failure)
    assert outcome.status is CallStatus.FAILED


async def test_a_clean_up_ends_a_call_that_talks(caller: Caller, answering: Lab) -> None:
    order = await caller.order("asterisk")
    placing = asyncio.create_task(caller.place(order))
    await caller.until(order, CallStatus.IN_PROGRESS)
    cleaned = await ActivityEnvironment().run(caller.activities.clean_up, order)
    assert answering.peers["asterisk"].live_calls == 0
    assert (cleaned.sent, cleaned.answers) == (("ACK", "BYE"), (200,))
    assert (await placing).status is CallStatus.COMPLETED
    async with caller.database.tenant(order.org_id) as session:
        messages = await calls.messages(session, await caller.row(order))
    assert sum(each.data.startswith(b"BYE ") for each in messages) == 2


async def test_a_clean_up_has_nothing_to_do_for_a_call_that_ended(caller: Caller) -> None:
    order = await caller.order("busy")
    await caller.place(order)
    cleaned = await caller.environment.run(caller.activities.clean_up, order)
    assert cleaned == contracts.CleanUpOutcome()


async def test_a_clean_up_tells_of_a_call_that_nobody_began(caller: Caller) -> None:
    order = await caller.order("asterisk")
    cleaned = await caller.environment.run(caller.activities.clean_up, order)
    assert cleaned == contracts.CleanUpOutcome(untaken=True)
    assert (await caller.place(order)).status is CallStatus.COMPLETED


async def test_a_clean_up_without_an_answer_can_be_tried_again(caller: Caller) -> None:
    order = await caller.order("asterisk")
    placing = asyncio.create_task(caller.place(order))
    await caller.until(order, CallStatus.IN_PROGRESS)
    kept = await caller.snapshot(order)
    await placing
    assert kept is not None
    closed = replace(
        kept,
        remote=(kept.remote[0], 5999),
        dialogs=tuple(
            replace(each, remote_target=f"sip:{kept.remote[0]}:5999") for each in kept.dialogs
        ),
    )
    await caller.keep(order, closed)
    with pytest.raises(ApplicationError) as left:
        await caller.environment.run(caller.activities.clean_up, order)
    assert (left.value.type, left.value.non_retryable) == (ErrorType.TEST_CALL_LEFT_UP, False)
    assert await caller.snapshot(order) == closed
