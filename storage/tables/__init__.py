"""Every table of Trunkline, one file per business word.

Importing this package registers all of them in ``METADATA``, which a test holds equal to what the
migrations build.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from storage.tables.alert import (
    AlertAttempt,
    AlertDelivery,
    AlertRow,
    AlertWatch,
    DeliveryState,
)
from storage.tables.api_key import ApiKey, Role
from storage.tables.audit import AuditEntry
from storage.tables.call import Call, CallDirection, CallEvent, CallKind, CallResult, CallStatus
from storage.tables.discovery import Discovery, DiscoveryAttempt, DiscoveryStatus
from storage.tables.health import (
    HealthName,
    HealthNameTarget,
    HealthShard,
    HealthStateRow,
    HealthTarget,
    TrunkEndpoint,
)
from storage.tables.health_history import (
    HealthHour,
    HealthObservation,
    HealthTransition,
    NameChange,
)
from storage.tables.health_trunks import Drill, TrunkHealth, TrunkRoute
from storage.tables.idempotency import IdempotencyKey, IdempotencyState
from storage.tables.live_call import CallMatch, LiveCallRow
from storage.tables.number import InboundNumber, NumberBinding
from storage.tables.organization import Organization
from storage.tables.outbox import OutboxEntry
from storage.tables.port import (
    PortabilityResult,
    PortNumber,
    PortOrder,
    PortTimelineEntry,
    SimulatedPort,
)
from storage.tables.port_notices import NoticeChannel, NoticeState, PortNotice
from storage.tables.port_papers import (
    PortDocument,
    PortLinkRequest,
    PortLoa,
    PortSealKey,
    PortSignatureEvent,
    PortSignatureLink,
)
from storage.tables.presence import ProcessKind, WorkerPresence
from storage.tables.sip_message import MessageDirection, SipMessage
from storage.tables.trunk import ServerKey, Trunk

__all__ = [
    "METADATA",
    "AlertAttempt",
    "AlertDelivery",
    "AlertRow",
    "AlertWatch",
    "ApiKey",
    "AuditEntry",
    "Call",
    "CallDirection",
    "CallEvent",
    "CallKind",
    "CallMatch",
    "CallResult",
    "CallStatus",
    "DeliveryState",
    "Discovery",
    "DiscoveryAttempt",
    "DiscoveryStatus",
    "Drill",
    "HealthHour",
    "HealthName",
    "HealthNameTarget",
    "HealthObservation",
    "HealthShard",
    "HealthStateRow",
    "HealthTarget",
    "HealthTransition",
    "IdempotencyKey",
    "IdempotencyState",
    "InboundNumber",
    "LiveCallRow",
    "MessageDirection",
    "NameChange",
    "NoticeChannel",
    "NoticeState",
    "NumberBinding",
    "Organization",
    "OutboxEntry",
    "PortDocument",
    "PortLinkRequest",
    "PortLoa",
    "PortNotice",
    "PortNumber",
    "PortOrder",
    "PortSealKey",
    "PortSignatureEvent",
    "PortSignatureLink",
    "PortTimelineEntry",
    "PortabilityResult",
    "ProcessKind",
    "Role",
    "ServerKey",
    "SimulatedPort",
    "SipMessage",
    "Trunk",
    "TrunkEndpoint",
    "TrunkHealth",
    "TrunkRoute",
    "WorkerPresence",
]

METADATA = SQLModel.metadata
