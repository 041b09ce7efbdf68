"""An alert's side effects: messages written down, and sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from temporalio import activity

from activities.alert_channels import Addressed, AlertChannels
from activities.alert_telling import Told, tell
from activities.contracts import AlertContract, AlertLooked, AlertWork, DueDelivery
from channels.base import Delivered, Failed, Receipt
from domain.alert_retry import next_attempt
from observability.logs import get_logger
from storage import alert_deliveries
from storage.alert_deliveries import Attempt
from storage.engine import Database
from storage.tables import AlertDelivery, DeliveryState

__all__ = ["AlertActivities"]

_log = get_logger("trunkline.alerts")


@dataclass(frozen=True, slots=True)
class AlertActivities(AlertContract):
    """See the contract for what each promises."""

    database: Database
    channels: AlertChannels

    @activity.defn(name="alert.prepare")
    async def prepare(self, looked: AlertLooked) -> AlertWork:
        now = max(datetime.now(UTC), looked.now)
        told = Told(wake_at=None, over=True)
        async with self.database.tenant(looked.org_id) as session:
            if looked.alert_id is not None:
                told = await tell(session, looked.org_id, looked.alert_id, looked.workflow_id, now)
            waiting = await alert_deliveries.pending(session, looked.workflow_id)
        times = [each.next_at or now for each in waiting]
        due = tuple(row.id for row, at in zip(waiting, times, strict=True) if at <= now)
        later = [at for at in (told.wake_at, *times) if at is not None and at > now]
        over = told.over and not waiting
        return AlertWork(due=due, wake_at=min(later, default=None), over=over)

    @activity.defn(name="alert.deliver")
    async def deliver(self, due: DueDelivery) -> None:
        async with self.database.tenant(due.org_id) as session:
            delivery = await alert_deliveries.get(session, due.delivery_id)
            if delivery is None or delivery.state is not DeliveryState.PENDING:
                return
            addressed = await self.channels.address(session, delivery)
        began = monotonic()
        receipt = await self._sent(addressed, due)
        took = timedelta(seconds=monotonic() - began)
        now = max(datetime.now(UTC), due.now)
        async with self.database.tenant(due.org_id) as session:
            await alert_deliveries.attempted(
                session, delivery, _attempt(delivery, receipt, now, took)
            )

    async def _sent(self, addressed: Addressed, due: DueDelivery) -> Receipt:
        try:
            return await self.channels.send(addressed)
        except Exception as error:
            # A recipient that nobody foresaw must not keep the alert's other messages waiting. The words
            # of the error stay unsaid: they may hold a URL or an address.
            fault = type(error).__name__
            _log.error("an alert could not be sent", delivery_id=due.delivery_id, reason=fault)
            return Failed(f"a fault of ours while it was sent: {fault}")


def _attempt(delivery: AlertDelivery, receipt: Receipt, now: datetime, took: timedelta) -> Attempt:
    ms = round(took / timedelta(milliseconds=1))
    if isinstance(receipt, Delivered):
        return Attempt(at=now, delivered=True, ms=ms, detail=receipt.detail)
    again = None
    if isinstance(receipt, Failed):
        again = next_attempt(
            created_at=delivery.created_at,
            attempts=delivery.attempts + 1,
            now=now,
            retry_after=receipt.retry_after,
        )
    return Attempt(at=now, delivered=False, ms=ms, detail=receipt.reason, next_at=again)
