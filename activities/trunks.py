"""A trunk's side effects."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity

from activities.contracts import AdoptedRevision, TrunkContract
from activities.dependencies import Dependencies
from storage import trunks

__all__ = ["TrunkActivities"]


@dataclass(frozen=True, slots=True)
class TrunkActivities(TrunkContract):
    """See the contract for what each promises."""

    dependencies: Dependencies

    @activity.defn(name="trunk.adopt")
    async def adopt(self, adopted: AdoptedRevision) -> None:
        async with self.dependencies.database.tenant(adopted.org_id) as session:
            await trunks.adopt(session, adopted.org_id, adopted.trunk_id, adopted.revision)
