"""Calls over a wire whose every loss is chosen by hypothesis, and callers that die in the middle."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.dialog_state import Answered, Ended, Failed, FailureCause
from sip.message import Request, parse_message
from sip.transaction import Outgoing
from tests.sip.callee import Callee, Cleaner, Step
from tests.sip.caller import CREDENTIALS, PLAN, Caller
from tests.sip.network import DELIVERED, LOST, Fate, fates
from tests.sip.transactions import flow_between, reversed_flow


@dataclass
class Wire:
    """Carries messages until nothing is left; the caller dies after `dies_after` outputs.

    What the caller has put out at its death is lost as well: its snapshot was saved before.
    """

    caller: Caller
    callee: Callee
    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))
    otherwise: Fate = DELIVERED
    dies_after: int | None = None
    deaf: bool = False
    now: float = 0.0
    cleaner: Cleaner | None = None
    heard: int = 0
    """How many 2xx to an INVITE have reached the near side."""
    hung_up: set[str] = field(default_factory=set)
    """The tags of the phones whose BYE has reached it."""
    _to_come: list[tuple[float, int, bool, bytes]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=count)

    @property
    def near(self) -> Caller | Cleaner:
        return self.cleaner or self.caller

    def run(self, until: float, *, hang_up_at: float | None = None) -> None:
        self.exchange()
        while True:
            times = [at for at, *_ in self._to_come[:1]]
            timers = (self.near.get_timer(), self.callee.get_timer(), hang_up_at)
            times += [at for at in timers if at is not None]
            if not times or min(times) > until:
                return
            self.now = max(self.now, min(times))
            if hang_up_at is not None and hang_up_at <= self.now:
                hang_up_at = None
                if self.cleaner is None:
                    self.caller.now = self.now
                    self.caller.session.hang_up(self.now)
            while self._to_come and self._to_come[0][0] <= self.now:
                self._deliver(*heapq.heappop(self._to_come)[2:])
            self.near.handle_timer(self.now)
            self.callee.handle_timer(self.now)
            self.exchange()

    def exchange(self) -> None:
        for out in self._near_output():
            self._carry(out, to_callee=True)
        for out in self.callee.pump(self.now):
            self._carry(out, to_callee=False)

    def _near_output(self) -> list[Outgoing]:
        if self.cleaner is not None:
            return self.cleaner.pump(self.now)
        self.caller.now = self.now
        carried: list[Outgoing] = []
        for out in self.caller.pump():
            if self.dies_after is not None and self.dies_after <= 0:
                self.cleaner = Cleaner(self.caller.saved[-1], self.now, deaf=self.deaf)
                return carried + self.cleaner.pump(self.now)
            if self.dies_after is not None:
                self.dies_after -= 1
            carried.append(out)
        return carried

    def _carry(self, out: Outgoing, *, to_callee: bool) -> None:
        for delay in DELIVERED if out.flow.reliable else next(self.fates, self.otherwise):
            item = (self.now + delay, next(self._serial), to_callee, out.data)
            heapq.heappush(self._to_come, item)

    def _deliver(self, to_callee: bool, data: bytes) -> None:
        message = parse_message(data)
        if to_callee:
            flow = reversed_flow(flow_between())
            self.callee.layer.receive_message(message, flow, self.now)
            return
        if isinstance(message, Request):
            self.hung_up.add(message.from_.tag or "")
        elif message.cseq.method == "INVITE" and 200 <= message.status < 300:
            self.heard += 1
        self.near.layer.receive_message(message, flow_between(), self.now)


# Each ends by itself: a phone that nobody stops rings for 100 s.
EXPIRES = Step(100.0, 480)
SCRIPTS = {
    "answers at once": (Step(0.0, 200),),
    "rings and answers": (Step(0.0, 100), Step(0.3, 180), Step(3.0, 200)),
    "answers late": (Step(0.0, 100), Step(0.3, 183), Step(20.0, 200)),
    "rings reliably": (
        Step(0.2, 183, reliable=True),
        Step(2.0, 180, reliable=True),
        Step(5.0, 200),
    ),
    "forks": (
        Step(0.0, 100),
        Step(0.2, 180),
        Step(0.3, 180, "b"),
        Step(2.0, 200),
        Step(2.1, 200, "b"),
    ),
    "rings for ever": (Step(0.0, 100), Step(0.3, 180), EXPIRES),
    "trying for ever": (Step(0.0, 100), EXPIRES),
    "is busy": (Step(0.0, 100), Step(0.2, 180), Step(0.5, 486)),
}
scripts = st.sampled_from(sorted(SCRIPTS))
hang_ups = st.sampled_from([0.0, 0.1, 0.31, 1.0, 2.05, 3.0, 3.02, 10.0])


def wire_of(script: str, *, challenge: bool = False, ring_seconds: float = 15.0) -> Wire:
    plan = replace(PLAN, credentials=CREDENTIALS, ring_seconds=ring_seconds)
    wire = Wire(Caller(plan), Callee(SCRIPTS[script], challenge=challenge))
    wire.caller.session.start(0.0)
    return wire


def ends(caller: Caller) -> list[Ended | Failed]:
    return [event for event in caller.events if isinstance(event, Ended | Failed)]


class TestOverAGoodNetwork:
    @pytest.mark.parametrize("challenge", [False, True])
    @pytest.mark.parametrize("script", SCRIPTS)
    @pytest.mark.parametrize("hang_up_at", [0.0, 0.15, 1.0, 2.05, 3.015, 10.0])
    def test_every_call_ends_on_both_sides(
        self, script: str, challenge: bool, hang_up_at: float
    ) -> None:
        wire = wire_of(script, challenge=challenge)
        wire.run(400.0, hang_up_at=hang_up_at)
        assert wire.caller.session.is_over
        assert wire.caller.session.snapshot.is_over
        assert wire.caller.saved[-1].is_over
        assert not wire.callee.is_up
        assert wire.callee.calls <= 1
        assert wire.callee.own_byes == 0
        assert len(ends(wire.caller)) == 1
        assert wire.caller.get_timer() is None
        assert wire.caller.foreign == []
        answered = [phone for phone in wire.callee.phones.values() if phone.answer]
        assert all(phone.acks for phone in answered)
        assert wire.callee.byes == len(answered)
        # A PRACK may come behind the CANCEL, nothing else is ever refused.
        assert set(wire.callee.refused) <= {("INVITE", 401), ("PRACK", 481)}

    def test_a_call_that_nobody_answers_is_cancelled_after_its_time(self) -> None:
        wire = wire_of("rings for ever")
        wire.run(400.0)
        (failed,) = ends(wire.caller)
        assert isinstance(failed, Failed)
        assert (failed.cause, failed.status) == (FailureCause.NO_ANSWER, 487)
        assert 15.0 <= failed.at <= 15.1


class TestOverABadNetwork:
    @settings(max_examples=150, deadline=None)
    @given(
        scripts,
        st.lists(fates, max_size=40),
        st.sampled_from([LOST, DELIVERED]),
        hang_ups,
        st.booleans(),
    )
    def test_every_session_ends_and_ends_once(
        self,
        script: str,
        fate: list[Fate],
        otherwise: Fate,
        hang_up_at: float,
        challenge: bool,
    ) -> None:
        wire = wire_of(script, challenge=challenge)
        wire.fates, wire.otherwise = iter(fate), otherwise
        wire.run(600.0, hang_up_at=hang_up_at)
        caller = wire.caller
        assert caller.session.is_over
        assert caller.session.snapshot.is_over
        assert len(ends(caller)) == 1
        assert len(caller.of(Answered)) == len(caller.of(Ended))
        assert wire.callee.calls <= 1
        invites = {request.via.branch for request in caller.requests("INVITE")}
        acks = [ack for ack in caller.requests("ACK", copies=True) if ack.via.branch not in invites]
        assert len(acks) == wire.heard
        # Each answered dialog ends by one BYE of ours, unless the peer's came first.
        byes = [request.to.tag for request in caller.requests("BYE")]
        assert len(byes) == len(set(byes))
        assert set(byes) <= {ack.to.tag for ack in acks}
        assert {ack.to.tag for ack in acks} <= set(byes) | wire.hung_up

    @settings(max_examples=100, deadline=None)
    @given(scripts, st.lists(fates, max_size=12), hang_ups)
    def test_few_losses_leave_no_2xx_without_ack_and_no_phone_to_itself(
        self, script: str, fate: list[Fate], hang_up_at: float
    ) -> None:
        wire = wire_of(script)
        wire.fates = iter(fate)
        wire.run(600.0, hang_up_at=hang_up_at)
        for phone in wire.callee.phones.values():
            assert phone.over
            # A BYE can overtake the ACK, and the phone repeats nothing behind it.
            assert phone.answer is None or phone.acks or wire.callee.byes
        assert wire.callee.own_byes == 0


class TestAfterTheDeathOfTheCaller:
    @pytest.mark.parametrize("deaf", [False, True])
    @pytest.mark.parametrize("challenge", [False, True])
    @pytest.mark.parametrize("script", SCRIPTS)
    @pytest.mark.parametrize("sent", range(1, 9))
    def test_the_snapshot_of_every_prefix_ends_the_call(
        self, script: str, sent: int, challenge: bool, deaf: bool
    ) -> None:
        wire = wire_of(script, challenge=challenge)
        wire.dies_after, wire.deaf = sent, deaf
        wire.run(60.0, hang_up_at=6.0)
        assert not wire.callee.is_up
        assert wire.callee.calls <= 1
        if not deaf:
            assert wire.callee.own_byes == 0

    @settings(max_examples=150, deadline=None)
    @given(scripts, st.integers(1, 12), st.lists(fates, max_size=12), st.booleans(), st.booleans())
    def test_it_does_so_over_a_bad_network(
        self, script: str, sent: int, fate: list[Fate], challenge: bool, deaf: bool
    ) -> None:
        wire = wire_of(script, challenge=challenge)
        wire.fates, wire.dies_after, wire.deaf = iter(fate), sent, deaf
        wire.run(600.0, hang_up_at=6.0)
        assert not wire.callee.is_up
        assert wire.callee.calls <= 1
