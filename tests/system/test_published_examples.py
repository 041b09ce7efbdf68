"""An existing client's requests: every example of both published generations, asked of a `make up`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.parts import ROOT
from tests.contract.exchange import NEWER_REGION, Example
from tests.contract.published import RunningSystem, in_order, running_system
from tests.contract.routes import NOT_BUILT, PUBLISHED
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock
from tests.support.one_machine import run_one_machine

# The first test waits for the whole system.
pytestmark = [
    pytest.mark.system,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.timeout(240),
]

EXAMPLES = in_order()
GUIDE_REGION, NEWER = "us", "eu"


@pytest.fixture(scope="module")
async def system(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningSystem]:
    """A fresh system, whose regions are one of the guide and one of the generation after it."""
    folder = tmp_path_factory.mktemp("up")
    shipped = (ROOT / "domain" / "regions.toml").read_text(encoding="utf-8")
    guide, eu, _ = shipped.partition(f"[regions.{NEWER}]")
    regions = folder / "regions.toml"
    regions.write_text(f"{guide}{eu}{NEWER_REGION}", encoding="utf-8")
    async with (
        run_one_machine(
            folder, new_lab_network(loopback), TRUNKLINE_REGIONS_FILE=str(regions)
        ) as up,
        running_system(up, newer_region=NEWER) as running,
    ):
        assert running.organization["region"] == GUIDE_REGION
        yield running


async def test_a_fresh_system_has_nothing_configured(system: RunningSystem) -> None:
    assert await system.is_empty()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
async def test_the_answer_is_as_published(example: Example, system: RunningSystem) -> None:
    assert system.can_answer(example)
    assert await system.differences(example) == []


async def test_every_published_route_is_asked_but_those_that_are_not_built(
    system: RunningSystem,
) -> None:
    requests = [example["request"] for example in EXAMPLES.values()]
    assert {(each["method"], each["path"]) for each in requests} == PUBLISHED - NOT_BUILT

    answer = await system.client.get("/openapi.json")
    built = {
        (method.upper(), path)
        for path, operations in answer.raise_for_status().json()["paths"].items()
        for method in operations
    }
    assert not NOT_BUILT & built
