"""Discovery as a customer has it: HTTP, a worker, Temporal, PostgreSQL, and a Kamailio to find."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from local.process import ManagedProcess
from tests.strangers.conftest import Kamailios
from tests.strangers.silence import silent_ports
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock
from tests.support.product import ApiProcess, Customer, Product

pytestmark = [
    pytest.mark.peer,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # The first test waits for every server and process to start.
    pytest.mark.timeout(120),
]

TRANSPORTS_AND_PORTS = {
    (transport, port) for transport in ("udp", "tcp", "tls") for port in (5060, 5061, 5080)
}


async def test_a_kamailio_is_found_while_a_silent_port_is_still_waited_for(
    kamailios: Kamailios, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    kamailio = kamailios.open
    customer = await product.customer(api)
    with silent_ports(kamailio.address, [("udp", 5080)]):
        answer = await customer.discover(kamailio.address)
        assert answer.status_code == 200, answer.text
        begun = answer.json()["data"]
        assert begun["status"] == "running"
        early = await customer.with_attempts(begun["discovery_id"], 7)
        assert early["status"] == "running"
        assert early["recommended"]["transport"] == "tls"
        view = await customer.ended(begun["discovery_id"], seconds=15)

    assert view["status"] == "completed"
    assert view["failure"] is None
    tried = {(each["transport"], each["port"]): each for each in view["attempts"]}
    assert set(tried) == TRANSPORTS_AND_PORTS
    assert len(view["attempts"]) == len(TRANSPORTS_AND_PORTS)
    answered = {place for place, each in tried.items() if each["outcome"] == "answered"}
    assert answered == {("udp", 5060), ("tcp", 5060), ("tls", 5061)}
    assert all(tried[place]["response_code"] == 200 for place in answered)
    assert tried["udp", 5080]["response_code"] is None
    assert tried["udp", 5061]["outcome"] == "refused"
    # What came late was silence: the port that takes everything, and a TLS greeting that plain SIP
    # over TCP waits to see the end of.
    late = {(each["transport"], each["port"]): each["outcome"] for each in view["attempts"][7:]}
    assert late == {("udp", 5080): "silent", ("tls", 5060): "tls_silent"}

    best = view["recommended"]
    assert (best["transport"], best["port"]) == ("tls", 5061)
    assert best["tls"]["verifies"]
    assert best["detected_system"] == "Kamailio"
    assert best["user_agent"].startswith("kamailio (")
    assert best["warnings"] == []
    assert "TLS" in best["reason"]


async def test_a_domain_is_followed_through_its_records_to_the_kamailio(
    kamailios: Kamailios, dns: DnsServer, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    kamailio = kamailios.open
    domain = kamailio.domain
    dns.put(f"_sips._tcp.{domain}", "SRV", f"10 5 5061 node.{domain}.")
    dns.put(f"_sip._udp.{domain}", "SRV", f"20 5 5060 node.{domain}.")
    dns.put(f"node.{domain}", "A", kamailio.address)
    customer = await product.customer(api)
    view = await _discovered(customer, f"  SIP:{domain.upper()}. ")
    assert view["status"] == "completed"
    assert view["resolved_addresses"] == [kamailio.address]
    best = view["recommended"]
    assert (best["host"], best["transport"], best["port"]) == (domain, "tls", 5061)
    assert best["announced"]
    # RFC 5922: the certificate is judged by the domain that was entered, not by the SRV target.
    assert best["tls"]["verifies"]


async def test_challenging_kamailios_are_recommended_too(
    kamailios: Kamailios, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    codes = {kamailios.md5: 401, kamailios.sha256: 401, kamailios.proxy: 407}
    # Three organizations at once: one alone runs one discovery at a time.
    customers = [await product.customer(api) for _ in codes]
    views = await asyncio.gather(
        *(
            _discovered(customer, each.address)
            for customer, each in zip(customers, codes, strict=True)
        )
    )
    for view, code in zip(views, codes.values(), strict=True):
        assert Counter(each["response_code"] for each in view["attempts"])[code] == 3
        best = view["recommended"]
        assert best["transport"] == "tls"
        assert best["usable"]
        assert best["detected_system"] == "Kamailio"
        # Another authority signed this certificate than the one that the operator trusts.
        assert not best["tls"]["verifies"]
        assert best["warnings"]


async def test_a_second_discovery_is_refused_with_the_running_id(
    loopback: LoopbackBlock, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    address = loopback.address()
    customer, other = await product.customer(api), await product.customer(api)
    with silent_ports(address, [("udp", 5060)]):
        first = (await customer.discover(address)).json()["data"]
        refused = await customer.discover(address)
        assert refused.status_code == 409
        entry = refused.json()["errors"][0]
        assert entry["error"] == "DISCOVERY_IN_PROGRESS"
        assert entry["discovery_id"] == first["discovery_id"]
        # The slot is the organization's, so others go on.
        assert (await other.discover(address, port=5061)).status_code == 200
        view = await customer.ended(first["discovery_id"], seconds=15)
    assert view["status"] == "completed"
    assert (await customer.discover(address, port=5061)).status_code == 200


async def _discovered(customer: Customer, host: str) -> dict[str, Any]:
    answer = await customer.discover(host)
    assert answer.status_code == 200, answer.text
    return await customer.ended(answer.json()["data"]["discovery_id"], seconds=15)
