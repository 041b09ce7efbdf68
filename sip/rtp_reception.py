"""What arrived of one RTP stream: loss, order, duplicates, jitter (RFC 3550 appendix A.1, A.3, A.8).

A stream is one SSRC. Memory is constant: a bitmap of the last sequence numbers tells a duplicate
from a late packet, which the appendix leaves open.
"""

from __future__ import annotations

from enum import StrEnum

from sip.rtcp import ReportBlock

SEQUENCE_MODULUS = 1 << 16

# The three constants of appendix A.1.
MAX_DROPOUT = 3000
MAX_MISORDER = 100
MIN_SEQUENTIAL = 2

# Every packet that A.1 takes for a late one falls into the bitmap.
_WINDOW = 128
_WINDOW_MASK = (1 << _WINDOW) - 1

# A timestamp this far off its arrival is a sender that started its clock anew, not a delay.
MAX_TIMESTAMP_STEP_SECONDS = 5.0

_MAX_CUMULATIVE_LOST = 0x7FFFFF
_MIN_CUMULATIVE_LOST = -0x800000


class Arrival(StrEnum):
    """What one packet was to its stream."""

    PROBATION = "probation"  # not counted: the source has not yet proved to be one
    IN_ORDER = "in_order"
    REORDERED = "reordered"
    DUPLICATE = "duplicate"
    JUMPED = "jumped"  # not counted: a sequence number out of nowhere
    RESTARTED = "restarted"  # the second in a row after such a jump: the sender began anew


class Reception:
    """The counters of one SSRC.

    `min_sequential` packets in a row make it a valid source; 1 counts from the first packet on.
    Times are seconds of any clock that does not run back.
    """

    def __init__(self, clock_rate: int, *, min_sequential: int = MIN_SEQUENTIAL) -> None:
        self.clock_rate = clock_rate
        self.received = 0
        self.unique = 0
        self.duplicates = 0
        self.reordered = 0
        self.restarts = 0
        self.timestamp_jumps = 0
        self._min_sequential = min_sequential
        self._probation = min_sequential
        self._highest: int | None = None
        self._base = 0
        self._window = 0
        self._bad_sequence: int | None = None
        self._expected_before = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._reported_expected = 0
        self._reported_received = 0

    @property
    def expected(self) -> int:
        """How many packets the sender must have sent (A.3), restarts included."""
        if self._highest is None or self._probation:
            return 0
        return self._expected_before + self._highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that never came; a duplicate does not make up for one."""
        return self.expected - self.unique

    @property
    def cumulative_lost(self) -> int:
        """The loss as RTCP reports it: duplicates count as received, so it can be negative."""
        lost = self.expected - self.received
        return max(_MIN_CUMULATIVE_LOST, min(_MAX_CUMULATIVE_LOST, lost))

    @property
    def extended_highest(self) -> int:
        """The highest sequence number with its count of cycles (32 bits)."""
        return (self._highest or 0) & 0xFFFFFFFF

    @property
    def jitter(self) -> int:
        """Interarrival jitter in timestamp units, as RTCP reports it (A.8)."""
        return min(int(self._jitter), 0xFFFFFFFF)

    @property
    def jitter_seconds(self) -> float:
        """Interarrival jitter in seconds."""
        return self._jitter / self.clock_rate

    def receive(
        self, sequence_number: int, timestamp: int, arrival: float, *, timed: bool = True
    ) -> Arrival:
        """Counts one packet that arrived at `arrival`.

        `timed` is False for packets whose timestamp is not their sampling instant, such as the
        repetitions of a telephone-event, which would pass for jitter.
        """
        outcome = self._place(sequence_number)
        if outcome in (Arrival.PROBATION, Arrival.JUMPED):
            return outcome
        self.received += 1
        if outcome is Arrival.DUPLICATE:
            self.duplicates += 1
            return outcome
        self.unique += 1
        if timed:
            self._time(timestamp, arrival)
        return outcome

    def report(self, ssrc: int, *, last_sr: int, delay_since_last_sr: int) -> ReportBlock:
        """The report block of this stream; each call begins a new interval of `fraction_lost`."""
        expected, received = self.expected, self.received
        expected_interval = expected - self._reported_expected
        lost_interval = expected_interval - (received - self._reported_received)
        self._reported_expected, self._reported_received = expected, received
        fraction = 0
        if expected_interval > 0 and lost_interval > 0:
            fraction = min(255, (lost_interval << 8) // expected_interval)
        return ReportBlock(
            ssrc=ssrc,
            fraction_lost=fraction,
            cumulative_lost=self.cumulative_lost,
            highest_sequence=self.extended_highest,
            jitter=self.jitter,
            last_sr=last_sr,
            delay_since_last_sr=delay_since_last_sr,
        )

    def _place(self, sequence_number: int) -> Arrival:
        highest = self._highest
        if highest is None:
            highest = sequence_number - 1
        delta = (sequence_number - highest) % SEQUENCE_MODULUS
        if self._probation:
            self._probation = (self._probation if delta == 1 else self._min_sequential) - 1
            self._begin(sequence_number)
            return Arrival.PROBATION if self._probation else Arrival.IN_ORDER
        if delta == 0:
            return Arrival.DUPLICATE
        if delta < MAX_DROPOUT:
            self._highest = highest + delta
            self._window = (self._window << delta | 1) & _WINDOW_MASK
            return Arrival.IN_ORDER
        behind = SEQUENCE_MODULUS - delta
        if behind >= MAX_MISORDER:
            return self._jump(sequence_number)
        bit = 1 << behind
        if self._window & bit:
            return Arrival.DUPLICATE
        self._window |= bit
        self.reordered += 1
        self._base = min(self._base, highest - behind)
        return Arrival.REORDERED

    def _jump(self, sequence_number: int) -> Arrival:
        if sequence_number != self._bad_sequence:
            self._bad_sequence = (sequence_number + 1) % SEQUENCE_MODULUS
            return Arrival.JUMPED
        self._expected_before = self.expected
        self.restarts += 1
        self._begin(sequence_number)
        self._transit = None
        return Arrival.RESTARTED

    def _begin(self, sequence_number: int) -> None:
        self._highest = self._base = sequence_number
        self._window = 1
        self._bad_sequence = None

    def _time(self, timestamp: int, arrival: float) -> None:
        transit = arrival * self.clock_rate - timestamp
        previous, self._transit = self._transit, transit
        if previous is None:
            return
        # Timestamps wrap at 32 bits, so their difference is the nearest one modulo 2^32.
        deviation = abs((transit - previous + 0x80000000) % 0x100000000 - 0x80000000)
        if deviation > MAX_TIMESTAMP_STEP_SECONDS * self.clock_rate:
            self.timestamp_jumps += 1
            return
        self._jitter += (deviation - self._jitter) / 16
