"""Placing one test call on real sockets, from the name of the destination to the last message.

RFC 3263 gives the targets; the next one is called only while it is certain that none has got an
INVITE that could still ring. What peers and networks do comes back as facts, never as exceptions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sip.call_facts import CallFacts
from sip.call_plan import CallPlan
from sip.net.call_life import CallLife
from sip.net.call_observer import CallEvent, CallObserver
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.timers import Timers

__all__ = ["CANCEL_GRACE_SECONDS", "CallEvent", "CallObserver", "CallPlan", "place_call"]

CANCEL_GRACE_SECONDS = 3.0
"""How long a cancelled call may take for CANCEL or BYE and their answers."""


async def place_call(
    plan: CallPlan,
    *,
    guard: AddressGuard,
    resolver: Resolver,
    media_process: MediaProcess,
    media_ports: range,
    new_token: Callable[[], str],
    observer: CallObserver,
    hang_up: asyncio.Event,
    stop: asyncio.Event | None = None,
    timers: Timers | None = None,
) -> CallFacts:
    """Place a call, talk for some seconds, end it, and return what was found out.

    ``media_process`` runs and outlives the call. ``media_ports`` is the range that RTP and RTCP take a
    pair from, ``new_token`` returns an unpredictable token at each call. ``hang_up`` ends the call
    because somebody asked, ``stop`` because this process shuts down. When it returns, the call is
    over, or its peer has not answered within the plan's limit; then the last saved snapshot is what
    `clean_up_call` needs.

    Raises what the observer raises and LocalProtocolError for a plan that makes no valid INVITE. A
    cancelled call hangs up first, for `CANCEL_GRACE_SECONDS` at most.
    """
    life = CallLife(
        plan,
        guard=guard,
        resolver=resolver,
        media_process=media_process,
        media_ports=media_ports,
        new_token=new_token,
        observer=observer,
        timers=timers or Timers(),
        hang_up=hang_up,
        stop=stop or asyncio.Event(),
    )
    task = asyncio.get_running_loop().create_task(life.run())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        life.interrupt()
        try:
            await asyncio.wait({task}, timeout=CANCEL_GRACE_SECONDS)
        finally:
            task.cancel()
            # Also whoever cancels twice gets no call that still has sockets.
            await asyncio.wait({task})
            if not task.cancelled():
                # Whoever cancelled the call is not told what became of it.
                task.exception()
        raise
