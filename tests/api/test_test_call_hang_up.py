"""Test calls ended on request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.call_state import CallStatus
from storage import audit
from storage.ids import new_id
from tests.api.calling import Caller, ringing_worker
from tests.api.counting import code
from tests.api.waiting import eventually
from workflows import names

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


async def test_a_ringing_call_is_ended(caller: Caller) -> None:
    async with ringing_worker(caller.temporal, caller.database):
        call_id = await caller.placed()

        async def rings() -> bool:
            return (await caller.row(call_id)).status is CallStatus.RINGING

        await eventually(rings)
        answer = await caller.hang_up(call_id)

        assert answer.status_code == 200
        assert answer.json()["data"] == {"call_id": call_id, "message": "Hanging up"}
        ended = (await caller.status(call_id, wait=10)).json()["data"]
    assert (ended["status"], ended["failure_reason"]) == ("failed", "cancelled")
    assert ended["hang_up_requested_at"] is not None
    again = await caller.hang_up(call_id)
    assert (again.status_code, code(again)) == (409, "TEST_CALL_ENDED")
    async with caller.database.tenant(caller.tenant.org_id) as session:
        entries = await audit.entries(session, caller.tenant.org_id, limit=10, subject_id=call_id)
    assert [each.action for each in entries] == ["test_call.hang_up", "test_call.start"]


async def test_without_a_worker_the_wish_is_noted_and_the_caller_told_to_come_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.test_call_hang_up.UPDATE_DEADLINE", timedelta(seconds=0.3))
    call_id = await caller.placed()

    answer = await caller.hang_up(call_id)

    assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    row = await caller.row(call_id)
    assert row.hang_up_at is not None
    assert row.ended_at is None


async def test_a_call_whose_workflow_never_started_is_left_to_the_reaper(caller: Caller) -> None:
    call_id = await caller.placed()
    await caller.temporal.get_workflow_handle(names.test_call_workflow_id(call_id)).terminate()

    answer = await caller.hang_up(call_id)

    assert answer.status_code == 200
    assert (await caller.row(call_id)).hang_up_at is not None


async def test_an_unknown_call_is_not_found(caller: Caller) -> None:
    for call_id in (new_id("tc"), "tc_x", "x"):
        assert (await caller.hang_up(call_id)).status_code == 404
