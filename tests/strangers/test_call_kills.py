"""``kill -9`` of the worker at each state of a test call: SIPp judges that no leg stays up."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab import Lab
from lab.call_premises import CallEnd
from local.process import ManagedProcess
from tests.strangers.call_stage import ANSWERS_AFTER, Callee, Stage
from tests.strangers.silence import silent_ports
from tests.strangers.test_discovery_kills import killed
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock
from tests.support.product import ApiProcess, Product
from tests.support.sipp_calls import run_sipp_callee

pytestmark = [
    pytest.mark.peer,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # The first test waits for every server and process to start.
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
async def connected(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lab]:
    """Peers on streams: a SIPp lets go of a call with the connection that it came over."""
    folder = tmp_path_factory.mktemp("lab")
    async with Lab(new_lab_network(loopback), folder, ("asterisk", "tls-srtp")) as lab:
        yield lab


@pytest.fixture
async def stage(
    product: Product,
    api: ApiProcess,
    worker: ManagedProcess,
    workers: list[ManagedProcess],
    loopback: LoopbackBlock,
) -> Stage:
    for other in workers:
        if other is not worker:
            await other.stop()
    customer = await product.customer(api)
    return Stage(product, customer, worker, workers, loopback.address())


async def test_killed_before_the_invite_nothing_is_sent(stage: Stage) -> None:
    with silent_ports(stage.address, [("tcp", 5061)]):
        call_id = await stage.begin("tls")
        await stage.until(call_id, "initiated")
        await stage.kill()
        await stage.interrupted(call_id)
    assert await stage.sent(call_id) == []


@pytest.mark.parametrize(
    ("callee", "method"),
    [
        pytest.param(Callee.SAYS_NOTHING, "INVITE", id="after-the-invite"),
        pytest.param(Callee.TALKS, "ACK", id="talking"),
        pytest.param(Callee.IGNORES_BYE, "BYE", id="during-the-bye"),
    ],
)
async def test_killed_behind_a_request_the_peer_sees_the_end(
    stage: Stage, tmp_path: Path, callee: Callee, method: str
) -> None:
    async with run_sipp_callee(callee, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until_sent(call_id, method)
        await stage.kill()
        await stage.interrupted(call_id)
        await sipp.finished()
    assert (await stage.methods(call_id)).count("INVITE") == 1


async def test_killed_while_it_rings_the_peer_sees_cancel(stage: Stage, tmp_path: Path) -> None:
    async with run_sipp_callee(Callee.RINGS, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until(call_id, "ringing")
        await stage.kill()
        await stage.interrupted(call_id)
        await sipp.finished()
    methods = await stage.methods(call_id)
    assert methods[:2] == ["INVITE", "CANCEL"]
    assert methods.count("INVITE") == 1


@pytest.mark.parametrize(("name", "transport"), [("asterisk", "tcp"), ("tls-srtp", "tls")])
async def test_a_connection_that_died_with_its_worker_is_replaced_to_end_the_call(
    stage: Stage, connected: Lab, name: str, transport: str
) -> None:
    peer = connected.peers[name]
    call_id = await stage.begin(
        transport, host=peer.address, ca_pem=connected.ca_file.read_text(encoding="ascii")
    )
    await stage.until_sent(call_id, "ACK")
    assert peer.live_calls == 1
    await stage.kill()
    await stage.interrupted(call_id)
    assert peer.live_calls == 0
    assert [each.end for each in peer.call_records] == [CallEnd.CALLER]


async def test_an_answer_that_a_dead_worker_never_saw_is_acknowledged_and_ended(
    stage: Stage, tmp_path: Path
) -> None:
    async with run_sipp_callee(Callee.ANSWERS_LATE, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until(call_id, "ringing")
        assert stage.worker.pid is not None
        os.kill(stage.worker.pid, signal.SIGSTOP)
        starting = asyncio.create_task(stage.start_worker())
        # The answer goes to a process that does not run, so nothing of ours can tell of it.
        await asyncio.sleep(ANSWERS_AFTER + 0.5)
        await killed(stage.worker)
        await starting
        await stage.interrupted(call_id)
        await sipp.finished()
    assert {"ACK", "BYE"} <= set(await stage.methods(call_id))


async def test_a_clean_up_answers_the_challenge_to_its_bye(stage: Stage, tmp_path: Path) -> None:
    async with run_sipp_callee(Callee.CHALLENGES_BYE, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until_sent(call_id, "ACK")
        await stage.kill()
        await stage.interrupted(call_id)
        await sipp.finished()
    last = (await stage.sent(call_id))[-1]
    assert last.method == "BYE"
    assert last.headers.get("Authorization") is not None


async def test_a_worker_beside_it_cleans_up_without_a_start(stage: Stage, tmp_path: Path) -> None:
    async with run_sipp_callee(Callee.RINGS, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until(call_id, "ringing")
        await stage.start_worker()
        await killed(stage.worker)
        await stage.interrupted(call_id)
        await sipp.finished()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
async def test_a_worker_that_is_told_to_stop_hangs_up_at_once(
    stage: Stage, tmp_path: Path, number: signal.Signals
) -> None:
    async with run_sipp_callee(Callee.TALKS, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until_sent(call_id, "ACK")
        assert stage.worker.pid is not None
        os.kill(stage.worker.pid, number)
        # There is no other worker that could have done it.
        await stage.interrupted(call_id)
        await sipp.finished()
        assert await stage.worker.ended() == "exit code 0"


async def test_hanging_up_cancels_what_rings(stage: Stage, tmp_path: Path) -> None:
    async with run_sipp_callee(Callee.RINGS, "udp", stage.address, tmp_path) as sipp:
        call_id = await stage.begin("udp")
        await stage.until(call_id, "ringing")
        assert (await stage.customer.hang_up(call_id)).status_code == 200
        view = await stage.customer.test_call_ended(call_id, seconds=5)
        await sipp.finished()
    assert (view["status"], view["failure_reason"]) == ("failed", "cancelled")
