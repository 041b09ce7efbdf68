"""A firewall between us and a peer, which takes packets and says nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.programs import require_program

__all__ = ["dropping"]


@contextmanager
def dropping(address: str) -> Iterator[None]:
    """Drop whatever is sent to a loopback address until the block ends.

    Only root may; for others the test is skipped.
    """
    if os.geteuid() != 0:
        pytest.skip("only root may change the firewall")
    nft = require_program("nft", "nftables")
    table = f"trunkline_{secrets.token_hex(4)}"
    rules = (
        f"table ip {table} {{ chain input {{ type filter hook input priority 0; "
        f"ip daddr {address} drop; }}; }}"
    )
    subprocess.run([nft, "-f", "-"], input=rules, text=True, check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run([nft, "delete", "table", "ip", table], check=True, timeout=10)
