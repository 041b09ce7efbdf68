"""What number porting needs beside its workflows: calls that prove that a number came, a carrier's
webhooks where the carrier is the simulated one, and forgetting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from carriers.simulator import SimulatedPostman
from domain.porting.events import FactKind
from observability.logs import get_logger
from settings import Settings
from storage import port_numbers, port_orders, portability, simulated_ports
from storage.engine import Database

__all__ = ["hear_first_calls", "open_postman", "tidy_porting"]

_log = get_logger("trunkline.porting")

NUMBERS_AT_A_TIME: Final = 1_000
WEBHOOK_PATH: Final = "/v1/carriers/simulator/porting-webhook"
WEBHOOK_DEADLINE: Final = 5.0
"""Seconds."""

DRAFTS_KEPT: Final = timedelta(days=30)
CHECKS_KEPT: Final = timedelta(days=30)
SIMULATED_KEPT: Final = timedelta(days=90)


async def hear_first_calls(database: Database) -> int:
    """Tell orders of the first call that came in to a number that was ported; of how many numbers.

    Raises ``DatabaseUnavailable``.
    """
    async with database.system() as session:
        waiting = await port_numbers.uncalled(session, limit=NUMBERS_AT_A_TIME)
    by_order = defaultdict(list)
    for each in waiting:
        by_order[each.org_id, each.order_id].append(each)
    heard = 0
    for (org_id, order_id), numbers in by_order.items():
        came = {each.number: each.ported_at or datetime.now(UTC) for each in numbers}
        async with database.tenant(org_id) as session:
            calls = await port_numbers.first_calls(
                session, org_id, came.keys(), since=min(came.values())
            )
            calls = {number: at for number, at in calls.items() if at >= came[number]}
            if not calls:
                continue
            await port_numbers.note_called(session, order_id, calls)
            positions = sorted(each.position for each in numbers if each.number in calls)
            await port_orders.tell(
                session, org_id, order_id, FactKind.FIRST_INBOUND, positions=positions
            )
        heard += len(calls)
    return heard


async def tidy_porting(database: Database, *, now: datetime) -> None:
    """Forget drafts that nobody touched, old answers about numbers, and what the simulated carrier
    knows of orders that are long over. Raises ``DatabaseUnavailable``."""
    async with database.system() as session:
        await port_orders.purge_drafts(session, untouched_since=now - DRAFTS_KEPT)
        await portability.purge(session, checked_before=now - CHECKS_KEPT)
        await simulated_ports.purge(session, untouched_since=now - SIMULATED_KEPT)


def open_postman(
    settings: Settings, database: Database, http: httpx.AsyncClient
) -> SimulatedPostman | None:
    """Who brings the simulated carrier's webhooks to our own API; ``None`` without a secret."""
    secret = settings.porting_webhook_secret
    if secret is None or settings.porting_carrier != "simulator":
        return None
    own = settings.public_url or f"http://{settings.api_host}:{settings.api_port}"
    url = f"{own.rstrip('/')}{WEBHOOK_PATH}"

    async def send(headers: Sequence[tuple[str, str]], body: bytes) -> bool:
        """Whether the API took it, or refused it for good, as it does with what is forged."""
        try:
            answer = await http.post(
                url, content=body, headers=list(headers), timeout=WEBHOOK_DEADLINE
            )
        except httpx.HTTPError as error:
            _log.warning("a simulated webhook waits", url=url, reason=str(error) or repr(error))
            return False
        return answer.is_success or answer.status_code in (400, 401, 403)

    return SimulatedPostman(database, send, secret.get_secret_value())
