"""What every winning carrier can do, in words that are no carrier's own.

    CarrierError
    ├── CarrierRefused        it will not do it, and says why; repeating does not help
    ├── CarrierUnavailable    it could not be reached, or its answer was lost: whether it did it is not known
    └── UnknownCarrierOrder   it has no order of this name

Commands carry a key, ``{order_id}:{attempt}``. A carrier that hears one again does nothing and answers as
it did before, so a command is repeated until its answer arrives. An adapter of a carrier that has no
such key finds out by asking what it has before it repeats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.porting.order import PortDetails, PortSecrets
from domain.porting.portability import PortabilityCheck
from domain.porting.snapshot import CarrierRejection, CarrierSnapshot
from domain.porting.words import PortKind

__all__ = [
    "Attachment",
    "CarrierError",
    "CarrierReceipt",
    "CarrierRefused",
    "CarrierUnavailable",
    "PortSubmission",
    "PortingCarrier",
    "UnknownCarrierOrder",
    "attempt_of",
    "command_key",
]


class CarrierError(Exception):
    """Root of what carriers raise; never raised itself, and never quotes a secret."""


class CarrierRefused(CarrierError):
    """The carrier will not do it. ``rejections`` say what to change, at least one."""

    def __init__(self, *rejections: CarrierRejection) -> None:
        super().__init__("; ".join(each.text or each.code.value for each in rejections))
        self.rejections = rejections


class CarrierUnavailable(CarrierError):
    """The carrier could not be reached, or its answer did not arrive: repeat it with the same key."""


class UnknownCarrierOrder(CarrierError):
    """The carrier has no such order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A paper that goes with an order. ``sha256`` is in hexadecimal."""

    name: str
    media_type: str
    sha256: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSubmission:
    """An order as the carrier is told it, the whole of it also in a supplement.

    ``numbers`` are those that are still wanted (E.164 with ``+``). ``on_demand`` asks the carrier to
    wait for ``activate`` on the committed day. ``letter`` is the signed letter of authorization.
    """

    order_id: str
    attempt: int
    kind: PortKind
    numbers: Sequence[str]
    details: PortDetails
    secrets: PortSecrets = field(repr=False)
    letter: Attachment | None
    documents: Sequence[Attachment] = ()
    on_demand: bool = False

    @property
    def key(self) -> str:
        """What the carrier knows this command by."""
        return command_key(self.order_id, self.attempt)


@dataclass(frozen=True, slots=True)
class CarrierReceipt:
    """The carrier has the order, and calls it this."""

    carrier_order_id: str


def command_key(order_id: str, attempt: int) -> str:
    """The key of a command: the same each time that it is repeated."""
    return f"{order_id}:{attempt}"


def attempt_of(key: str) -> int:
    """The attempt in a key. Raises ``ValueError``."""
    return int(key.rpartition(":")[2])


class PortingCarrier(ABC):
    """A winning carrier.

    ``now`` is the order's time. A real carrier has a clock of its own and pays it no heed; the simulated
    one has no other. Every method raises ``CarrierUnavailable``; those of an order raise
    ``UnknownCarrierOrder``.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What orders are stored under, such as ``simulator``."""

    @abstractmethod
    async def check(self, numbers: Sequence[str], *, now: datetime) -> list[PortabilityCheck]:
        """Whether these numbers (E.164 with ``+``) can be ported, one answer for each, in their order.

        Of a number that the carrier cannot tell the answer is unknown.
        """

    @abstractmethod
    async def submit(self, submission: PortSubmission, *, now: datetime) -> CarrierReceipt:
        """Place the order. Raises ``CarrierRefused``."""

    @abstractmethod
    async def supplement(
        self, carrier_order_id: str, submission: PortSubmission, *, now: datetime
    ) -> None:
        """Replace what the carrier was told before (SUP). Raises ``CarrierRefused``."""

    @abstractmethod
    async def reschedule(
        self, carrier_order_id: str, key: str, requested: date, *, now: datetime
    ) -> None:
        """Ask for another date, a day where the losing carrier is. Raises ``CarrierRefused``."""

    @abstractmethod
    async def cancel(self, carrier_order_id: str, key: str, *, now: datetime) -> None:
        """Ask to end the order; it has ended when a snapshot says so. Raises ``CarrierRefused``."""

    @abstractmethod
    async def activate(self, carrier_order_id: str, key: str, *, now: datetime) -> None:
        """Switch the numbers of an order that waits for this. Raises ``CarrierRefused``."""

    @abstractmethod
    async def snapshot(self, carrier_order_id: str, *, now: datetime) -> CarrierSnapshot:
        """How the order stands."""
