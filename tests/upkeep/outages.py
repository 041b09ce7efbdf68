"""Trunks over two carriers that can die, and a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alert_state import Alert
from domain.health_observation import HealthState
from domain.probe_target import NameIdentity
from storage import alerts
from storage.engine import Database
from tests.storage.alert_rows import add_alerting_trunk
from tests.storage.health_rows import a_name, a_target, a_transition, place_names, rows, see
from upkeep.alerts import decide_alerts

__all__ = ["CARRIERS", "Outage"]

CARRIERS = (a_name("192.0.2.1"), a_name("192.0.2.2"))


@dataclass
class Outage:
    """An organization whose trunks have both carriers as endpoints."""

    database: Database
    org_id: str
    now: datetime
    changes: int = 0

    @classmethod
    async def under(
        cls, database: Database, org_id: str, trunks: int, channels: dict[str, Any] | None = None
    ) -> Outage:
        """So many trunks, whose carriers answered until now."""
        for _ in range(trunks):
            trunk_id = await add_alerting_trunk(
                database, org_id, channels or {"email": True}, unreachable_minutes=0.1
            )
            await place_names(database, org_id, trunk_id, *CARRIERS)
        return cls(database, org_id, datetime.now(UTC))

    async def saw(self, carrier: NameIdentity, state: HealthState) -> None:
        """A carrier changed its state at this moment."""
        self.changes += 1
        change = a_transition(
            a_target(carrier.host).target_id, state, seq=self.changes, at=self.now, reason="silent"
        )
        await see(self.database, carrier, change)

    async def everything(self, state: HealthState) -> None:
        """Both carriers change."""
        for each in CARRIERS:
            await self.saw(each, state)

    async def after(self, **span: float) -> int:
        """Let time pass and decide; about how many organizations."""
        self.now += timedelta(**span)
        return await decide_alerts(self.database, lambda: self.now)

    async def alerts(self) -> list[Alert]:
        """All alerts of the organization, the first first."""
        async with self.database.tenant(self.org_id) as session:
            return (await alerts.page(session, limit=100))[::-1]

    async def told(self) -> list[str]:
        """Which alerts the outbox names, entry by entry."""
        found = await rows(
            self.database,
            "SELECT payload ->> 'alert_id' AS id FROM outbox WHERE kind = 'alert_changed' ORDER BY id",
        )
        return [row.id for row in found]
