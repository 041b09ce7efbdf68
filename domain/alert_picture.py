"""What a decision about an organization's alerts is made of: its trunks as they stand.

Whoever takes the picture reads; every rule about it is in ``domain.alerts`` and its siblings.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.failover_commands import Window
from domain.health_observation import HealthState
from domain.trunk_config import AlertConfig
from sip.transports import Transport

__all__ = [
    "AlertEndpoint",
    "AlertPicture",
    "AlertTarget",
    "CallTally",
    "CertificateOwner",
    "ChannelKind",
    "FailingRecipient",
    "KnownCertificate",
    "ProbeReply",
    "Recipients",
    "WatchedTrunk",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ChannelKind(StrEnum):
    """How an alert travels (contract 5.5)."""

    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


class ProbeReply(_Value):
    """A reply to a probe: when it came, and after how many milliseconds."""

    at: AwareDatetime
    ms: float


class AlertTarget(_Value):
    """One address of an endpoint, judged by the trunk's rule. ``since`` is when ``state`` began;
    ``replies`` are those of the last quarter of an hour, the oldest first."""

    address: str
    port: int
    transport: Transport
    state: HealthState = HealthState.UNCHECKED
    since: AwareDatetime | None = None
    reason: str = ""
    replies: tuple[ProbeReply, ...] = ()


class AlertEndpoint(_Value):
    """One endpoint of a trunk, ``position`` 0 the primary; ``host`` as it was configured.

    Without ``targets``, ``error`` says why the name leads nowhere, and ``error_since`` since when.
    """

    position: int
    label: str
    name_id: str
    host: str
    targets: tuple[AlertTarget, ...] = ()
    error: str | None = None
    error_since: AwareDatetime | None = None


class CallTally(_Value):
    """The trunk's calls that ended within its window; ``top_status`` is the response that most of
    the failed ones ended with, ``None`` for silence."""

    calls: int
    failed: int
    top_status: int | None = None


class CertificateOwner(StrEnum):
    """Whose certificate it is."""

    CLIENT = "client"
    """Ours, which the customer gave us to prove who we are."""
    PEER = "peer"


class KnownCertificate(_Value):
    """A certificate that a trunk depends on. ``subject`` names it to people, ``fingerprint`` is the
    SHA-256 as hex, ``host`` is whose it is when it is the peer's."""

    owner: CertificateOwner
    fingerprint: str
    subject: str
    expires_at: AwareDatetime
    host: str | None = None


class WatchedTrunk(_Value):
    """One trunk. ``numbers`` counts what is bound to it; ``windows`` are its maintenance windows.

    ``left`` are the times at which an endpoint failed that calls went to; ``by_hand`` says that it
    did so too often, and that only an operator moves calls back (``domain.failover_state``).
    """

    trunk_id: str
    name: str
    numbers: int = 0
    alerts: AlertConfig = AlertConfig()
    windows: tuple[Window, ...] = ()
    endpoints: tuple[AlertEndpoint, ...] = ()
    calls: CallTally | None = None
    certificates: tuple[KnownCertificate, ...] = ()
    left: tuple[AwareDatetime, ...] = ()
    by_hand: bool = False


class Recipients(_Value):
    """How many the organization names for each channel."""

    emails: int = 0
    phones: int = 0
    webhooks: int = 0


class FailingRecipient(_Value):
    """A recipient whose last delivery was given up. ``label`` tells people which one it is without
    saying more than they need. ``key`` tells it from the others of its channel; of a trunk's own webhook
    it is what follows ``webhook:`` in the key of its route."""

    channel: ChannelKind
    key: str
    label: str
    since: AwareDatetime
    error: str


class AlertPicture(_Value):
    """An organization at one moment."""

    org_id: str
    trunks: tuple[WatchedTrunk, ...] = ()
    recipients: Recipients = Recipients()
    failing: tuple[FailingRecipient, ...] = ()
