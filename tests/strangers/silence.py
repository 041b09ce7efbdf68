"""A host that takes everything and never answers."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["silent_ports"]


@contextmanager
def silent_ports(address: str, ports: Iterable[tuple[str, int]]) -> Iterator[None]:
    """Hold (transport, port) pairs, transport udp or tcp; the kernel alone accepts connections."""
    with ExitStack() as stack:
        for transport, port in ports:
            kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
            held = stack.enter_context(socket.socket(socket.AF_INET, kind))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((address, port))
            if transport == "tcp":
                held.listen()
        yield
