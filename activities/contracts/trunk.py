"""What the Trunk workflow is told and what it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import Payload
from domain.failover_commands import Commands, Drill, DrillEnd
from domain.failover_drill import DrillReport
from domain.failover_route import Route
from domain.failover_state import AlertKind, FailoverState

__all__ = [
    "ADOPT_RETRY",
    "ADOPT_TIMEOUT",
    "MAX_ANSWERS",
    "AdoptedRevision",
    "AnsweredOrder",
    "DrillNote",
    "LeftTrunk",
    "LookedTrunk",
    "OrderAnswer",
    "PublishedRoute",
    "TrunkContract",
    "TrunkDecision",
    "TrunkFacts",
    "TrunkRevision",
    "TrunkStanding",
    "TrunkState",
]


class TrunkRevision(Payload):
    """A committed revision of a trunk's configuration; its settings are in PostgreSQL."""

    revision: int
    removed: bool = False


class TrunkFacts(Payload):
    """Something was seen of a trunk's endpoints; ``seq`` tells a repetition from news."""

    seq: int


class OrderAnswer(Payload):
    """What an order led to: the route's generation, and the position that calls go to."""

    generation: int
    position: int | None = None


class AnsweredOrder(Payload):
    """The answer to the order with this request id."""

    request_id: str
    answer: OrderAnswer


MAX_ANSWERS = 64
"""Answered orders that are remembered: a client that repeats itself does so within minutes."""


class TrunkState(Payload):
    """Everything that the workflow knows; it survives each continue-as-new whole.

    ``known`` is the newest revision it was told of, ``adopted`` the newest that it acted on.
    ``facts`` is the newest number of ``facts_changed``; ``undecided`` says that something was told
    which no decision took into account, ``looked_at`` when the last one looked. ``wake_at`` is when
    to decide in any case. ``noted`` is the drill as it was written last, ``answers`` the orders that
    were answered last.
    """

    trunk_id: str
    org_id: str
    known: int = 0
    adopted: int = 0
    removed: bool = False
    facts: int = 0
    undecided: bool = False
    looked_at: AwareDatetime | None = None
    wake_at: AwareDatetime | None = None
    failover: FailoverState = FailoverState()
    commands: Commands = Commands()
    noted: Drill | None = None
    answers: tuple[AnsweredOrder, ...] = ()


class TrunkStanding(Payload):
    """Where the workflow stands, for the operator who asks it."""

    known: int
    adopted: int
    removed: bool
    generation: int = 0
    position: int | None = None
    wake_at: datetime | None = None


class AdoptedRevision(Payload):
    """The revision that the workflow goes by from now on."""

    trunk_id: str
    org_id: str
    revision: int


class LookedTrunk(Payload):
    """The trunk to look at, with what its workflow remembers of it. ``now`` is the workflow's time:
    who looks goes by its own clock, but never by an earlier time than this."""

    trunk_id: str
    org_id: str
    failover: FailoverState
    commands: Commands
    now: AwareDatetime


class TrunkDecision(Payload):
    """What follows from a look: what to remember, the commands that are still in force, and when to
    look again in any case. ``route`` is there when it is another one than the published."""

    failover: FailoverState
    commands: Commands
    route: Route | None = None
    wake_at: AwareDatetime | None = None
    raised: tuple[AlertKind, ...] = ()
    open_drills: tuple[str, ...] = ()


class PublishedRoute(Payload):
    """The route that calls go by from now on."""

    trunk_id: str
    org_id: str
    route: Route


class DrillNote(Payload):
    """A drill as it stands. Without ``drill`` only its id is known, and that it ended."""

    trunk_id: str
    org_id: str
    drill_id: str
    drill: Drill | None = None
    end: DrillEnd | None = None
    ended_at: AwareDatetime | None = None
    report: DrillReport | None = None


class LeftTrunk(Payload):
    """The trunk that was removed."""

    trunk_id: str
    org_id: str


ADOPT_TIMEOUT = timedelta(seconds=10)
"""One short transaction, on a machine that is busy."""

ADOPT_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    # While the database is away: a trunk waits for it as long as it takes.
    maximum_interval=timedelta(seconds=10),
)


class TrunkContract(ABC):
    """Side effects of a trunk. Each is one short transaction and safe to repeat."""

    @activity.defn(name="trunk.adopt")
    @abstractmethod
    async def adopt(self, adopted: AdoptedRevision) -> None:
        """Have the trunk's endpoints watched as they are configured, and note on its row which
        revision its workflow goes by; never an older one.

        Does nothing for a trunk that is gone: its removal is on the way.
        """

    @activity.defn(name="trunk.look")
    @abstractmethod
    async def look(self, looked: LookedTrunk) -> TrunkDecision | None:
        """Read how the trunk's endpoints stand and how its calls ended, and decide where calls go;
        ``None`` when the trunk is gone.

        The decision is made here, by a pure function, and not in the workflow, so that its history
        holds what was decided: a release that decides or words otherwise replays it all the same.
        """

    @activity.defn(name="trunk.publish_route")
    @abstractmethod
    async def publish_route(self, published: PublishedRoute) -> None:
        """Let new calls go by this route, unless one of a later generation is there."""

    @activity.defn(name="trunk.note_drill")
    @abstractmethod
    async def note_drill(self, note: DrillNote) -> None:
        """Write how a drill stands; the first end stays."""

    @activity.defn(name="trunk.leave")
    @abstractmethod
    async def leave(self, left: LeftTrunk) -> None:
        """Stop watching what only this trunk used, and end its drills."""
