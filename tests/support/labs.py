"""Networks for labs inside this run's block of loopback."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network

from tests.support.loopback import LoopbackBlock

__all__ = ["new_lab_network"]

_THIRD_BYTES = itertools.count(255, -1)
"""From the top, where the block's single addresses do not get to."""


def new_lab_network(block: LoopbackBlock) -> IPv4Network:
    """A /24 that no other lab of this run has."""
    base = int(block.network.network_address) + (next(_THIRD_BYTES) << 8)
    return IPv4Network((base, 24))
