"""An organization that ports numbers while the worker is killed under it, and whoever hears of its order."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from psycopg.rows import dict_row

from local.process import ManagedProcess
from tests.api.ported import body
from tests.channels.receivers import Receiver, answering, receiver
from tests.papers.files import bill
from tests.support.customer import Customer
from tests.support.loopback import LoopbackBlock
from tests.support.mail_server import MailServer, run_mail_server
from tests.support.postgres import TestDatabase
from tests.support.product import ApiProcess, Product, open_product
from tests.support.temporal import TemporalServer, run_temporal

__all__ = ["NUMBERS", "SIGNER", "PortStage", "port_stage"]

NUMBERS: Final = ("+14155550100", "+14155550101", "+14155550102")
SIGNER: Final = "Jane Doe"
WORKER: Final = "tests.support.hasty_worker"

SCALE: Final = 40_000
"""A day takes two seconds: the dates are far enough apart for a worker to be replaced in between."""

LOOK_EVERY: Final = 0.005
PATIENCE: Final = 40.0
"""Seconds that the next transition may take; the longest wait is for the committed date, 20 s."""


@dataclass
class PortStage:
    """The product with one worker, and one order."""

    product: Product
    api: ApiProcess
    worker: ManagedProcess
    temporal: TemporalServer
    customer: Customer
    mails: MailServer
    hook: Receiver
    http: httpx.AsyncClient
    database: psycopg.Connection[dict[str, Any]]
    trunk_id: str = ""
    order_id: str = ""

    async def configure(self) -> None:
        """A webhook for events, and a trunk that takes calls."""
        where = f"/v1/organizations/{self.customer.org_id}"
        await self.customer.told("PATCH", where, webhook_endpoints=[{"url": self.hook.url()}])
        await self.customer.told("POST", f"{where}/signing-secret")
        trunk = await self.customer.told(
            "POST",
            "/v1/sip/trunks",
            name="For ported numbers",
            direction="inbound",
            sip_endpoint=f"sip:{self.hook.address};transport=udp",
        )
        self.trunk_id = trunk["trunk_id"]

    async def place(self, account: str, pin: str) -> None:
        """Upload a bill and order the port."""
        key = {"Authorization": f"Bearer {self.customer.key}"}
        uploaded = await self.http.post(
            f"{self.api.url}/v1/sip/port/document",
            files={"file": ("bill.pdf", bill(), "application/pdf")},
            headers=key,
        )
        assert uploaded.status_code == 200, uploaded.text
        document_id = uploaded.json()["data"]["document_sid"]
        order = body(
            *NUMBERS,
            information={"account_number": account},
            documents=[document_id],
            trunk_id=self.trunk_id,
            pin=pin,
        )
        placed = await self.customer.told("POST", "/v1/sip/port/initiate", **order)
        self.order_id = placed["port_request_id"]

    async def sign(self) -> None:
        """Open the mailed link and sign, as the authorized representative does in a browser."""
        await self.until(lambda: self._link() is not None, "no link was mailed")
        page = f"{self.api.url}{self._link()}"
        shown = await self.http.get(page)
        proof = re.search(r'name="proof" value="([^"]+)"', shown.text)
        assert proof is not None, shown.text
        form = {
            "proof": proof[1],
            "consent": "yes",
            "intent": "yes",
            "name": SIGNER,
            "drawing": "",
        }
        signed = await self.http.post(f"{page}/sign", data=form)
        assert signed.status_code == 303, signed.text

    async def reached(self, count: int) -> None:
        """Wait until the order has made so many transitions."""
        await self.until(lambda: len(self.transitions()) >= count, f"{count} transitions")

    async def replace_worker(self) -> None:
        """Kill the worker, whatever it does, and start another one."""
        self.worker.kill()
        assert await self.worker.ended() == "killed by SIGKILL"
        self.worker = await self.product.start_worker(module=WORKER)

    def transitions(self) -> list[str]:
        """The sub-statuses that the order came to, in turn, as its timeline has them."""
        rows = self.rows(
            "SELECT to_sub_status AS it FROM port_timeline "
            "WHERE order_id = %s AND to_sub_status IS NOT NULL ORDER BY id",
            self.order_id,
        )
        return [row["it"] for row in rows]

    def notices(self, channel: str) -> list[dict[str, Any]]:
        """What was to be told by this channel."""
        query = "SELECT * FROM port_notices WHERE order_id = %s AND channel = %s"
        return self.rows(query, self.order_id, channel)

    def rows(self, query: str, *parameters: str) -> list[dict[str, Any]]:
        """What the database has."""
        return self.database.execute(query.encode(), parameters).fetchall()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something. Raises ``TimeoutError``."""
        give_up = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > give_up:
                error = TimeoutError(f"{what}: {self.transitions()}")
                error.add_note(self.product.logs())
                raise error
            await asyncio.sleep(LOOK_EVERY)

    def _link(self) -> str | None:
        """Where the newest one-time link leads."""
        texts = [mail.get_body(("plain",)) for _, mail in self.mails.taken]
        found = [
            link
            for text in texts
            if text is not None
            for link in re.findall(r"/sign/link/[\w-]+", text.get_content())
        ]
        return found[-1] if found else None


@asynccontextmanager
async def port_stage(
    folder: Path, database_urls: TestDatabase, loopback: LoopbackBlock
) -> AsyncIterator[PortStage]:
    """A stage with a Temporal of its own: workers of another one would take its tasks."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        mails = await enter(run_mail_server(loopback.address()))
        hook = await enter(receiver(loopback.address(), answering(200)))
        temporal = await enter(run_temporal(folder / "temporal"))
        product = await enter(
            open_product(
                folder / "product",
                database_urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS=str(loopback.network),
                TRUNKLINE_PORTING_CLOCK_SCALE=str(SCALE),
                TRUNKLINE_DOCUMENT_FOLDER=str(folder / "documents"),
                TRUNKLINE_SMTP_HOST=mails.address,
                TRUNKLINE_SMTP_PORT=str(mails.port),
                TRUNKLINE_SMTP_SECURITY="none",
                TRUNKLINE_SMTP_SENDER="porting@trunkline.example",
            )
        )
        api, worker = await asyncio.gather(product.start_api(), product.start_worker(module=WORKER))
        database = stack.enter_context(
            psycopg.connect(database_urls.admin_url, autocommit=True, row_factory=dict_row)
        )
        made = PortStage(
            product=product,
            api=api,
            worker=worker,
            temporal=temporal,
            customer=await product.customer(api),
            mails=mails,
            hook=hook,
            http=await enter(httpx.AsyncClient(timeout=20)),
            database=database,
        )
        await made.configure()
        yield made
