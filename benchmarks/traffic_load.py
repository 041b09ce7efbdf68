"""Sends captured messages of made-up calls as an SBC exports them: a process of its own.

``python -m benchmarks.traffic_load HOST PORT RATE SECONDS``; prints how many it sent, and in how
many seconds.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Final

from sip.hep import encode_hep
from sip.hep_packet import HepPacket, HepProtocol, IpProtocol
from tests.domain.live_traffic import START, normal_call

__all__ = ["MESSAGES_PER_CALL", "call_at"]

TEMPLATE: Final = normal_call(length=4_000).messages
MESSAGES_PER_CALL: Final = len(TEMPLATE)
TICK: Final = 0.005
"""Seconds between two bursts."""
MAKING: Final = 0.00005
"""Seconds that a message takes to be made, on a slow machine."""


def call_at(number: int, begins: datetime) -> Iterator[HepPacket]:
    """One call's messages, in their order, with a Call-ID and tags of its own."""
    for message in TEMPLATE:
        data = message.data.replace(b"a84b4c76e66710", b"%014x" % number)
        yield HepPacket(
            ip_protocol=IpProtocol.UDP,
            source=message.source,
            destination=message.destination,
            at=begins + (message.at - START),
            protocol=HepProtocol.SIP,
            capture_id=1,
            payload=data,
        )


def _schedule(rate: float, seconds: float, begins: datetime) -> Iterator[HepPacket]:
    """Every message in the order of its time."""
    apart = timedelta(seconds=MESSAGES_PER_CALL / rate)
    calls = int(seconds * rate / MESSAGES_PER_CALL)
    return merge(
        *(call_at(number, begins + number * apart) for number in range(calls)),
        key=lambda packet: packet.at,
    )


def main() -> None:
    """Send at the rate; what falls behind is sent as soon as it can be."""
    host, port, rate, seconds = (
        sys.argv[1],
        int(sys.argv[2]),
        float(sys.argv[3]),
        float(sys.argv[4]),
    )
    # Made before the first leaves, so that the sender takes little of the machine while it sends.
    begins = datetime.now(UTC) + timedelta(seconds=seconds * rate * MAKING)
    packets = [
        (packet.at.timestamp(), encode_hep(packet)) for packet in _schedule(rate, seconds, begins)
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        time.sleep(max(0.0, packets[0][0] - time.time()))
        began = time.monotonic()
        for at, packet in packets:
            early = at - time.time()
            if early > TICK:
                time.sleep(early)
            sock.send(packet)
    print(len(packets), time.monotonic() - began)


if __name__ == "__main__":
    main()
