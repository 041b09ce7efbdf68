"""Test calls: admitted, started, repeated with a variant, ended on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import TestCallOrder
from api.authentication import Principal
from api.errors import Conflict, InvalidRequest, NotFound, RateLimited
from api.schemas.test_calls import TestCallRequest
from api.services.actor import Actor
from api.services.audit import record
from api.services.rate_limits import limit_headers
from api.services.workflow_starts import start_or_give_back
from api.state import ApiState
from domain.call_settings import CallSettings
from domain.call_state import CallFailure
from domain.phone_numbers import spellings_of
from domain.variants import Variant, VariantId, apply_variant
from storage import calls
from storage.calls import NewTestCall
from storage.ids import new_id
from storage.outbound import OutboundConfig, outbound_of
from storage.tables import Call
from workflows.names import test_call_workflow_id
from workflows.test_call import TEST_CALL_EXPIRY, TEST_CALL_TIMEOUT, TestCallWorkflow

__all__ = ["NoOutboundConfig", "Started", "StillRunning", "retried", "started"]

DEADLINE_MARGIN = timedelta(seconds=10)
"""Beyond the workflow's own timeout, before its row is called interrupted whatever Temporal says."""


class NoOutboundConfig(Conflict):
    """The number is not there, or leads nowhere; both look the same."""

    code = "NO_OUTBOUND_CONFIG"
    default_message = "This number has no outbound SIP configuration; attach one first."


class StillRunning(Conflict):
    """A retry needs what the call before it found out."""

    code = "TEST_CALL_IN_PROGRESS"
    default_message = "The call has not ended yet; follow it, or hang up first."


@dataclass(frozen=True, slots=True)
class Started:
    """A call whose workflow runs, and what is left of the limit as headers."""

    call_id: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A call that is about to be admitted."""

    number: str
    trunk_id: str | None
    settings: CallSettings
    parent: Call | None = None
    variant: VariantId | None = None


async def started(
    state: ApiState, principal: Principal, actor: Actor, body: TestCallRequest
) -> Started:
    """Admit a call over the number's first outbound configuration and start its workflow.

    Raises ``Conflict``, ``RateLimited`` or ``Unavailable``.
    """
    async with state.database.tenant(principal.org_id) as session:
        config = await _first_config(session, body.phone_number)
        callee = body.to or state.settings.test_callee or config.number
        wanted = _Wanted(config.number, config.trunk_id, config.call_to(callee))
        asked = body.model_dump(mode="json", exclude_none=True)
        outcome = await _admitted(session, state, principal, actor, wanted, asked)
    await _start(state, principal, outcome.call_id)
    return outcome


async def retried(
    state: ApiState, principal: Principal, actor: Actor, call_id: str, variant: VariantId
) -> Started:
    """Repeat an ended call with one of the variants that it offers; counted as any other call.

    Raises ``NotFound``, ``Conflict``, ``InvalidRequest``, ``RateLimited`` or ``Unavailable``.
    """
    async with state.database.tenant(principal.org_id) as session:
        parent = await calls.get_test(session, call_id)
        if parent is None:
            raise NotFound("no such test call")
        if parent.ended_at is None:
            raise StillRunning
        _check_offered(parent, variant)
        configs = await outbound_of(session, parent.number)
        if all(config.trunk_id != parent.trunk_id for config in configs):
            raise NoOutboundConfig
        before = CallSettings.model_validate(parent.details["settings"])
        wanted = _Wanted(
            parent.number, parent.trunk_id, apply_variant(before, variant), parent, variant
        )
        asked = {"phone_number": parent.number, "retry_of": call_id, "variant": variant.value}
        outcome = await _admitted(session, state, principal, actor, wanted, asked)
    await _start(state, principal, outcome.call_id)
    return outcome


async def _first_config(session: AsyncSession, number: str) -> OutboundConfig:
    for spelling in spellings_of(number):
        configs = await outbound_of(session, spelling)
        if configs:
            return configs[0]
    raise NoOutboundConfig


def _check_offered(parent: Call, variant: VariantId) -> None:
    offered = [Variant.model_validate(each).id for each in parent.details.get("variants") or ()]
    if variant in offered:
        return
    choice = ", ".join(offered)
    raise InvalidRequest(
        f"The call offers {choice}." if choice else "The call offers no variants.",
        field="variant",
        code="VARIANT_NOT_OFFERED",
    )


async def _admitted(
    session: AsyncSession,
    state: ApiState,
    principal: Principal,
    actor: Actor,
    wanted: _Wanted,
    asked: Mapping[str, Any],
) -> Started:
    """Write the row, with the audit entry in the same transaction."""
    now = datetime.now(UTC)
    call_id = new_id("tc")
    outcome = await calls.admit(
        session,
        NewTestCall(
            id=call_id,
            org_id=principal.org_id,
            number=wanted.number,
            trunk_id=wanted.trunk_id,
            settings=wanted.settings.model_dump(mode="json"),
            parent_id=wanted.parent.id if wanted.parent else None,
            variant=wanted.variant.value if wanted.variant else None,
            started_at=now,
            deadline_at=now + TEST_CALL_TIMEOUT + DEADLINE_MARGIN,
            workflow_id=test_call_workflow_id(call_id),
            requested_by=principal.key_id,
        ),
        limit=state.settings.test_calls_per_window,
        window=state.settings.test_call_window,
    )
    headers = limit_headers(outcome, now=now)
    if isinstance(outcome, calls.Limited):
        minutes = state.settings.test_call_window / timedelta(minutes=1)
        raise RateLimited(
            f"{outcome.limit} test calls in {minutes:g} minutes are allowed.",
            retry_after=outcome.retry_after,
            headers=headers,
        )
    await record(
        session,
        actor,
        org_id=principal.org_id,
        action="test_call.start",
        subject=("test_call", call_id),
        after=asked,
    )
    return Started(call_id, headers)


async def _start(state: ApiState, principal: Principal, call_id: str) -> None:
    """Start the workflow; without Temporal the call ends at once and the caller is told to retry."""

    async def give_back(session: AsyncSession) -> None:
        await calls.fail(session, call_id, CallFailure.NOT_STARTED, now=datetime.now(UTC))

    await start_or_give_back(
        state,
        principal.org_id,
        TestCallWorkflow.run,
        TestCallOrder(call_id=call_id, org_id=principal.org_id),
        workflow_id=test_call_workflow_id(call_id),
        within=TEST_CALL_EXPIRY,
        give_back=give_back,
    )
