"""A process that places a call and prints each snapshot, one line of JSON, to be killed in it.

python -m tests.sip.net.dying_caller HOST TRANSPORT
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from sip.dialog_state import CallSnapshot
from tests.sip.net.calls import PLAN, Observer, call


class Printing(Observer):
    async def save(self, snapshot: CallSnapshot) -> None:
        sys.stdout.write(f"{snapshot.to_json()}\n")
        sys.stdout.flush()
        await super().save(snapshot)


async def main(host: str, transport: str) -> None:
    plan = replace(PLAN, talk_seconds=30, ring_seconds=30, limit_seconds=60)
    await call(plan, Printing(), host=host, transport=transport, timers=None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
