"""A simulated network: two transaction layers back to back, and a clock that only the test moves.

Every message crosses as bytes and is parsed again. What happens to a datagram is decided by the
test, most often by hypothesis: its fate is the tuple of delays after which a copy arrives, so `()`
is a loss, two delays are a duplicate, and unequal delays of two messages reorder them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from hypothesis import strategies as st

from sip.build import response_to
from sip.message import Request, parse_message
from sip.timers import Timers
from sip.transaction import (
    ClientKey,
    Event,
    Flow,
    Outgoing,
    RequestReceived,
    TransactionLayer,
)
from tests.sip.transactions import SERVER, EventType, flow_between, reversed_flow

Fate = tuple[float, ...]
DELIVERED: Fate = (0.01,)
LOST: Fate = ()

# Below T1: a last copy that is later than the server's timer J would start a new transaction, as
# section 17.2.2 has it.
delays = st.floats(0.001, 0.45)
fates = st.one_of(
    st.just(LOST),
    st.just(DELIVERED),
    st.tuples(delays),
    st.tuples(delays, delays),
    st.tuples(delays, delays, delays),
)

Work = Callable[[float], None]


@dataclass
class Element:
    """One end of the network: a layer, and all it sent and told, with the time."""

    layer: TransactionLayer
    sent: list[tuple[float, Outgoing]] = field(default_factory=list)
    events: list[tuple[float, Event]] = field(default_factory=list)

    def of(self, kind: type[EventType]) -> list[EventType]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def times(self, kind: type[Event]) -> list[float]:
        return [at for at, event in self.events if isinstance(event, kind)]


class Network:
    """Carries messages between a client and a server until nothing is left to happen."""

    def __init__(
        self,
        *,
        transport: str = "UDP",
        fate: Iterable[Fate] = (),
        otherwise: Fate = DELIVERED,
        timers: Timers | None = None,
        statuses: tuple[int, ...] = (200,),
        answer_after: float = 0.0,
    ) -> None:
        """The server answers each request with `statuses`, `answer_after` seconds later.

        `fate` is consumed a datagram at a time, from both sides; `otherwise` follows it.
        """
        self.now = 0.0
        self.flow = flow_between(transport)
        self.client = Element(TransactionLayer(timers))
        self.server = Element(TransactionLayer(timers))
        self._fates = iter(fate)
        self._otherwise = otherwise
        self._statuses = statuses
        self._answer_after = answer_after
        self._serial = 0
        self._to_come: list[tuple[float, int, Work]] = []

    def send(self, request: Request) -> ClientKey:
        key = self.client.layer.send_request(request, self.flow, self.now)
        self._exchange()
        return key

    def run(self, until: float) -> None:
        """Let everything happen up to a time, in the order of time."""
        while (at := self._next()) is not None and at <= until:
            self.now = at
            while self._to_come and self._to_come[0][0] <= at:
                heapq.heappop(self._to_come)[2](at)
            for element in (self.client, self.server):
                element.layer.handle_timer(at)
            self._exchange()

    def _next(self) -> float | None:
        times = [at for at, *_ in self._to_come[:1]]
        for element in (self.client, self.server):
            if (timer := element.layer.get_timer()) is not None:
                times.append(timer)
        return min(times, default=None)

    def _exchange(self) -> None:
        for element in (self.client, self.server):
            while (event := element.layer.next_event()) is not None:
                element.events.append((self.now, event))
                if isinstance(event, RequestReceived):
                    self._answer(element.layer, event)
            for out in element.layer.messages_to_send():
                element.sent.append((self.now, out))
                self._carry(out)

    def _answer(self, layer: TransactionLayer, event: RequestReceived) -> None:
        for status in self._statuses:
            response = response_to(event.request, status, to_tag="to-1")
            self._later(self._answer_after, partial(layer.send_response, event.key, response))

    def _carry(self, out: Outgoing) -> None:
        layer = self.server.layer if out.flow.remote == SERVER else self.client.layer
        fate = DELIVERED if out.flow.reliable else next(self._fates, self._otherwise)
        for delay in fate:
            self._later(delay, partial(_deliver, layer, out.data, reversed_flow(out.flow)))

    def _later(self, delay: float, work: Work) -> None:
        self._serial += 1
        heapq.heappush(self._to_come, (self.now + delay, self._serial, work))


def _deliver(layer: TransactionLayer, data: bytes, flow: Flow, now: float) -> None:
    layer.receive_message(parse_message(data), flow, now)
