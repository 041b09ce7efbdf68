"""Discoveries: admitted, started, followed."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import DiscoveryOrder
from api.authentication import Principal
from api.errors import Conflict, InvalidRequest, NotFound, RateLimited
from api.schemas.discovery import DiscoverRequest, DiscoveryView
from api.services.actor import Actor
from api.services.audit import record
from api.services.workflow_starts import start_or_give_back
from api.state import ApiState
from domain.attempts import AttemptOutcome
from domain.destination import Destination, parse_destination
from domain.discovery_state import FailureReason
from domain.recommendation import Recommendation, recommend
from sip.disguise import decode_disguised_ipv4
from sip.net.guard import AddressGuard, TargetNotAllowed
from storage import discoveries
from storage.ids import new_id
from storage.notify import topic
from storage.tables import Discovery, DiscoveryAttempt, DiscoveryStatus
from workflows.discovery import DISCOVERY_TIMEOUT, DiscoveryWorkflow
from workflows.names import discovery_workflow_id

__all__ = ["admitted_target", "followed", "started"]

SLOT_MARGIN = timedelta(seconds=10)
"""Beyond the workflow's own timeout, before its row is called interrupted whatever Temporal says."""

MISSED_NEWS = timedelta(seconds=1)
"""Rows are read again at least this often, for a notification lost with its connection."""


def admitted_target(state: ApiState, body: DiscoverRequest) -> Destination:
    """The destination to discover, the body's port and transport over those inside ``host``.

    An address is judged at once, what a name leads to where it is connected to. Raises
    ``InvalidRequest``.
    """
    target = _target(body)
    _check_literal(state, target)
    return target


async def started(
    state: ApiState, principal: Principal, actor: Actor, body: DiscoverRequest, target: Destination
) -> str:
    """Take the organization's slot and start the workflow; the discovery's id.

    Raises ``Conflict``, ``RateLimited`` or ``Unavailable``.
    """
    discovery_id = await _claim(state, principal, actor, body, target)
    await _start(state, principal, discovery_id)
    return discovery_id


def _target(body: DiscoverRequest) -> Destination:
    """The destination, with the body's port and transport over those inside ``host``."""
    disguised = decode_disguised_ipv4(body.host.strip())
    if disguised is not None:
        raise InvalidRequest(
            f"{disguised} is written in a form that hides it; write it with four decimal numbers.",
            field="host",
            code="TARGET_NOT_ALLOWED",
        )
    parsed = parse_destination(body.host)
    if parsed.parsed is None:
        words = " ".join(text for text in (parsed.message, parsed.suggestion) if text)
        raise InvalidRequest(words or "This is not a destination.", field="host")
    return parsed.parsed.model_copy(
        update={
            "port": body.port or parsed.parsed.port,
            "transport": body.transport or parsed.parsed.transport,
        }
    )


def _check_literal(state: ApiState, target: Destination) -> None:
    """Refuse an address at once; what a name leads to is judged where it is connected to."""
    try:
        ipaddress.ip_address(target.host)
    except ValueError:
        return
    try:
        AddressGuard(allowed=state.settings.allowed_networks).check(target.host)
    except TargetNotAllowed as error:
        raise InvalidRequest(
            f"{error.reason}. Only the operator can allow it.",
            field="host",
            code="TARGET_NOT_ALLOWED",
        ) from error


async def _claim(
    state: ApiState, principal: Principal, actor: Actor, body: DiscoverRequest, target: Destination
) -> str:
    """Take the organization's slot, with the audit entry in the same transaction."""
    now = datetime.now(UTC)
    discovery_id = new_id("disc")
    # As it was read, not as it was pasted: people paste addresses with their password.
    asked = {**body.model_dump(mode="json"), "host": target.normalized}
    async with state.database.system() as session:
        outcome = await discoveries.claim_slot(
            session,
            discoveries.NewDiscovery(
                id=discovery_id,
                org_id=principal.org_id,
                host=target.host,
                port=target.port,
                transport=target.transport.value if target.transport else None,
                input=asked,
                requested_by=principal.key_id,
                workflow_id=discovery_workflow_id(discovery_id),
                started_at=now,
                deadline_at=now + DISCOVERY_TIMEOUT + SLOT_MARGIN,
            ),
            runs_per_target=state.settings.discovery_runs_per_target,
        )
        if isinstance(outcome, discoveries.AlreadyRunning):
            raise Conflict(
                "A discovery is running already; follow it, or wait until it has ended.",
                code="DISCOVERY_IN_PROGRESS",
                facts={"discovery_id": outcome.discovery_id},
            )
        if isinstance(outcome, discoveries.TargetLimited):
            raise RateLimited(
                f"{outcome.target} was discovered too often in the last hour.",
                retry_after=outcome.retry_after,
            )
        await record(
            session,
            actor,
            org_id=principal.org_id,
            action="discovery.start",
            subject=("discovery", discovery_id),
            after=asked,
        )
    return discovery_id


async def _start(state: ApiState, principal: Principal, discovery_id: str) -> None:
    """Start the workflow; without Temporal the slot is given back and the caller told to retry."""

    async def give_back(session: AsyncSession) -> None:
        await discoveries.fail(
            session,
            discovery_id,
            error_code=FailureReason.INTERRUPTED,
            error_message="The discovery could not be started. Run it again.",
            now=datetime.now(UTC),
        )

    await start_or_give_back(
        state,
        principal.org_id,
        DiscoveryWorkflow.run,
        DiscoveryOrder(discovery_id=discovery_id, org_id=principal.org_id),
        workflow_id=discovery_workflow_id(discovery_id),
        within=DISCOVERY_TIMEOUT,
        give_back=give_back,
    )


async def followed(
    state: ApiState, principal: Principal, discovery_id: str, wait: float
) -> DiscoveryView:
    """The discovery when it has ended, or as it stands after ``wait`` seconds.

    Raises ``NotFound``.
    """
    deadline = datetime.now(UTC) + timedelta(seconds=wait)
    async with state.listener.subscribe(topic(discoveries.CHANNEL, discovery_id)) as waiter:
        while True:
            view = await _view(state, principal, discovery_id)
            left = deadline - datetime.now(UTC)
            if view.status is not DiscoveryStatus.RUNNING or left <= timedelta(0):
                return view
            await waiter.wait(min(left, MISSED_NEWS))


async def _view(state: ApiState, principal: Principal, discovery_id: str) -> DiscoveryView:
    async with state.database.tenant(principal.org_id) as session:
        row = await discoveries.find(session, discovery_id, now=datetime.now(UTC))
        if row is None:
            raise NotFound("no such discovery, or its result has expired")
        attempts = await discoveries.attempts(session, discovery_id)
    return DiscoveryView.of(row, attempts, _recommended(row, attempts))


def _recommended(row: Discovery, attempts: list[DiscoveryAttempt]) -> Recommendation | None:
    """While it runs, what the attempts so far speak for; it can only improve."""
    if row.status is DiscoveryStatus.RUNNING:
        return recommend(AttemptOutcome.model_validate(each.details) for each in attempts)
    return Recommendation.model_validate(row.recommended) if row.recommended else None
