"""Two hundred real calls through a Kamailio that exports HEP: our log beside SIPp's own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.customer import Customer
from tests.support.kamailio import run_traffic_proxy
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests
from tests.support.product import open_product
from tests.support.programs import require_program
from tests.support.sipp_traffic import PlacedCall, place_calls, run_callees
from tests.support.temporal import TemporalServer
from tests.support.tshark import fields_of

pytestmark = [pytest.mark.postgres, pytest.mark.peer, pytest.mark.timeout(180)]

OURS = "+14155550123"
ANSWERED, BUSY, UNKNOWN, UNAVAILABLE, GIVEN_UP = 110, 30, 20, 20, 20
PER_SECOND = 40
TOLERANCE_MS = 100
"""Between a SIPp that hears the answer and the proxy that passed it on, on a busy machine."""

SETTLED_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """What SIPp said of its calls, and what our log says."""

    customer: Customer
    placed: list[PlacedCall]
    logged: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
async def run(
    postgres: PostgresForTests,
    temporal: TemporalServer,
    loopback: LoopbackBlock,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Run]:
    folder = tmp_path_factory.mktemp("traffic")
    caller, proxy, callee = loopback.address(), loopback.address(), loopback.address()
    with postgres.database() as urls:
        async with open_product(
            folder, urls, temporal, TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8"
        ) as product:
            api, collector = await asyncio.gather(
                product.start_api(), product.start_collector(loopback.address())
            )
            customer = await product.customer(api)
            await customer.attach(OURS, f"sip:{proxy}")
            proxy_folder = folder / "proxy"
            proxy_folder.mkdir()
            async with (
                run_callees(callee, folder) as (answers, rings),
                run_traffic_proxy(
                    proxy, proxy_folder, collector=collector.address, answers=answers, rings=rings
                ),
            ):
                numbers = _numbers(
                    {"1212": ANSWERED, "1486": BUSY, "1404": UNKNOWN, "1503": UNAVAILABLE}
                )
                given_up = _numbers({"1487": GIVEN_UP})
                place = partial(
                    place_calls,
                    caller=OURS,
                    source=caller,
                    target=(proxy, 5060),
                    folder=folder,
                    per_second=PER_SECOND,
                )
                talked = await place("uac_traffic", numbers)
                left = await place("uac_gives_up", given_up)
            assert (talked.failed, left.failed) == (0, 0)
            placed = [*talked.calls, *left.calls]
            yield Run(customer, placed, await _logged(customer, len(placed)))


def _numbers(counts: dict[str, int]) -> list[str]:
    """Numbers of each kind, mixed."""
    each = [
        (place / count, f"+{prefix}55501{place:02}")
        for prefix, count in counts.items()
        for place in range(count)
    ]
    return [number for _, number in sorted(each)]


async def _logged(customer: Customer, count: int) -> dict[str, dict[str, Any]]:
    """Our log by Call-ID once so many calls have ended in it."""
    give_up = time.monotonic() + SETTLED_WITHIN
    while True:
        found = {call["call_id"]: call for call in await _whole_log(customer)}
        if len(found) >= count and all(call["ended_at"] for call in found.values()):
            return found
        if time.monotonic() > give_up:
            raise TimeoutError(
                f"{len(found)} calls are in the log: {Counter(c['status'] for c in found.values())}"
            )
        await asyncio.sleep(0.2)


async def _whole_log(customer: Customer) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    before = ""
    while True:
        where = f"/v1/sip/calls?phone_number={quote(OURS)}&limit=100{before}"
        page = (await customer.told("GET", where))["calls"]
        calls += page
        if len(page) < 100:
            return calls
        before = f"&before={quote(page[-1]['call_id'])}"


def test_every_call_of_sipp_is_in_the_log_once(run: Run) -> None:
    assert len(run.placed) == ANSWERED + BUSY + UNKNOWN + UNAVAILABLE + GIVEN_UP
    assert set(run.logged) == {call.call_id for call in run.placed}


def test_codes_are_those_that_sipp_was_answered(run: Run) -> None:
    said = {call.call_id: call.code for call in run.placed}
    assert {call_id: call["sip_code"] for call_id, call in run.logged.items()} == said
    assert Counter(said.values()) == {
        200: ANSWERED,
        486: BUSY,
        404: UNKNOWN,
        503: UNAVAILABLE,
        487: GIVEN_UP,
    }


def test_durations_are_those_that_sipp_measured(run: Run) -> None:
    apart = {}
    for placed in run.placed:
        logged = run.logged[placed.call_id]
        if placed.seconds is None:
            assert logged["duration_seconds"] == 0
        else:
            apart[placed.call_id] = abs(logged["duration_ms"] - 1000 * placed.seconds)
    assert max(apart.values()) <= TOLERANCE_MS


def test_every_call_is_the_customers_outbound_call(run: Run) -> None:
    told = {
        (call["direction"], call["from"], call["phone_number"], call["kind"], call["match"])
        for call in run.logged.values()
    }
    assert told == {("outbound", OURS, OURS, "live", "matched")}


async def test_who_hung_up_is_seen_and_which_codec_was_agreed(run: Run) -> None:
    answered = next(call for call in run.placed if call.code == 200)
    given_up = next(call for call in run.placed if call.code == 487)
    talk = await run.customer.told("GET", f"/v1/sip/calls/{run.logged[answered.call_id]['id']}")
    left = await run.customer.told("GET", f"/v1/sip/calls/{run.logged[given_up.call_id]['id']}")
    assert talk["codecs"] == ["PCMU"]
    assert (talk["details"]["hung_up_by"], left["details"]["hung_up_by"]) == ("caller", "caller")
    assert talk["details"]["caller_agent"] == "SIPp traffic"
    assert talk["details"]["callee_agent"] == "SIPp callee"
    assert talk["post_dial_delay_ms"] < 1000


async def test_the_trace_shows_both_sides_of_the_proxy(run: Run) -> None:
    answered = next(call for call in run.placed if call.code == 200)
    where = f"/v1/sip/calls/{run.logged[answered.call_id]['id']}/trace"
    trace = await run.customer.told("GET", where)
    assert len(trace["hosts"]) == 3
    methods = Counter(each["method"] for each in trace["messages"] if each["status"] is None)
    assert methods == {"INVITE": 2, "ACK": 2, "BYE": 2}


async def test_tshark_agrees_with_our_capture(run: Run, tmp_path: Path) -> None:
    tshark = require_program("tshark", "tshark")
    answered = next(call for call in run.placed if call.code == 200)
    call_id = run.logged[answered.call_id]["id"]
    trace = await run.customer.told("GET", f"/v1/sip/calls/{call_id}/trace")
    capture = await run.customer.http.get(
        f"{run.customer.url}/v1/sip/calls/{call_id}/pcap?link=sip",
        headers={"Authorization": f"Bearer {run.customer.key}"},
    )
    file = tmp_path / "call.pcap"
    file.write_bytes(capture.content)
    names = ("sip.Method", "sip.Status-Code", "sip.Call-ID", "_ws.malformed")
    seen = await fields_of(tshark, file, names)
    shown = [
        (
            each["method"] if each["status"] is None else "",
            "" if each["status"] is None else str(each["status"]),
            answered.call_id,
            "",
        )
        for each in trace["messages"]
    ]
    assert [tuple((*line, "", "", "", "")[:4]) for line in seen] == shown
