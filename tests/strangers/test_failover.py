"""Carriers that die in every way a carrier can, and calls that go elsewhere and come back.

Two Kamailios each, the product as processes, and the public API.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lab.certificates import Authority
from tests.strangers.firewall import dropping
from tests.support.customer import Customer
from tests.support.dns_server import DnsServer
from tests.support.kamailio import Kamailio, OptionsManner, run_kamailio
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests
from tests.support.product import open_product
from tests.support.temporal import run_temporal

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.peer,
    # Silence takes 27 s to be believed, and a return three replies that are ten seconds apart.
    pytest.mark.timeout(240),
]

INTERVAL = 5
"""Seconds between two rounds."""

HOLD_DOWN = 10

PATIENCE = 90.0
"""Seconds that a test waits for what takes half a minute; a busy machine may need more."""

Route = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk with two endpoints, as its customer sees it, and a number that calls by it."""

    customer: Customer
    trunk_id: str
    number: str

    async def until(self, enough: Callable[[Route], bool]) -> Route:
        """The route once it is ``enough``. Raises ``TimeoutError``."""
        give_up = time.monotonic() + PATIENCE
        where = f"/v1/sip/trunks/{self.trunk_id}/route"
        while True:
            route: Route = await self.customer.told("GET", where)
            if enough(route):
                return route
            if time.monotonic() > give_up:
                raise TimeoutError(f"the route is {route}")
            await asyncio.sleep(0.05)

    async def goes_to(self, position: int) -> Route:
        """The route once new calls go to an endpoint. Raises ``TimeoutError``."""

        def is_there(route: Route) -> bool:
            return bool(route["active"]["position"] == position)

        return await self.until(is_there)

    async def called(self) -> str:
        """Place a real call; the address that its INVITE went to."""
        call_id = await self.customer.begin_test_call(self.number)
        await self.customer.test_call_ended(call_id)
        trace = (await self.customer.about_test_call(call_id, "trace")).json()["data"]
        [invite, *_] = (each for each in trace["messages"] if each["method"] == "INVITE")
        return str(invite["destination"]).rpartition(":")[0]


@pytest.fixture(scope="module")
async def names(loopback: LoopbackBlock) -> AsyncIterator[DnsServer]:
    async with DnsServer(host=loopback.address()) as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs every carrier's certificate."""
    return Authority.open(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
async def customer(
    postgres: PostgresForTests,
    names: DnsServer,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Customer]:
    """An organization of a product that looks every few seconds.

    The product has a Temporal of its own: workers of another one would take its tasks.
    """
    with postgres.database() as urls:
        async with (
            run_temporal(tmp_path_factory.mktemp("temporal-failover")) as temporal,
            open_product(
                tmp_path_factory.mktemp("failover"),
                urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
                TRUNKLINE_HEALTH_INTERVAL_SECONDS=str(INTERVAL),
                TRUNKLINE_TLS_CA_FILE=str(authority.ca_file),
                TRUNKLINE_DNS_SERVERS="{}:{}".format(*names.address),
            ) as product,
        ):
            api, _ = await asyncio.gather(product.start_api(), product.start_worker())
            yield await product.customer(api)


@pytest.fixture
async def carriers(
    loopback: LoopbackBlock, tmp_path: Path, authority: Authority
) -> AsyncIterator[tuple[Kamailio, Kamailio]]:
    """The first and the second carrier."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Kamailio:
            shutil.copytree(authority.ca_file.parent, tmp_path / name / "certificates")
            running = run_kamailio(loopback.address(), tmp_path / name)
            return await stack.enter_async_context(running)

        first, second = await asyncio.gather(start("first"), start("second"))
        yield first, second


def new_number() -> str:
    return f"+1415555{secrets.randbelow(10_000):04}"


async def trunk_over(customer: Customer, first: str, second: Kamailio, transport: str) -> Trunk:
    """A trunk that calls by a host, and by the second carrier when that fails; both were seen to work."""
    number = new_number()
    asked = {"source": "options"}
    await customer.attach(number, f"sip:{first};transport={transport}", health_check=asked)
    await customer.told(
        "PATCH",
        "/v1/sip/config",
        phone_number=number,
        direction="outbound",
        failover_config={
            "endpoints": [{"host": second.address, "transport": transport}],
            "hold_down_seconds": HOLD_DOWN,
        },
    )
    found = await customer.told("GET", f"/v1/sip?phone_number={quote(number)}")
    trunk = Trunk(customer, found["outbound"]["trunk_id"], number)
    await trunk.until(_both_work)
    return trunk


def _both_work(route: Route) -> bool:
    endpoints = [each for each in (route["active"], *route["next"]) if each is not None]
    return [each["standing"] for each in endpoints] == ["up", "up"]


@contextmanager
def frozen(kamailio: Kamailio) -> Iterator[None]:
    """Stop every process of it; the sockets stay."""
    group = kamailio.process.pid
    assert group is not None
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def cut_off(kamailio: Kamailio) -> AbstractContextManager[None]:
    """Put a firewall before it that drops."""
    return dropping(kamailio.address)


async def test_a_carrier_that_is_killed_loses_its_calls_and_has_them_back_after_the_hold_down(
    customer: Customer, carriers: tuple[Kamailio, Kamailio]
) -> None:
    first, second = carriers
    trunk = await trunk_over(customer, first.address, second, "udp")
    assert await trunk.called() == first.address
    first.process.kill()
    route = await trunk.goes_to(1)
    assert route["cause"] == "unreachable"
    assert "3 of 3 probes refused" in route["why"][0]
    assert await trunk.called() == second.address

    await first.process.start()
    back = time.monotonic()
    held = await trunk.until(lambda route: route["held_until"] is not None)
    assert any("hold-down 10 s" in each for each in held["why"])
    route = await trunk.goes_to(0)
    # Three good replies, ten seconds apart, and then the hold-down.
    assert time.monotonic() - back > 20 + HOLD_DOWN - 1
    assert route["cause"] == "failed_back"
    assert await trunk.called() == first.address


@pytest.mark.parametrize(
    ("silenced", "transport"), [(frozen, "udp"), (cut_off, "tcp")], ids=["frozen", "cut-off"]
)
async def test_a_carrier_that_falls_silent_loses_its_calls(
    customer: Customer,
    carriers: tuple[Kamailio, Kamailio],
    silenced: Callable[[Kamailio], AbstractContextManager[None]],
    transport: str,
) -> None:
    first, second = carriers
    trunk = await trunk_over(customer, first.address, second, transport)
    with silenced(first):
        route = await trunk.goes_to(1)
        assert route["cause"] == "timeout"
        assert "3 of 3 probes unanswered" in route["why"][0]
        assert await trunk.called() == second.address


async def test_a_carrier_that_ends_its_tls_connection_and_is_gone_loses_its_calls(
    customer: Customer, carriers: tuple[Kamailio, Kamailio]
) -> None:
    first, second = carriers
    trunk = await trunk_over(customer, first.address, second, "tls")
    assert await trunk.called() == first.address
    first.process.kill()
    route = await trunk.goes_to(1)
    assert route["cause"] == "unreachable"
    assert await trunk.called() == second.address


async def test_a_challenge_is_up_or_down_as_the_trunks_own_health_check_says(
    customer: Customer, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    challenged = OptionsManner.CHALLENGED_BY_SERVER
    address = loopback.address()
    numbers = {preset: new_number() for preset in ("standard", "strict_200")}
    async with run_kamailio(address, tmp_path, manner=challenged):
        for preset, number in numbers.items():
            await customer.attach(number, f"sip:{address}", health_check={"preset": preset})
        found = {preset: await looked_at(customer, number) for preset, number in numbers.items()}
    assert found["standard"]["state"] == "reachable"
    assert "answered 401" in found["standard"]["reason"]
    assert (found["strict_200"]["state"], found["strict_200"]["status"]) == ("down", "unreachable")
    assert "3 of 3 probes answered 401" in found["strict_200"]["reason"]


async def looked_at(customer: Customer, number: str) -> dict[str, Any]:
    """The number's status once something was decided about it."""
    give_up = time.monotonic() + PATIENCE
    while True:
        status: dict[str, Any] = await customer.told(
            "GET", f"/v1/sip/status?phone_number={quote(number)}"
        )
        if status["state"] != "unchecked":
            return status
        if time.monotonic() > give_up:
            raise TimeoutError(f"{number} is {status}")
        await asyncio.sleep(0.1)


async def test_a_name_whose_first_target_dies_keeps_its_calls_on_the_second_one(
    customer: Customer, carriers: tuple[Kamailio, Kamailio], names: DnsServer
) -> None:
    first, second = carriers
    names.put(
        "_sip._udp.carrier.example",
        "SRV",
        "10 0 5060 one.carrier.example.",
        "20 0 5060 two.carrier.example.",
    )
    names.put("one.carrier.example", "A", first.address)
    names.put("two.carrier.example", "A", second.address)
    trunk = await trunk_over(customer, "carrier.example", second, "udp")
    assert await trunk.called() == first.address
    first.process.kill()

    def is_down(route: Route) -> bool:
        states = {each["address"]: each["state"] for each in route["active"]["targets"]}
        return bool(states[first.address] == "down")

    route = await trunk.until(is_down)
    assert (route["active"]["position"], route["cause"]) == (0, "primary")
    shares = {each["address"]: each["share_percent"] for each in route["active"]["targets"]}
    assert shares == {first.address: 0, second.address: 100}
    assert await trunk.called() == second.address
