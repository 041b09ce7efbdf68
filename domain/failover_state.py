"""What a trunk remembers between two decisions about its calls."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

__all__ = [
    "AlertKind",
    "CanaryStage",
    "CanaryTrial",
    "Cause",
    "EndpointMemory",
    "FailoverState",
    "StandingAlert",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Cause(StrEnum):
    """Why calls go where they go."""

    PRIMARY = "primary"
    """The first choice, and nothing speaks against it."""
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH_FAILURE = "auth_failure"
    DEGRADED = "degraded"
    """The endpoint before answers with errors, and this one does not."""
    MAINTENANCE = "maintenance"
    FAILED_BACK = "failed_back"
    FORCED = "forced"
    PINNED = "pinned"
    NO_HEALTHY_ENDPOINT = "no_healthy_endpoint"
    """Every endpoint is down: calls stay on the primary."""
    ENDPOINT_GONE = "endpoint_gone"
    """The endpoint before is not configured any more."""
    NO_ENDPOINT = "no_endpoint"


class AlertKind(StrEnum):
    """What somebody should be told of."""

    NO_HEALTHY_ENDPOINT = "no_healthy_endpoint"
    FLAPPING = "flapping"


class StandingAlert(_Value):
    """An alert that holds."""

    kind: AlertKind
    since: AwareDatetime


class CanaryStage(StrEnum):
    """How many of the new calls an endpoint gets that is on trial."""

    ONE_CALL = "one_call"
    TENTH = "tenth"


class CanaryTrial(_Value):
    """An endpoint that came back and has to prove itself. ``since`` is when the stage began."""

    name_id: str
    stage: CanaryStage
    since: AwareDatetime


class EndpointMemory(_Value):
    """One endpoint at the last decision.

    ``stable_since`` is since when it works without a break, ``None`` while it does not.
    ``calls_from`` is when its calls began to count: those before have had their effect.
    ``avoid_until`` is set after calls made the trunk leave it, since nothing else would show that it
    recovered; ``avoid_because`` are the words for it.
    """

    name_id: str
    position: int
    label: str
    usable: bool = True
    stable_since: AwareDatetime | None = None
    calls_from: AwareDatetime | None = None
    avoid_until: AwareDatetime | None = None
    avoid_because: str = ""


class FailoverState(_Value):
    """Everything remembered; made to survive as JSON.

    ``active`` is the ``name_id`` of the endpoint that calls go to. ``left`` are the times at which
    an endpoint failed that calls went to, within the last hours: the flap history. ``hold_seconds``
    is the hold-down that follows from it. ``by_hand`` says that it flapped too often, so that only
    an operator moves calls back. ``revision`` is that of the configuration which was decided about,
    ``generation`` counts the routes, ``digest`` is of the last one.
    """

    active: str | None = None
    since: AwareDatetime | None = None
    cause: Cause = Cause.PRIMARY
    because: str = ""
    left: tuple[AwareDatetime, ...] = ()
    hold_seconds: int = 0
    by_hand: bool = False
    canary: CanaryTrial | None = None
    endpoints: tuple[EndpointMemory, ...] = ()
    alerts: tuple[StandingAlert, ...] = ()
    revision: int = 0
    generation: int = 0
    digest: str = ""

    @property
    def position(self) -> int | None:
        """Where the active endpoint stood at the last decision."""
        return next((each.position for each in self.endpoints if each.name_id == self.active), None)

    def memory_of(self, name_id: str) -> EndpointMemory | None:
        """What is remembered of an endpoint."""
        return next((each for each in self.endpoints if each.name_id == name_id), None)
