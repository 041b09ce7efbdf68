"""Discovery's side effects: look-ups, probes, and the rows that show them as they happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.batches import BatchWriter
from activities.contracts import (
    DiscoveryContract,
    DiscoveryOrder,
    DiscoveryOutcome,
    FailureReport,
    SweepOutcome,
)
from activities.dependencies import Dependencies
from activities.heartbeats import heartbeats
from activities.probing import open_prober, probe_all
from activities.wire_rows import message_row
from domain.attempt_explanations import explain_attempt
from domain.attempts import AttemptCause, AttemptOutcome
from domain.discovery_plan import Candidate, ResolutionFacts, ResolvedTarget, plan_discovery
from domain.discovery_state import DiscoveryStatus, FailureReason, failure_message
from domain.recommendation import recommend
from sip.net.wire import WireRecord
from sip.resolution import Resolution
from sip.transports import Transport
from storage import discoveries, sip_messages
from storage.tables import Discovery
from workflows.names import ErrorType

__all__ = ["DiscoveryActivities"]

_TARGETS = TypeAdapter(tuple[ResolvedTarget, ...])


@dataclass(frozen=True, slots=True)
class DiscoveryActivities(DiscoveryContract):
    """See the contract for what each promises."""

    dependencies: Dependencies

    @activity.defn(name="discovery.sweep")
    async def sweep(self, order: DiscoveryOrder) -> SweepOutcome:
        progress = {"attempts": 0, "answered": 0}
        async with heartbeats(lambda: progress):
            discovery = await self._pinned(order)
            if isinstance(discovery, SweepOutcome):
                return discovery
            plan = plan_discovery(
                ResolutionFacts(
                    host=discovery.host, targets=_TARGETS.validate_python(discovery.pinned or ())
                ),
                port=discovery.port,
                transport=Transport(discovery.transport) if discovery.transport else None,
            )
            if not plan.candidates:
                return SweepOutcome(
                    addresses=0, attempts=0, answered=0, failure=FailureReason.DNS_FAILURE
                )
            known = await self._attempts(order)
            tried = {(each.address, each.port, each.transport) for each in known}
            fresh = [each for each in plan.candidates if each.key not in tried]
            ended = [*known, *await self._probe(order, fresh, progress)]
        refused = all(each.cause is AttemptCause.NOT_ALLOWED for each in ended)
        return SweepOutcome(
            addresses=len(discovery.addresses),
            attempts=len(ended),
            answered=sum(each.answered for each in ended),
            failure=FailureReason.TARGET_NOT_ALLOWED if refused else None,
        )

    @activity.defn(name="discovery.conclude")
    async def conclude(self, order: DiscoveryOrder) -> DiscoveryOutcome:
        async with self.dependencies.database.tenant(order.org_id) as session:
            attempts = await _stored(session, order.discovery_id)
            best = recommend(attempts)
            await discoveries.complete(
                session,
                order.discovery_id,
                recommended=None if best is None else best.model_dump(mode="json"),
                fingerprint=None if best is None else best.fingerprint.model_dump(mode="json"),
                now=datetime.now(UTC),
            )
        return DiscoveryOutcome(
            discovery_id=order.discovery_id,
            status=DiscoveryStatus.COMPLETED,
            answered=sum(each.answered for each in attempts),
        )

    @activity.defn(name="discovery.fail")
    async def fail(self, report: FailureReport) -> DiscoveryOutcome:
        async with self.dependencies.database.tenant(report.org_id) as session:
            row = await discoveries.get(session, report.discovery_id)
            if row is not None:
                await discoveries.fail(
                    session,
                    report.discovery_id,
                    error_code=report.reason.value,
                    error_message=failure_message(report.reason, row.host),
                    now=datetime.now(UTC),
                )
        return DiscoveryOutcome(
            discovery_id=report.discovery_id, status=DiscoveryStatus.FAILED, failure=report.reason
        )

    async def _pinned(self, order: DiscoveryOrder) -> Discovery | SweepOutcome:
        """The row with the addresses of its first look-up, or how the sweep ends without them."""
        async with self.dependencies.database.tenant(order.org_id) as session:
            row = await discoveries.get(session, order.discovery_id)
        if row is None or row.status != DiscoveryStatus.RUNNING:
            raise _gone(order)
        if row.pinned is not None:
            return row
        resolution = await self.dependencies.resolver.survey(row.host, port=row.port)
        async with self.dependencies.database.system() as session:
            pinned = await discoveries.record_resolution(
                session,
                order.discovery_id,
                _resolution_row(resolution),
                now=datetime.now(UTC),
                runs_per_target=self.dependencies.settings.discovery_runs_per_target,
            )
        if pinned is None:
            raise _gone(order)
        if isinstance(pinned, discoveries.TargetLimited):
            return SweepOutcome(
                addresses=0, attempts=0, answered=0, failure=FailureReason.RATE_LIMITED
            )
        return pinned

    async def _attempts(self, order: DiscoveryOrder) -> list[AttemptOutcome]:
        async with self.dependencies.database.tenant(order.org_id) as session:
            return await _stored(session, order.discovery_id)

    async def _probe(
        self, order: DiscoveryOrder, candidates: list[Candidate], progress: dict[str, int]
    ) -> list[AttemptOutcome]:
        ended: list[AttemptOutcome] = []
        started_at = datetime.now(UTC)
        database = self.dependencies.database

        async def write_attempts(batch: Sequence[AttemptOutcome]) -> None:
            async with database.tenant(order.org_id) as session:
                rows = [_attempt_row(each, started_at) for each in batch]
                if await discoveries.add_attempts(session, order.discovery_id, rows) is None:
                    raise _gone(order)

        async def write_messages(batch: Sequence[WireRecord]) -> None:
            async with database.tenant(order.org_id) as session:
                await sip_messages.append(
                    session,
                    [message_row(order.org_id, "discovery", order.discovery_id, r) for r in batch],
                )

        async with BatchWriter(write_attempts) as attempts, BatchWriter(write_messages) as wire:

            def on_attempt(attempt: AttemptOutcome) -> None:
                ended.append(attempt)
                progress["attempts"] += 1
                progress["answered"] += attempt.answered
                attempts.put(attempt)

            export = self.dependencies.traffic_export.of_discovery(order.discovery_id)

            def on_wire(record: WireRecord) -> None:
                wire.put(record)
                export(record)

            async with open_prober(
                self.dependencies.guard, self.dependencies.identity, tap=on_wire
            ) as prober:
                await probe_all(prober, candidates, on_attempt)
        return ended


async def _stored(session: Any, discovery_id: str) -> list[AttemptOutcome]:
    rows = await discoveries.attempts(session, discovery_id)
    return [AttemptOutcome.model_validate(row.details) for row in rows]


def _gone(order: DiscoveryOrder) -> ApplicationError:
    return ApplicationError(
        f"{order.discovery_id} is not running any more",
        type=ErrorType.DISCOVERY_GONE,
        non_retryable=True,
    )


def _resolution_row(resolution: Resolution) -> discoveries.Resolution:
    return discoveries.Resolution(
        addresses=resolution.addresses,
        pinned=[_plain(target) for target in resolution.targets],
        srv_records=[_plain(record) for record in resolution.srv_records],
        trail=[_plain(lookup) for lookup in resolution.trail],
    )


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(value)
    return plain


def _attempt_row(attempt: AttemptOutcome, started_at: datetime) -> discoveries.NewAttempt:
    reply = attempt.reply
    return discoveries.NewAttempt(
        address=attempt.address,
        port=attempt.port,
        transport=attempt.transport.value,
        host=attempt.host,
        outcome=attempt.cause.value,
        response_code=reply.status if reply is not None else None,
        response_reason=reply.reason if reply is not None else None,
        response_time_ms=attempt.response_time_ms if reply is not None else None,
        user_agent=reply.banner if reply is not None else None,
        error=None if attempt.answered else explain_attempt(attempt).what,
        details=attempt.model_dump(mode="json"),
        started_at=started_at,
        ended_at=attempt.ended_at or datetime.now(UTC),
    )
