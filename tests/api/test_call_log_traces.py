"""Traces of calls of the log: every form without secrets, in capture order, and two calls compared."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sip.capture import CapturedMessage
from storage import calls
from storage.engine import Database
from storage.ids import new_id
from storage.tables import LiveCallRow
from tests.api.logged import Log
from tests.api.tenants import Tenant
from tests.domain.traces import KEY, RESPONSE_DIGEST, UDP, challenged_call, request, response, sdp
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call
from tests.support.programs import require_program
from tests.support.tshark import fields_of

pytestmark = pytest.mark.postgres

SECRETS = (RESPONSE_DIGEST, KEY, "f00d", "0a4f113b", "5ccc069c")
FORMS = ("trace", "pcap", "ladder.svg", "ladder.mmd")


@pytest.fixture
def log_of_calls(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Log:
    return Log(client, tenant, database)


@pytest.fixture
async def call(log_of_calls: Log) -> LiveCallRow:
    """A call with its messages, which came out of order."""
    added = await log_of_calls.add(sip_call_id="7f3a@192.0.2.10")
    messages = challenged_call()
    await log_of_calls.record(added, [*messages[4:], *messages[:4]])
    return added


def refused_call() -> list[CapturedMessage]:
    return [
        UDP.sent(0.0, request("INVITE", body=sdp(), headers=["Allow: INVITE"])),
        UDP.received(84.2, response(488, "Not Acceptable Here")),
        UDP.sent(85.0, request("ACK")),
    ]


async def test_the_trace_shows_what_was_seen_between_others(
    log_of_calls: Log, call: LiveCallRow
) -> None:
    trace = await log_of_calls.data(f"/{call.id}/trace")

    assert (trace["call_id"], trace["ended"], trace["truncated"]) == (call.id, True, False)
    assert (trace["post_dial_delay_ms"], trace["setup_ms"]) == (902.1, 4210.7)
    moments = [each["at"] for each in trace["messages"]]
    assert moments == sorted(moments)
    assert len(moments) == 11
    assert [(host["name"], host["address"]) for host in trace["hosts"]] == [
        ("192.0.2.10", "192.0.2.10"),
        ("203.0.113.5", "203.0.113.5"),
    ]
    assert trace["hosts"][1]["software"] == "Asterisk PBX 20.9.2"
    refused = trace["messages"][2]
    assert (refused["source"], refused["destination"]) == ("203.0.113.5:5060", "192.0.2.10:40404")
    assert (trace["media"], trace["remarks"]) == (None, [])
    by_call_id = await log_of_calls.data("/7f3a%40192.0.2.10/trace")
    assert by_call_id == trace


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_shows_a_secret(log_of_calls: Log, call: LiveCallRow, form: str) -> None:
    answer = await log_of_calls.get(f"/{call.id}/{form}")
    assert answer.status_code == 200
    assert b"Ringing" in answer.content
    assert not [secret for secret in SECRETS if secret.encode() in answer.content]


@pytest.mark.parametrize("form", FORMS)
async def test_numbers_are_hidden_on_request(
    log_of_calls: Log, call: LiveCallRow, form: str
) -> None:
    path = f"/{call.id}/{form}"
    assert b"1415555" in (await log_of_calls.get(path)).content
    hidden = await log_of_calls.get(path, hide_numbers="true")
    assert hidden.status_code == 200
    assert b"1415555" not in hidden.content


@pytest.mark.parametrize("form", FORMS)
async def test_a_call_without_messages_has_every_form(log_of_calls: Log, form: str) -> None:
    call = await log_of_calls.add()
    assert (await log_of_calls.get(f"/{call.id}/{form}")).status_code == 200


@pytest.mark.parametrize("form", [*FORMS, "compare?with=x", "events"])
async def test_an_unknown_call_has_no_form(log_of_calls: Log, form: str) -> None:
    answer = await log_of_calls.client.get(
        f"/v1/sip/calls/{new_id('lc')}/{form}", headers=log_of_calls.tenant.viewer
    )
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"] == "no such call"


async def test_files_can_neither_run_nor_be_taken_for_another_type(
    log_of_calls: Log, call: LiveCallRow
) -> None:
    for form in FORMS[1:]:
        answer = await log_of_calls.get(f"/{call.id}/{form}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["cache-control"] == "private, no-store"
    pcap = await log_of_calls.get("/7f3a%40192.0.2.10/pcap")
    # The Call-ID is the peer's; the file's name is ours.
    assert pcap.headers["content-disposition"] == f'attachment; filename="{call.id}.pcap"'


async def test_the_drawing_names_the_call_and_hosts_only(
    log_of_calls: Log, call: LiveCallRow
) -> None:
    svg = (await log_of_calls.get(f"/{call.id}/ladder.svg")).text
    mermaid = (await log_of_calls.get(f"/{call.id}/ladder.mmd")).text
    assert f"Call {call.id}, number {call.number}" in svg
    assert "participant H0 as 192.0.2.10" in mermaid
    # A User-Agent of the caller says Trunkline; no host is called so.
    assert "as Trunkline" not in mermaid


async def test_tshark_reads_the_capture_as_the_call(
    log_of_calls: Log, call: LiveCallRow, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    file = tmp_path / "call.pcap"
    file.write_bytes((await log_of_calls.get(f"/{call.id}/pcap")).content)
    fields = ("ip.src", "sip.Method", "sip.Status-Code")
    rows = await fields_of(tshark, file, fields, "-d", "udp.port==5060,sip")
    assert [row[0] for row in rows[:3]] == ["192.0.2.10", "192.0.2.10", "203.0.113.5"]
    assert [row[1] or row[2] for row in rows] == [
        *("INVITE", "INVITE", "401", "ACK", "INVITE", "100", "180", "200", "ACK", "BYE", "200")
    ]


async def test_packets_that_cannot_be_are_refused_in_plain_words(log_of_calls: Log) -> None:
    call = await log_of_calls.add()
    way = UDP.__class__(local=("192.0.2.10", 5060), remote=("2001:db8::1", 5060))
    await log_of_calls.record(call, [way.sent(0, request("INVITE"))])
    status, said = await log_of_calls.refused(f"/{call.id}/pcap", link="ip")
    assert status == 400
    assert said.startswith("These messages cannot be written as IP packets: ")
    assert (await log_of_calls.get(f"/{call.id}/pcap")).status_code == 200


async def test_two_calls_are_compared_step_by_step(log_of_calls: Log, call: LiveCallRow) -> None:
    other = await log_of_calls.add(1)
    await log_of_calls.record(other, refused_call())

    compared = await log_of_calls.data(f"/{other.id}/compare", with_="7f3a@192.0.2.10")

    assert (compared["left"], compared["right"]) == (other.id, call.id)
    assert 0 < compared["alike"] < 1
    invite, *rest = compared["steps"]
    assert (invite["label"], invite["left"], invite["right"]) == ("INVITE", 0, 0)
    assert {"name": "Allow", "left": "INVITE", "right": None} in invite["differences"]
    assert (invite["left_sdp"], invite["right_sdp"]) == ("SDP PCMU PCMA", "SDP PCMU PCMA SRTP")
    (refused,) = [step for step in rest if step["label"] == "488 Not Acceptable Here"]
    assert (refused["left_ms"], refused["right"]) == (84.2, None)


async def test_a_comparison_shows_no_secret(log_of_calls: Log, call: LiveCallRow) -> None:
    other = await log_of_calls.add(1)
    await log_of_calls.record(other, refused_call())
    answer = await log_of_calls.get(f"/{call.id}/compare", with_=other.id)
    assert not [secret for secret in SECRETS if secret in answer.text]


async def test_a_call_can_only_be_compared_with_one_that_is_seen(
    log_of_calls: Log, call: LiveCallRow, other_tenant: Tenant
) -> None:
    theirs = await log_of_calls.add(org_id=other_tenant.org_id)
    for other in (theirs.id, theirs.sip_call_id, new_id("lc")):
        assert await log_of_calls.refused(f"/{call.id}/compare", with_=other) == (
            404,
            "no such call",
        )
    assert (await log_of_calls.get(f"/{call.id}/compare")).status_code == 400


async def test_a_test_calls_trace_is_its_own(log_of_calls: Log) -> None:
    org_id = log_of_calls.tenant.org_id
    test = await queued_call(log_of_calls.database, org_id, at=log_of_calls.now)
    message = a_message(org_id, test.id, request("INVITE"), at=log_of_calls.now)
    async with log_of_calls.database.tenant(org_id) as session:
        await calls.add_messages(session, test.id, [message])
    trace = await log_of_calls.data(f"/{test.id}/trace")
    own = await log_of_calls.client.get(
        f"/v1/sip/test-call/{test.id}/trace", headers=log_of_calls.tenant.viewer
    )
    assert trace == own.json()["data"]
    assert trace["hosts"][0]["name"] == "Trunkline"
