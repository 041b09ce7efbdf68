"""What the telephones of one peer share: its stack, its answers, its address and its tasks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lab.answers import Answers
from lab.behaviour import Behaviour
from sip.dialog_state import DialogPhase, DialogState, Origin
from sip.headers import MAGIC_COOKIE, NameAddr, parse_addresses
from sip.net.stack import SipStack
from sip.timers import Timers
from sip.transaction import Flow, RequestReceived
from sip.uri import SipUri

__all__ = ["METHODS", "CallEnd", "Premises", "contact_of", "happens", "state_at_uas"]

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "PRACK", "UPDATE")
"""What a peer answers."""

USER = "lab"


class CallEnd(StrEnum):
    """How a call ended at the peer."""

    REFUSED = "refused"
    CANCELLED = "cancelled"
    CALLER = "ended by the caller"
    PEER = "ended by the peer"
    NO_ACK = "no ACK came"
    NO_PRACK = "no PRACK came"


@dataclass(frozen=True, slots=True)
class Premises:
    """One peer, as its telephones see it. ``spawn`` runs what outlives a call of theirs."""

    stack: SipStack
    answers: Answers
    behaviour: Behaviour
    address: str
    timers: Timers
    spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[object]]

    def new_branch(self) -> str:
        """A branch that nobody used."""
        return f"{MAGIC_COOKIE}{secrets.token_hex(12)}"


async def happens(event: asyncio.Event, within: timedelta) -> bool:
    """Whether the event happens in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within.total_seconds()):
            await event.wait()
    return event.is_set()


def contact_of(premises: Premises, flow: Flow) -> str:
    """The Contact of a peer for a call that came over ``flow``."""
    host = premises.behaviour.calls.media.shown_address or flow.local[0]
    params = () if flow.transport == "UDP" else (("transport", flow.transport.lower()),)
    return f"<{SipUri('sip', host, USER, None, flow.local[1], params)}>"


def state_at_uas(premises: Premises, event: RequestReceived, tag: str, contact: str) -> DialogState:
    """The dialog that an INVITE with a Contact makes at its UAS (RFC 3261 section 12.1.1)."""
    request = event.request
    routes = (
        str(replace(route, display_name=None))
        for value in request.headers.get_all("Record-Route")
        for route in parse_addresses(value)
    )
    host, port = event.flow.local
    return DialogState(
        call_id=request.call_id,
        local=_untagged(request.to),
        local_tag=tag,
        remote=_untagged(request.from_),
        remote_tag=request.from_.tag or "",
        remote_target=str(request.contacts[0].uri),
        route_set=tuple(routes),
        invite_cseq=request.cseq.number,
        local_cseq=0,
        remote_cseq=request.cseq.number,
        phase=DialogPhase.EARLY,
        origin=Origin(event.flow.transport, host, port, contact[1:-1], premises.answers.user_agent),
    )


def _untagged(address: NameAddr) -> str:
    return str(replace(address, params=tuple(p for p in address.params if p[0].lower() != "tag")))
