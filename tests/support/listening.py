"""Whether a program listens, without a packet that it would have to deal with."""

from __future__ import annotations

import socket
from pathlib import Path

__all__ = ["listens"]

_LISTENING = {"udp": "07", "tcp": "0A"}
"""States of proc_pid_net(5): a datagram socket that is not connected, and a listening one."""


def listens(transport: str, address: str, port: int) -> bool:
    """Whether an IPv4 address and port are bound; ``transport`` is udp or tcp."""
    # The kernel prints the address as the number that it is in this machine's byte order.
    number = int.from_bytes(socket.inet_aton(address), "little")
    place, state = f"{number:08X}:{port:04X}", _LISTENING[transport]
    lines = Path(f"/proc/net/{transport}").read_text().splitlines()[1:]
    return any(fields[1] == place and fields[3] == state for fields in map(str.split, lines))
