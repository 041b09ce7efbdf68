"""``kill -9`` of the worker at every transition of a port: nothing is lost, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.canaries import canary, database_places, file_places, history_places, leaks
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase
from tests.system.port_stage import NUMBERS, PortStage, port_stage

pytestmark = [
    pytest.mark.system,
    pytest.mark.postgres,
    pytest.mark.temporal,
    # Eight workers die, and each workflow task that one had begun is given up after ten seconds.
    pytest.mark.timeout(240),
]

HAPPY = [
    "validating",
    "awaiting_signature",
    "submitting",
    "lsr_sent",
    "foc_confirmed",
    "activating",
    "verifying",
    "completed",
]


async def test_a_worker_that_dies_at_each_transition_changes_nothing(
    database_urls: TestDatabase,
    loopback: LoopbackBlock,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    secrets = {"account number": canary("account"), "PIN": canary("pin")}
    async with port_stage(tmp_path, database_urls, loopback) as stage:
        await stage.place(secrets["account number"], secrets["PIN"])
        for count, status in enumerate(HAPPY, start=1):
            await stage.reached(count)
            assert stage.transitions()[-1] == status
            await stage.replace_worker()
            if status == "awaiting_signature":
                await stage.sign()
        await stage.until(lambda: _all_told(stage), "a message waits")

        assert stage.transitions() == HAPPY
        record_property("mails that came twice", _mails_each_once(stage))
        record_property("webhooks that came twice", _events_each_once(stage))
        await _numbers_take_calls(stage)
        _carrier_has_one_order(stage)
        assert stage.rows("SELECT 1 FROM port_orders WHERE secrets_sealed IS NOT NULL") == []
        client = await Client.connect(stage.temporal.address, namespace=stage.temporal.namespace)
        kept = [
            *database_places(database_urls.admin_url),
            *file_places(*(tmp_path / "product" / "log").iterdir()),
            *await history_places(client),
        ]
        assert leaks(secrets, kept) == []


def _all_told(stage: PortStage) -> bool:
    rows = stage.rows("SELECT state FROM port_notices WHERE order_id = %s", stage.order_id)
    return {row["state"] for row in rows} == {"sent"}


def _mails_each_once(stage: PortStage) -> int:
    """Every mail of every transition is there once, by its Message-ID; how many came again."""
    wanted = {(row["recipient"], row["message_id"]) for row in stage.notices("email")}
    came = Counter(
        (to, str(mail["Message-ID"]).strip("<>").partition("@")[0])
        for to, mail in stage.mails.taken
    )
    assert set(came) == wanted
    told = {(row["recipient"], row["transition_key"]) for row in stage.notices("email")}
    assert len(told) == len(wanted)
    return came.total() - len(wanted)


def _events_each_once(stage: PortStage) -> int:
    """Every event is there once, by its id; how many came again."""
    wanted = {row["message_id"] for row in stage.notices("webhook")}
    came = Counter(request.headers["webhook-id"] for request in stage.hook.requests)
    assert set(came) == wanted
    return came.total() - len(wanted)


async def _numbers_take_calls(stage: PortStage) -> None:
    bound = stage.rows(
        "SELECT phone_number, trunk_id FROM number_bindings WHERE direction = 'inbound'"
    )
    assert {row["phone_number"]: row["trunk_id"] for row in bound} == dict.fromkeys(
        NUMBERS, stage.trunk_id
    )
    assert len(bound) == len(NUMBERS)
    order = await stage.customer.told("GET", f"/v1/sip/port/{stage.order_id}")
    assert order["status"] == "completed"


def _carrier_has_one_order(stage: PortStage) -> None:
    [order] = stage.rows("SELECT state FROM simulated_ports")
    assert [each["kind"] for each in order["state"]["heard"]] == ["submit"]
