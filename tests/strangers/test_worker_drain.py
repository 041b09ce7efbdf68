"""A worker that is told to stop finishes what it probes; another one concludes it."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from local.process import ManagedProcess
from tests.strangers.silence import silent_ports
from tests.strangers.test_discovery_kills import AT_ONCE, SILENT, begun, requests_sent
from tests.support.loopback import LoopbackBlock
from tests.support.product import ApiProcess, Product

PROBE = timedelta(seconds=8)
"""Longer than the four seconds that a probe may take."""

pytestmark = [pytest.mark.peer, pytest.mark.postgres, pytest.mark.temporal, pytest.mark.system]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
async def test_a_signalled_worker_drains(
    loopback: LoopbackBlock,
    product: Product,
    api: ApiProcess,
    workers: list[ManagedProcess],
    number: signal.Signals,
) -> None:
    address, customer = loopback.address(), await product.customer(api)
    for other in workers:
        await other.stop()
    draining = await product.start_worker(grace=PROBE)
    with silent_ports(address, SILENT):
        discovery_id = await begun(customer, address)
        await customer.with_attempts(discovery_id, AT_ONCE)
        assert draining.pid is not None
        os.kill(draining.pid, number)
        assert await draining.ended() == "exit code 0"
        workers.append(await product.start_worker())
        view = await customer.ended(discovery_id, seconds=20)
    assert view["status"] == "completed"
    sent = await requests_sent(product, customer, discovery_id)
    assert set(sent.values()) == {1}
