"""Addresses of 127.0.0.0/8 that no other test run on this machine uses."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

__all__ = ["LoopbackBlock", "claim_loopback_block"]

# Above the lab's default block 127.0.60.0/24 and what resolvers and distributions use (127.0.0.1,
# 127.0.0.53, 127.0.1.1).
SECOND_BYTES = range(64, 255)


class LoopbackBlock:
    """A /16 of loopback that belongs to this test run."""

    def __init__(self, second_byte: int) -> None:
        self.network = IPv4Network(f"127.{second_byte}.0.0/16")
        self._hosts = itertools.count(1)

    def address(self) -> str:
        """An address that nothing in this run was given before."""
        third, fourth = divmod(next(self._hosts), 254)
        if third > 255:
            raise RuntimeError(f"{self.network} is used up")
        return f"{self.network.network_address + (third << 8) + fourth + 1}"


@contextmanager
def claim_loopback_block() -> Iterator[LoopbackBlock]:
    """Hold a block for as long as the context lives, or the process if it is killed.

    The claim is a bound abstract socket name: it exists once per network namespace, as loopback
    does, needs no file and no rights, and goes with the process (unix(7)).
    """
    start = os.getpid() % len(SECOND_BYTES)
    for second_byte in (*SECOND_BYTES[start:], *SECOND_BYTES[:start]):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with claim:
            try:
                claim.bind(f"\0trunkline-tests-loopback-{second_byte}")
            except OSError:
                continue
            yield LoopbackBlock(second_byte)
            return
    raise RuntimeError("every loopback block is claimed by another test run")
