"""Test calls: place one, end what a dead worker left, close the row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import ActivityLimits, Payload
from domain.call_state import CallFailure, CallResult, CallStatus

__all__ = [
    "CALL_LIMIT",
    "CLEAN_UP_LIMITS",
    "CLEAN_UP_PATIENCE",
    "PLACE_LIMITS",
    "START_PATIENCE",
    "CleanUpOutcome",
    "TestCallContract",
    "TestCallFailure",
    "TestCallOrder",
    "TestCallOutcome",
]


class TestCallOrder(Payload):
    """Which test call to work on; its row holds number, trunk and settings."""

    call_id: str
    org_id: str


class TestCallOutcome(Payload):
    """Final state of a test call.

    ``sip_code`` is the final response to the INVITE. ``interrupted`` when the call ended because of
    us, so that it says nothing about the trunk. ``left_up`` when the peer has not confirmed the end,
    so that a clean-up has to.
    """

    call_id: str
    status: CallStatus
    result: CallResult
    sip_code: int | None = None
    interrupted: bool = False
    left_up: bool = False


class TestCallFailure(Payload):
    """A test call whose activity ended without a verdict, and why."""

    call_id: str
    org_id: str
    reason: CallFailure


class CleanUpOutcome(Payload):
    """What ended the legs of a call that its own process could not end.

    ``sent`` are methods in order, ``answers`` the final status of each CANCEL and BYE. Both are
    empty when nothing was left up. ``untaken`` when nobody ever began to place the call, so that it
    may be placed still.
    """

    sent: tuple[str, ...] = ()
    answers: tuple[int, ...] = ()
    untaken: bool = False


CALL_LIMIT = timedelta(seconds=110)
"""Life of a call from its first look-up to the answer to its BYE: two minutes, and 10 s to spare
for a clean-up after a worker that died at the very end."""

CLEAN_UP_PATIENCE = timedelta(seconds=8)
"""How long a clean-up waits for answers: five retransmissions over UDP (RFC 3261 17.1.2.2)."""

START_PATIENCE = timedelta(seconds=20)
"""Within which a call is placed or never: whoever asked has turned away by then, and it must not come
out of nowhere."""

PLACE_LIMITS = ActivityLimits(
    schedule_to_start=START_PATIENCE,
    # The call, and 5 s for rows before and behind it.
    start_to_close=CALL_LIMIT + timedelta(seconds=5),
    schedule_to_close=CALL_LIMIT + timedelta(seconds=25),
    # A killed worker leaves a call up for no longer than this and a clean-up.
    heartbeat=timedelta(seconds=4),
    # A second attempt would ring a second time: a call is never redialled.
    retry=RetryPolicy(maximum_attempts=1),
)

CLEAN_UP_LIMITS = ActivityLimits(
    start_to_close=CLEAN_UP_PATIENCE + timedelta(seconds=4),
    # Two whole tries; a peer that answers neither is as dead as the worker.
    schedule_to_close=2 * (CLEAN_UP_PATIENCE + timedelta(seconds=4)),
    heartbeat=timedelta(seconds=4),
    retry=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.5),
)


class TestCallContract(ABC):
    """Side effects of a test call."""

    @activity.defn(name="test_call.place")
    @abstractmethod
    async def place(self, order: TestCallOrder) -> TestCallOutcome:
        """Call, write what happens as it happens, judge the call and close its row.

        The row is taken from ``queued`` once, so a second run never calls a second time: it raises
        ``ApplicationError`` of type ``TestCallGone``. Cancellation hangs up, closes the row and is
        raised again; a worker that stops hangs up and reports ``interrupted``.
        """

    @activity.defn(name="test_call.clean_up")
    @abstractmethod
    async def clean_up(self, order: TestCallOrder) -> CleanUpOutcome:
        """End what the row's snapshot says may be up: CANCEL, or ACK and BYE. Safe to repeat, and
        before a call that was never begun.

        Raises ``ApplicationError`` of type ``TestCallLeftUp`` when the peer did not confirm it.
        """

    @activity.defn(name="test_call.fail")
    @abstractmethod
    async def fail(self, failure: TestCallFailure) -> TestCallOutcome:
        """Close the row as failed when it is open still; the outcome that stands."""
