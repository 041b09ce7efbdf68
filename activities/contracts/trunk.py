"""What the Trunk workflow is told and what it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import Payload

__all__ = [
    "ADOPT_RETRY",
    "ADOPT_TIMEOUT",
    "AdoptedRevision",
    "TrunkContract",
    "TrunkRevision",
    "TrunkStanding",
    "TrunkState",
]


class TrunkRevision(Payload):
    """A committed revision of a trunk's configuration; its settings are in PostgreSQL."""

    revision: int
    removed: bool = False


class TrunkState(Payload):
    """Everything that the workflow knows; it survives each continue-as-new whole.

    ``known`` is the newest revision it was told of, ``adopted`` the newest that it acted on.
    """

    trunk_id: str
    org_id: str
    known: int = 0
    adopted: int = 0
    removed: bool = False


class TrunkStanding(Payload):
    """Where the workflow stands, for the operator who asks it."""

    known: int
    adopted: int
    removed: bool


class AdoptedRevision(Payload):
    """The revision that the workflow goes by from now on."""

    trunk_id: str
    org_id: str
    revision: int


ADOPT_TIMEOUT = timedelta(seconds=10)
"""One short transaction, on a machine that is busy."""

ADOPT_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    # While the database is away: a trunk waits for it as long as it takes.
    maximum_interval=timedelta(seconds=10),
)


class TrunkContract(ABC):
    """Side effects of a trunk."""

    @activity.defn(name="trunk.adopt")
    @abstractmethod
    async def adopt(self, adopted: AdoptedRevision) -> None:
        """Note on the trunk's row which revision its workflow goes by; never an older one.

        Does nothing for a trunk that is gone: its removal is on the way.
        """
