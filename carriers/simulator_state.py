"""An order as the simulated carrier remembers it: who it is, what it was told, and when.

Nothing of what follows is stored: ``carriers.simulator_script`` works it out. No secrets and no names
are in it, only what was found wrong with them.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.porting.rejections import RejectionCode
from domain.porting.state import CommandKind
from domain.porting.words import PortKind

__all__ = ["SCENARIO_DIGITS", "Flaw", "Heard", "Scenario", "SimulatedOrder", "scenario_of"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Scenario(StrEnum):
    """What happens to an order. Where nothing else is said it ends with every number ported.

    Three things happen in every scenario, because they follow from the order itself: toll-free
    numbers change hands between responsible organizations, dates avoid weekends and holidays, and the
    fourth change of a committed date is refused.
    """

    HAPPY = "happy"
    PIN_INVALID = "pin_invalid"
    """The first request is rejected for its PIN; any later one is not."""
    NAME_MISMATCH = "name_mismatch"
    """Rejected for its name until it comes with another letter of authorization."""
    FOC_MOVED = "foc_moved"
    """The losing carrier moves its date by three business days, half-way to it."""
    SUP_LIMIT = "sup_limit"
    """The fourth change of the committed date ends the order."""
    LATE_CANCEL = "late_cancel"
    """A cancellation after the commitment is taken, and comes too late: the numbers are ported."""
    ACTIVATION_CONFLICT = "activation_conflict"
    """The losing carrier disputes the first activation; a supplement or a new date settles it."""
    NUMBER_REJECTED = "number_rejected"
    """The last of several numbers is rejected for good, the others are ported."""
    SILENT = "silent"
    """The losing carrier answers the first request after six business days."""
    REPLY_LOST = "reply_lost"
    """The order is taken, its webhook sent, and the reply to the request is lost."""
    WEBHOOK_DUPLICATED = "webhook_duplicated"
    WEBHOOK_REORDERED = "webhook_reordered"
    """Of two webhooks the later one comes first."""
    WEBHOOK_FORGED = "webhook_forged"
    """With each webhook comes another one that somebody else signed."""
    WEBHOOK_LOST = "webhook_lost"
    """None is sent: only asking helps."""


SCENARIO_DIGITS: Final = {
    "0110": Scenario.PIN_INVALID,
    "0111": Scenario.NAME_MISMATCH,
    "0112": Scenario.FOC_MOVED,
    "0113": Scenario.SUP_LIMIT,
    "0114": Scenario.LATE_CANCEL,
    "0115": Scenario.ACTIVATION_CONFLICT,
    "0116": Scenario.NUMBER_REJECTED,
    "0117": Scenario.SILENT,
    "0118": Scenario.REPLY_LOST,
    "0119": Scenario.WEBHOOK_DUPLICATED,
    "0120": Scenario.WEBHOOK_REORDERED,
    "0121": Scenario.WEBHOOK_FORGED,
    "0122": Scenario.WEBHOOK_LOST,
}
"""What the last four digits of an order's first number ask for, unless somebody chose."""


class Flaw(_Value):
    """Something wrong that the losing carrier will find; without ``numbers`` in the whole order."""

    code: RejectionCode
    numbers: tuple[str, ...] = ()


class Heard(_Value):
    """One command that was taken, by its key.

    ``numbers`` and ``letter`` (SHA-256 in hexadecimal) are those of a submission or a supplement,
    ``requested_date`` is that of a new date too.
    """

    key: str
    kind: CommandKind
    at: AwareDatetime
    attempt: int
    numbers: tuple[str, ...] = ()
    requested_date: date | None = None
    letter: str = ""
    flaws: tuple[Flaw, ...] = ()

    @property
    def is_request(self) -> bool:
        """Whether it tells the whole order."""
        return self.kind in (CommandKind.SUBMIT, CommandKind.SUPPLEMENT)


class SimulatedOrder(_Value):
    """The whole of it. ``scale`` divides every time that passes; ``told`` counts webhooks that were
    sent."""

    carrier_order_id: str
    order_id: str
    scenario: Scenario | None = None
    scale: float = Field(default=1.0, gt=0)
    kind: PortKind = PortKind.LOCAL
    on_demand: bool = False
    heard: tuple[Heard, ...] = ()
    told: int = 0

    def has(self, key: str) -> bool:
        """Whether this command was taken before."""
        return any(each.key == key for each in self.heard)

    def moment(self, now: datetime) -> datetime:
        """``now``, or the moment of the last command if that is later: clocks of processes differ."""
        return max([now, *(each.at for each in self.heard)])

    def hearing(self, command: Heard) -> SimulatedOrder:
        """The order with this command."""
        return self.model_copy(update={"heard": (*self.heard, command)})


def scenario_of(order: SimulatedOrder) -> Scenario:
    """What happens to the order: what was chosen, else what its first number asks for."""
    if order.scenario is not None:
        return order.scenario
    first = next((number for each in order.heard for number in each.numbers), "")
    return SCENARIO_DIGITS.get(first[-4:], Scenario.HAPPY)
