"""The stage of tests that stop or kill the worker of a test call, and what its peers do."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from enum import Enum

from local.process import ManagedProcess
from sip.message import Request, parse_message
from storage import sip_messages
from storage.calls import OWNER_KIND
from storage.tables import MessageDirection
from tests.strangers.test_discovery_kills import killed
from tests.support.product import POLL_INTERVAL, Customer, Product
from tests.support.sipp_scripts import (
    DIGEST_PASSWORD,
    DIGEST_REALM,
    DIGEST_USER,
    Sdp,
    answers,
    hears,
    invited,
    label,
    replies,
    waits,
)

__all__ = ["ANSWERS_AFTER", "Callee", "Stage"]

CLEANED_UP_WITHIN = 25.0
"""Seconds: four until the heartbeat is missed, the start of a worker, eight of clean-up."""

REACHED_WITHIN = 15.0
ANSWERS_AFTER = 1.0

_NUMBERS = itertools.count(2_025_550_100)

# An ACK too many is harmless, and so is a BYE for an early dialog that the CANCEL ended already.
_MAY_ACK = '<recv request="ACK" optional="true" timeout="2000" ontimeout="over"/>'
_MAY_BYE = '<recv request="BYE" timeout="2000" ontimeout="over"/>'
_UNTIL_CANCELLED = (
    *(hears("CANCEL"), replies(200), answers(487), hears("ACK")),
    *(_MAY_ACK, _MAY_BYE, replies(200), label("over"), waits(0)),
)
_UNTIL_BYE = ('<recv request="ACK" optional="true"/>', hears("BYE"), replies(200))
_ANSWER = (answers(200, sdp=Sdp.PLAIN), hears("ACK"))
_CHALLENGE = f'WWW-Authenticate: Digest realm="{DIGEST_REALM}", nonce="4e6f6e6365", algorithm=MD5, qop="auth"'


class Callee(Enum):
    """What SIPp must see to be content."""

    SAYS_NOTHING = (invited(), *_UNTIL_CANCELLED)
    RINGS = (invited(), answers(100), answers(180), *_UNTIL_CANCELLED)
    ANSWERS_LATE = (
        *(invited(), answers(180), waits(round(ANSWERS_AFTER * 1000))),
        # Slowly, so that the few times that SIPp repeats it last until somebody hears.
        answers(200, sdp=Sdp.PLAIN).replace('retrans="500"', 'retrans="2000"'),
        '<recv request="CANCEL" optional="true" next="cancelled"/>',
        *(hears("ACK"), *_UNTIL_BYE, '<nop next="end"/>'),
        *(label("cancelled"), replies(200), hears("ACK"), *_UNTIL_BYE),
        *(label("end"), waits(0)),
    )
    TALKS = (invited(), answers(180), *_ANSWER, *_UNTIL_BYE)
    CHALLENGES_BYE = (
        *(invited(), answers(180), *_ANSWER),
        *_UNTIL_BYE[:-1],
        replies(401, _CHALLENGE),
        *_UNTIL_BYE,
    )
    IGNORES_BYE = (invited(), answers(180), *_ANSWER, hears("BYE"), *_UNTIL_BYE)


@dataclass(frozen=True, slots=True)
class Stage:
    """A customer with a number that leads to ``address``, and the only worker there is."""

    product: Product
    customer: Customer
    worker: ManagedProcess
    workers: list[ManagedProcess]
    address: str

    async def begin(self, transport: str, *, host: str | None = None, **options: str) -> str:
        """The id of a test call to the address, or to another host."""
        number = f"+1{next(_NUMBERS)}"
        await self.customer.attach(
            number,
            f"sip:{host or self.address}",
            transport=transport,
            sip_username=DIGEST_USER,
            sip_password=DIGEST_PASSWORD,
            **options,
        )
        return await self.customer.begin_test_call(number)

    async def kill(self) -> None:
        """End the worker as a crash would, and start another."""
        await killed(self.worker)
        await self.start_worker()

    async def start_worker(self) -> None:
        self.workers.append(await self.product.start_worker())

    async def sent(self, call_id: str) -> list[Request]:
        """Every request that left for the peer, without retransmissions."""
        async with self.product.database.tenant(self.customer.org_id) as session:
            kept = await sip_messages.of_owner(session, OWNER_KIND, call_id)
        messages = [
            parse_message(each.data)
            for each in kept
            if each.direction is MessageDirection.OUT and not each.retransmission
        ]
        return [each for each in messages if isinstance(each, Request)]

    async def methods(self, call_id: str) -> list[str]:
        """Methods of the requests that left, in order."""
        return [each.method for each in await self.sent(call_id)]

    async def until_sent(self, call_id: str, method: str) -> None:
        """Return once a request with this method left. Raises ``TimeoutError``."""
        give_up = time.monotonic() + REACHED_WITHIN
        while method not in (sent := await self.methods(call_id)):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{sent}\n{self.product.logs()}")
            await asyncio.sleep(POLL_INTERVAL)

    async def until(self, call_id: str, status: str) -> None:
        """Return once the call has this status. Raises ``TimeoutError``."""
        await self.customer.test_call_when(
            call_id, lambda view: view["status"] == status, seconds=REACHED_WITHIN
        )

    async def interrupted(self, call_id: str) -> None:
        """Wait for the end that a call has whose worker died."""
        view = await self.customer.test_call_ended(call_id, seconds=CLEANED_UP_WITHIN)
        assert (view["status"], view["result"]) == ("failed", "failed")
        assert view["failure_reason"] == "interrupted"
