"""What a test call's routes show of the wire: everything but secrets, to its owner only."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from api.services.recordings import MOST_MESSAGES
from storage.engine import Database
from storage.ids import new_id
from tests.api.outbound import NUMBER
from tests.api.tenants import Tenant
from tests.api.traced_calls import Traced
from tests.domain.calls import answered, target
from tests.domain.traces import (
    KEY,
    RESPONSE_DIGEST,
    UDP,
    Way,
    challenged_call,
    request,
    response,
)
from tests.support.programs import require_program
from tests.support.tshark import fields_of

pytestmark = pytest.mark.postgres

TLS = Way(transport="TLS", remote=("203.0.113.5", 5061))
SECRETS = (RESPONSE_DIGEST, KEY, "f00d", "0a4f113b", "5ccc069c")
FORMS = ("trace", "pcap", "ladder.svg", "ladder.mmd")


@pytest.fixture
async def traced(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Traced:
    """A call that was admitted and of which nothing is on the wire yet."""
    made = Traced(client, tenant, database, new_id("tc"))
    await made.admit()
    return made


async def test_the_trace_shows_every_message_as_it_was(traced: Traced) -> None:
    await traced.record(challenged_call())

    trace = await traced.trace()

    assert (trace["call_id"], trace["ended"], trace["truncated"]) == (traced.call_id, False, False)
    assert (trace["post_dial_delay_ms"], trace["setup_ms"]) == (902.1, 4210.7)
    assert [each["index"] for each in trace["messages"]] == list(range(11))
    refused = trace["messages"][2]
    assert refused["direction"] == "in"
    assert refused["transport"] == "udp"
    assert (refused["source"], refused["destination"]) == ("203.0.113.5:5060", "192.0.2.10:40404")
    assert (refused["kind"], refused["status"], refused["reason"]) == (
        "failure",
        401,
        "Unauthorized",
    )
    assert (refused["method"], refused["cseq"]) == ("INVITE", 1)
    assert refused["delta_ms"] == 31.5
    assert refused["elapsed_ms"] == 531.5
    assert refused["note"] == 'MD5 for realm "asterisk"'
    assert ["Server", "Asterisk PBX 20.9.2"] in refused["headers"]
    assert refused["raw"].startswith("SIP/2.0 401 Unauthorized\r\n")
    again = trace["messages"][1]
    assert (again["retransmission"], again["repeats"]) == (True, 0)
    assert trace["messages"][0]["sdp"] == "SDP PCMU PCMA SRTP"
    assert [(each["name"], each["address"]) for each in trace["hosts"]] == [
        ("Trunkline", None),
        ("203.0.113.5", "203.0.113.5"),
    ]


async def test_an_ended_call_adds_its_media_and_its_names(traced: Traced) -> None:
    await traced.record(challenged_call())
    await traced.end(answered(targets=(target(address="203.0.113.5"),)))

    trace = await traced.trace()

    assert trace["ended"]
    assert trace["hosts"][1]["name"] == "sip.example.com"
    assert trace["hosts"][1]["software"] == "Asterisk PBX 20.9.2"
    assert (trace["media"]["state"], trace["media"]["words"]) == ("good", "both ways")


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_shows_a_secret(traced: Traced, form: str) -> None:
    await traced.record(challenged_call(TLS))
    await traced.end(answered())

    answer = await traced.get(form)

    assert answer.status_code == 200
    assert b"Ringing" in answer.content
    assert not [secret for secret in SECRETS if secret.encode() in answer.content]


@pytest.mark.parametrize("form", FORMS)
async def test_numbers_are_hidden_on_request(traced: Traced, form: str) -> None:
    await traced.record(challenged_call())

    assert b"1415555" in (await traced.get(form)).content
    assert b"1415555" not in (await traced.get(form, hide_numbers="true")).content


@pytest.mark.parametrize("form", FORMS)
async def test_a_call_with_nothing_on_the_wire_has_every_form(traced: Traced, form: str) -> None:
    answer = await traced.get(form)

    assert answer.status_code == 200


@pytest.mark.parametrize("form", FORMS)
async def test_an_unknown_call_has_no_form(traced: Traced, form: str) -> None:
    traced.call_id = new_id("tc")

    answer = await traced.get(form)

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["error"] == "NOT_FOUND"


@pytest.mark.parametrize("form", FORMS)
async def test_a_call_of_another_organization_looks_like_an_unknown_one(
    traced: Traced, other_tenant: Tenant, form: str
) -> None:
    await traced.record(challenged_call())
    traced.tenant = other_tenant

    answer = await traced.get(form)

    assert answer.status_code == 404
    assert b"sip.example.com" not in answer.content


async def test_the_drawing_is_an_svg_that_may_do_nothing(traced: Traced) -> None:
    await traced.record([*challenged_call(), UDP.received(8000, response(500, "<script>"))])

    answer = await traced.get("ladder.svg")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"
    root = ElementTree.fromstring(answer.text)
    shown = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert f"Test call {traced.call_id}, number {NUMBER}" in shown
    assert "500 <script>" in shown


async def test_the_diagram_is_plain_text(traced: Traced) -> None:
    await traced.record(challenged_call())

    answer = await traced.get("ladder.mmd")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.startswith("sequenceDiagram\n    title Test call tc_")
    assert "H0->>H1: BYE" in answer.text


@pytest.mark.peer
@pytest.mark.parametrize(
    "way",
    [
        UDP,
        Way(transport="TCP"),
        TLS,
        Way(transport="TLS", local=("2001:db8::1", 40404), remote=("2001:db8::2", 5061)),
    ],
    ids=["UDP", "TCP", "TLS", "TLS, IPv6"],
)
async def test_the_capture_is_a_file_that_wireshark_reads(
    traced: Traced, way: Way, tmp_path: Path
) -> None:
    messages = challenged_call(way)
    await traced.record(messages)

    answer = await traced.get("pcap")

    assert answer.headers["content-type"] == "application/vnd.tcpdump.pcap"
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{traced.call_id}.pcap"'
    )
    file = tmp_path / "call.pcap"
    file.write_bytes(answer.content)
    tshark = require_program("tshark", "tshark")
    fields = ("sip.CSeq.method", "_ws.malformed")
    shown = await fields_of(tshark, file, fields, "-Y", "sip")
    methods = [method for method, _ in shown]
    assert methods.count("INVITE") == len(messages) - 4
    assert methods[-2:] == ["BYE", "BYE"]
    assert {malformed for _, malformed in shown} == {""}


async def test_the_link_type_can_be_chosen(traced: Traced) -> None:
    await traced.record(challenged_call(TLS))

    links = [
        struct.unpack("<I", (await traced.get("pcap", **query)).content[20:24])[0]
        for query in ({}, {"link": "ip"}, {"link": "sip"})
    ]

    assert links == [252, 101, 252]


async def test_a_link_type_that_cannot_hold_the_messages_is_refused(traced: Traced) -> None:
    await traced.record([UDP.sent(0, b"x" * 65_508)])

    refused = await traced.get("pcap", link="ip")
    unknown = await traced.get("pcap", link="ethernet")

    assert (refused.status_code, unknown.status_code) == (400, 400)
    assert refused.json()["errors"][0]["field"] == "link"
    assert "do not fit a datagram" in refused.json()["errors"][0]["message"]
    assert (await traced.get("pcap")).status_code == 200


async def test_a_flood_is_cut_and_says_so(traced: Traced) -> None:
    message = UDP.received(0, request("OPTIONS"))
    await traced.record([message] * (MOST_MESSAGES + 1))

    trace = await traced.trace()
    drawing = await traced.get("ladder.svg")

    assert trace["truncated"]
    assert len(trace["messages"]) == MOST_MESSAGES
    assert trace["remarks"] == ["More messages followed, too many to show."]
    assert "More messages followed, too many to show." in drawing.text


async def test_large_messages_are_cut_by_their_octets(traced: Traced) -> None:
    data = request("OPTIONS", headers=[f"X: {'y' * 8_000}"] * 8)
    await traced.record([UDP.received(0, data)] * 80)

    trace = await traced.trace()

    assert trace["truncated"]
    assert len(trace["messages"]) == 4 * 1024 * 1024 // len(data)


async def test_what_is_no_sip_is_shown_all_the_same(traced: Traced) -> None:
    await traced.record([UDP.received(0, b"\x00\xff not SIP")])

    (message,) = (await traced.trace())["messages"]

    assert message["kind"] == "unreadable"
    assert message["raw"] == "\x00\ufffd not SIP"
    assert message["problem"]
