"""Test calls as a customer places them: through the API, over a worker, to software of others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from local.process import ManagedProcess
from sip.message import Request, parse_message
from tests.support.baresip import PHONE_USER, Phone, PhoneMedia, run_baresip
from tests.support.dns_server import DnsServer
from tests.support.kamailio import PROXY_PASSWORD, Kamailio, run_proxy
from tests.support.loopback import LoopbackBlock
from tests.support.product import ApiProcess, Customer, Product
from tests.support.programs import require_program
from tests.support.sipp_calls import CallScript, run_sipp_callee
from tests.support.sipp_scripts import DIGEST_PASSWORD, DIGEST_USER
from tests.support.tshark import fields_of

pytestmark = [
    pytest.mark.peer,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # The first test waits for every server and process to start.
    pytest.mark.timeout(120),
]

NUMBER = "+14155550100"


@pytest.fixture
async def customer(product: Product, api: ApiProcess, worker: ManagedProcess) -> Customer:
    return await product.customer(api)


@pytest.fixture(scope="module")
async def proxy(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kamailio]:
    """A Kamailio that challenges and records its route, with a phone that answers."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            run_proxy(loopback.address(), tmp_path_factory.mktemp("proxy"), challenge=407)
        )
        await stack.enter_async_context(
            run_baresip(
                loopback.address(), tmp_path_factory.mktemp("registered"), registrar=running
            )
        )
        yield running


@pytest.fixture(scope="module")
async def secure_phone(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Phone]:
    """A phone that takes calls with SRTP only."""
    folder = tmp_path_factory.mktemp("secure")
    async with run_baresip(loopback.address(), folder, media=PhoneMedia.SRTP_ONLY) as phone:
        yield phone


def proven(view: dict[str, Any]) -> dict[str, str]:
    """Outcome of each rung."""
    return {step["rung"]: step["outcome"] for step in view["proof"]}


async def called(customer: Customer, **body: Any) -> dict[str, Any]:
    call_id = await customer.begin_test_call(NUMBER, **body)
    return {**await customer.test_call_ended(call_id), "call_id": call_id}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_to_sipp_is_proven_rung_by_rung(
    customer: Customer, dns: DnsServer, loopback: LoopbackBlock, tmp_path: Path, transport: str
) -> None:
    address = loopback.address()
    dns.put(f"{transport}.sipp.test", "A", address)
    await customer.attach(NUMBER, f"sip:{transport}.sipp.test", transport=transport, port=5060)
    async with run_sipp_callee(CallScript.ANSWERS, transport, address, tmp_path) as sipp:
        view = await called(customer)
        await sipp.finished()
    assert (view["status"], view["result"]) == ("completed", "connected")
    assert [each["event"] for each in view["timeline"]][-1] == "completed"
    words = [each["event"] for each in view["timeline"]]
    assert [each for each in words if each in ("initiated", "ringing", "answered")] == [
        *("initiated", "ringing", "answered")
    ]
    rungs = proven(view)
    assert "fail" not in rungs.values(), view["proof"]
    assert {rung for rung, outcome in rungs.items() if outcome == "skip"} == {
        *("tls", "authentication", "srtp"),
        *(("tcp",) if transport == "udp" else ()),
    }
    assert view["diagnosis"] is None
    assert view["sip_code"] == 200


async def test_the_trace_of_a_call_is_what_was_on_the_wire(
    customer: Customer, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    address = loopback.address()
    await customer.attach(
        NUMBER,
        f"sip:{address}",
        transport="udp",
        port=5060,
        sip_username=DIGEST_USER,
        sip_password=DIGEST_PASSWORD,
    )
    async with run_sipp_callee(CallScript.CHALLENGES, "udp", address, tmp_path) as sipp:
        view = await called(customer)
        await sipp.finished()
    assert proven(view)["authentication"] == "pass"
    capture = tmp_path / "call.pcap"
    capture.write_bytes((await customer.about_test_call(view["call_id"], "pcap")).content)
    rows = await fields_of(
        tshark, capture, ("sip.CSeq.method", "sip.Method", "sip.Status-Code", "_ws.malformed")
    )
    assert rows == [
        ("INVITE", "INVITE", "", ""),
        ("INVITE", "", "401", ""),
        ("ACK", "ACK", "", ""),
        ("INVITE", "INVITE", "", ""),
        ("INVITE", "", "200", ""),
        ("ACK", "ACK", "", ""),
        ("BYE", "BYE", "", ""),
        ("BYE", "", "200", ""),
    ]
    for what in ("trace", "pcap", "ladder.svg", "ladder.mmd"):
        shown = (await customer.about_test_call(view["call_id"], what)).text
        assert "INVITE" in shown
        assert "47364c23432d2e131a5fb210812c" not in shown, f"the nonce stands in {what}"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_registered_phone_answers_through_a_challenging_proxy(
    customer: Customer, proxy: Kamailio, transport: str
) -> None:
    await customer.attach(
        NUMBER,
        f"sip:{proxy.address}",
        transport=transport,
        port=proxy.port(transport),
        secure_media=False,
        sip_username="alice",
        sip_password=PROXY_PASSWORD,
        ca_pem=proxy.ca_file.read_text(),
    )
    view = await called(customer, to=PHONE_USER)
    assert (view["status"], view["result"]) == ("completed", "connected")
    rungs = proven(view)
    assert "fail" not in rungs.values(), view["proof"]
    passed = {rung for rung, outcome in rungs.items() if outcome == "pass"}
    assert passed >= {"authentication", "answer", "rtp_out", "rtp_in", "bye"}
    assert ("tls" in passed) == (transport == "tls")


async def test_a_softphone_is_reached_with_srtp_over_tls(
    customer: Customer, secure_phone: Phone
) -> None:
    await customer.attach(
        NUMBER,
        f"sip:{secure_phone.address}",
        transport="tls",
        port=secure_phone.port("tls"),
        secure_media=True,
        ca_pem=secure_phone.ca_file.read_text(),
    )
    view = await called(customer, to=PHONE_USER)
    assert (view["status"], view["result"]) == ("completed", "connected")
    rungs = proven(view)
    assert "fail" not in rungs.values(), view["proof"]
    assert {rungs["tls"], rungs["srtp"], rungs["rtp_in"]} == {"pass"}
    trace = (await customer.about_test_call(view["call_id"], "trace")).text
    assert "a=crypto" in trace
    keys = [line for line in json.loads(trace)["data"]["messages"] if "inline:" in line["raw"]]
    assert keys
    assert all("inline:*" in line["raw"] for line in keys)


async def test_a_phone_that_wants_srtp_is_cured_by_the_variant_that_is_offered(
    customer: Customer, secure_phone: Phone
) -> None:
    await customer.attach(
        NUMBER,
        f"sip:{secure_phone.address}",
        transport="tls",
        port=secure_phone.port("tls"),
        secure_media=False,
        ca_pem=secure_phone.ca_file.read_text(),
    )
    refused = await called(customer, to=PHONE_USER)
    assert refused["status"] == "failed"
    assert refused["sip_code"] == 488
    assert refused["diagnosis"]["sip_code"] == 488
    wanted = [each["id"] for each in refused["variants"] if "srtp" in each["id"]]
    assert len(wanted) == 1
    again = await customer.retry_test_call(refused["call_id"], wanted[0])
    cured = await customer.test_call_ended(again)
    assert (cured["status"], cured["result"]) == ("completed", "connected")
    assert cured["setting_to_save"] == {"secure_media": True}


@pytest.mark.parametrize(
    ("script", "status", "result", "code"),
    [
        (CallScript.BUSY, "busy", "busy", 486),
        (CallScript.DECLINES, "failed", "failed", 603),
        (CallScript.NOT_FOUND, "failed", "failed", 404),
        (CallScript.NO_COMMON_CODEC, "failed", "failed", 488),
        (CallScript.UNAVAILABLE, "failed", "failed", 503),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, CallScript) else str(value),
)
async def test_a_refusal_is_told_with_its_code_and_a_diagnosis(
    customer: Customer,
    loopback: LoopbackBlock,
    tmp_path: Path,
    script: CallScript,
    status: str,
    result: str,
    code: int,
) -> None:
    address = loopback.address()
    await customer.attach(NUMBER, f"sip:{address}", transport="udp", port=5060)
    async with run_sipp_callee(script, "udp", address, tmp_path) as sipp:
        view = await called(customer)
        await sipp.finished()
    assert (view["status"], view["result"], view["sip_code"]) == (status, result, code)
    assert view["diagnosis"]["sip_code"] == code
    assert view["diagnosis"]["what"]
    assert "fail" in proven(view).values()


async def test_a_ringing_call_is_cancelled_on_request(
    customer: Customer, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    address = loopback.address()
    await customer.attach(NUMBER, f"sip:{address}", transport="udp", port=5060)
    async with run_sipp_callee(CallScript.RINGS, "udp", address, tmp_path) as sipp:
        call_id = await customer.begin_test_call(NUMBER)
        await customer.test_call_when(call_id, lambda view: view["status"] == "ringing")
        assert (await customer.hang_up(call_id)).status_code == 200
        view = await customer.test_call_ended(call_id, seconds=5)
        await sipp.finished()
    assert view["status"] == "failed"
    assert view["failure_reason"] == "cancelled"
    assert (await customer.hang_up(call_id)).status_code == 409


async def test_the_events_of_a_call_are_told_while_it_runs_and_end_with_its_result(
    customer: Customer, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    address = loopback.address()
    await customer.attach(NUMBER, f"sip:{address}", transport="udp", port=5060)
    async with run_sipp_callee(CallScript.ANSWERS, "udp", address, tmp_path) as sipp:
        call_id = await customer.begin_test_call(NUMBER)
        events = [event async for event in customer.test_call_events(call_id)]
        await sipp.finished()
    kinds = [event.name for event in events]
    assert kinds[-1] == "result"
    assert kinds.count("result") == 1
    # INVITE, 100, 180, 200, ACK, BYE, 200
    assert kinds.count("message") == 7
    assert events[-1].data["status"] == "completed"
    sent = [event for event in events if event.name == "message"]
    assert [parse_message(event.data["raw"].encode()) for event in sent]
    assert isinstance(parse_message(sent[0].data["raw"].encode()), Request)
