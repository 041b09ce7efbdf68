"""What client and server transactions have in common (RFC 3261 section 17).

A machine is a state, two deadlines and tables that say, for a state and what happened, the next
state and the actions on the way into it. A combination that is in no table changes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sip.message import Message
from sip.timer_queue import NEVER, Timed
from sip.timers import Timers
from sip.transaction_events import Flow, Outbox, Outgoing


class State(StrEnum):
    """The states of the four machines; `Accepted` is RFC 6026's."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Timer(StrEnum):
    """Which of a machine's two deadlines passed; the tables name the RFC's letter for each."""

    RETRANSMIT = "retransmit"
    EXPIRE = "expire"


class Status(StrEnum):
    """The classes of responses that the machines tell apart."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"


STATUS_CLASSES: Final = (
    Status.PROVISIONAL,
    Status.SUCCESS,
    Status.FAILURE,
    Status.FAILURE,
    Status.FAILURE,
    Status.FAILURE,
)


def status_class(status: int) -> Status:
    """Return the class of a status between 100 and 699."""
    return STATUS_CLASSES[status // 100 - 1]


class Machine(Timed):
    """One transaction: where its messages go, how far it is and when it acts by itself."""

    __slots__ = ("flow", "interval", "outbox", "state", "timers")

    def __init__(self, state: State, flow: Flow, timers: Timers, outbox: Outbox) -> None:
        super().__init__()
        self.state = state
        self.flow = flow
        self.timers = timers
        self.outbox = outbox
        self.interval = 0.0

    def send(self, data: bytes, message: Message, *, retransmission: bool) -> None:
        """Hand a message to the transport."""
        self.outbox.messages.append(Outgoing(data, self.flow, retransmission, message))

    def start_retransmitting(self, interval: float, now: float) -> None:
        """Set the first interval of timer A, E or G, which run over unreliable transports only."""
        if not self.flow.reliable:
            self.interval = interval
            self.retransmit_at = now + interval

    def retransmit_again(self, interval: float, now: float) -> None:
        """Set the next interval. It runs from now, so a late wake-up is not followed by a burst."""
        self.interval = interval
        self.retransmit_at = now + interval

    def stop_timers(self) -> None:
        """Leave a state whose timers mean nothing in the next one."""
        self.retransmit_at = NEVER
        self.expire_at = NEVER

    def expire_in(self, seconds: float, now: float) -> None:
        """Stay in the state that was just entered for some seconds and send nothing by itself."""
        self.retransmit_at = NEVER
        self.expire_at = now + seconds

    def end(self) -> None:
        """Enter Terminated, where nothing happens any more."""
        self.stop_timers()
        self.state = State.TERMINATED
