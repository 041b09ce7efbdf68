"""Alerts: what was raised, who was told, who takes care; and whether alerts arrive at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path

from api.access import SipEditor, SipViewer
from api.alert_query import AlertQuery
from api.changes import ChangeDep
from api.dependencies import By, DatabaseDep
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
from api.routing import new_router
from api.schemas.alert_examples import (
    EXAMPLE_ALERT,
    EXAMPLE_ALERTS,
    EXAMPLE_TRIAL,
    EXAMPLE_WHOLE_ALERT,
)
from api.schemas.alerts import (
    AlertList,
    AlertTrialRequest,
    AlertTrialView,
    AlertView,
    WholeAlertView,
)
from api.services import alert_trials, alerts
from api.services.alerts import AlertResolved
from domain.alert_picture import ChannelKind

__all__ = ["router"]

router = new_router("/v1/sip/alerts", tag="Alerts")

_UNKNOWN = NotFound("no such alert")

AlertId = Annotated[
    str,
    Path(
        pattern="^alt_[0-9a-f]{24}$",
        description="Id of the alert.",
        examples=["alt_5f2c8d0e9b1a4c3d7e6f8a90"],
    ),
]
TrialId = Annotated[
    str,
    Path(
        pattern="^atr_[0-9A-Za-z]{22}$",
        description="Id of the test alert.",
        examples=["atr_6bZq1WnTx8mKc3RyVsLp0J"],
    ),
]


@router.get(
    "",
    summary="List alerts",
    responses={
        **answer(EXAMPLE_ALERTS),
        **refusals(InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")),
    },
)
async def list_alerts(
    principal: SipViewer, query: AlertQuery, database: DatabaseDep
) -> Envelope[AlertList]:
    """The organization's alerts, the newest first. One cause is one alert, however many trunks it
    concerns. What is over is kept for 90 days."""
    async with database.tenant(principal.org_id) as session:
        return Envelope(data=await alerts.page(session, query))


@router.post(
    "/test",
    summary="Send a test alert",
    responses={
        **answer(
            {
                **EXAMPLE_TRIAL,
                "messages": [
                    {
                        **EXAMPLE_TRIAL["messages"][0],
                        "state": "pending",
                        "ended_at": None,
                        "next_attempt_at": EXAMPLE_TRIAL["created_at"],
                        "attempts_total": 0,
                        "attempts": [],
                    }
                ],
            }
        ),
        **refusals(
            alert_trials.nobody_there(ChannelKind.EMAIL),
            alert_trials.limited(timedelta(minutes=4)),
        ),
    },
)
async def send_test_alert(
    principal: SipEditor, by: By, body: AlertTrialRequest, change: ChangeDep
) -> Envelope[AlertTrialView]:
    """One message to each of the organization's recipients, whatever the hour: quiet hours do not hold
    it back. It is on its way when this is answered; ask for it to see what became of it."""
    session = await change.of(principal.org_id)
    trial = await alert_trials.start(
        session, principal.org_id, body.channel, actor=by, now=datetime.now(UTC)
    )
    return Envelope(data=trial)


@router.get(
    "/test/{trial_id}",
    summary="Get a test alert",
    responses={**answer(EXAMPLE_TRIAL), **refusals(NotFound("no such test alert"))},
)
async def get_test_alert(
    principal: SipViewer, trial_id: TrialId, database: DatabaseDep
) -> Envelope[AlertTrialView]:
    """Each message with what its recipient's side said. What does not arrive is tried for a day."""
    async with database.tenant(principal.org_id) as session:
        return Envelope(data=await alert_trials.view(session, principal.org_id, trial_id))


@router.get(
    "/{alert_id}",
    summary="Get an alert",
    responses={**answer(EXAMPLE_WHOLE_ALERT), **refusals(_UNKNOWN)},
)
async def get_alert(
    principal: SipViewer, alert_id: AlertId, database: DatabaseDep
) -> Envelope[WholeAlertView]:
    """The trunks that it is about, and who was told what: every message with its attempts."""
    async with database.tenant(principal.org_id) as session:
        return Envelope(data=await alerts.whole(session, principal.org_id, alert_id))


@router.post(
    "/{alert_id}/acknowledge",
    summary="Acknowledge an alert",
    responses={
        **answer(
            {
                **EXAMPLE_ALERT,
                "changed_at": "2026-03-09T12:08:10Z",
                "acknowledged_at": "2026-03-09T12:08:10Z",
                "acknowledged_by": "key_7hWc2RzKp0nLq4TbXs9VmE",
            }
        ),
        **refusals(_UNKNOWN, AlertResolved()),
    },
)
async def acknowledge_alert(
    principal: SipEditor, alert_id: AlertId, by: By, change: ChangeDep
) -> Envelope[AlertView]:
    """Somebody takes care: nobody is reminded any more, and webhooks are told. Doing it again changes
    nothing; when the alert comes back after its end, it is nobody's again."""
    session = await change.of(principal.org_id)
    acknowledged = await alerts.acknowledge(
        session, principal.org_id, alert_id, actor=by, now=datetime.now(UTC)
    )
    return Envelope(data=acknowledged)
