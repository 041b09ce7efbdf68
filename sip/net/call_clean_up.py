"""Ending a call whose process died, from its last snapshot (RFC 3261 sections 9, 13.2.2.4, 15).

Over UDP the dead process's own port is taken when it is free: what answers its INVITE goes there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from sip.authenticator import Authenticator, Credentials
from sip.build import cancel_for, response_to
from sip.call_addresses import AddressNotes
from sip.call_facts import AddressPlace
from sip.dialog import clean_up, clean_up_after
from sip.dialog_state import CallSnapshot, DialogPhase
from sip.headers import parse_addresses
from sip.message import Request, Response
from sip.net.call_hops import NextHops
from sip.net.call_reconnect import host_of, reconnected
from sip.net.call_targets import CONNECT_FAILURES
from sip.net.guard import AddressGuard
from sip.net.resolver import Resolver
from sip.net.stack import RequestFailed, RequestTimedOut, SipStack
from sip.net.tls import TlsProfile
from sip.net.wire import WireTap
from sip.session_requests import renewed
from sip.timers import Timers
from sip.tls_identity import ClientCertificate
from sip.transaction import CancelReceived, Event, Flow, RequestReceived, StrayResponse
from sip.uri import SipUri, Uri

__all__ = ["CLEAN_UP_SECONDS", "CleanUpFacts", "clean_up_call"]

CLEAN_UP_SECONDS: Final = 10.0
"""How long the peer's answers are waited for; it can be tried again."""

CONNECT_SECONDS: Final = 4.0
FINAL_SECONDS: Final = 2.0
"""After a CANCEL, for the INVITE's own answer; without it early dialogs are ended by BYE."""

_GONE: Final = frozenset({408, 481})
"""What a peer answers that knows the dialog no more (RFC 3261 section 12.2.1.2)."""

MAX_REQUESTS: Final = 64
"""Requests sent in one clean-up: a peer can answer with ever new dialogs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpFacts:
    """What a clean-up did.

    ``sent`` are the methods sent, ``answers`` the final status that each CANCEL and BYE got, with
    its method. ``final`` is the final response to the dead process's INVITE, when it came here.
    ``ended`` says that the peer confirmed the end of everything; ``failure`` why not.
    """

    sent: tuple[str, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()
    final: int | None = None
    ended: bool = False
    failure: str | None = None


async def clean_up_call(
    snapshot: CallSnapshot,
    *,
    guard: AddressGuard,
    resolver: Resolver,
    new_token: Callable[[], str],
    credentials: Credentials | None = None,
    wire: WireTap | None = None,
    ca_file: str | None = None,
    ca_pem: str | None = None,
    verify_tls: bool = True,
    pin: str | None = None,
    client: ClientCertificate | None = None,
    seconds: float = CLEAN_UP_SECONDS,
    timers: Timers | None = None,
) -> CleanUpFacts:
    """End a call by CANCEL, or by ACK and BYE, and wait for the answers, at most ``seconds``.

    ``credentials`` answer a challenge to the BYE. Raises ValueError for a snapshot without INVITE.
    """
    if snapshot.is_over:
        return CleanUpFacts(ended=True)
    host = host_of(snapshot)
    cleaner = _CleanUp(snapshot, new_token, credentials)
    stack = SipStack(
        guard=guard,
        timers=timers,
        handler=cleaner.answer_request,
        on_event=cleaner.event,
        tap=wire,
    )

    def profile_for(host: str) -> TlsProfile:
        return TlsProfile(host, verify_tls, ca_file, ca_pem, pin=pin, client=client)

    async with stack:
        try:
            flow = await reconnected(stack, guard, snapshot, profile_for(host))
        except CONNECT_FAILURES as error:
            return CleanUpFacts(failure=f"no connection: {error or type(error).__name__}")
        cleaner.attach(
            stack,
            flow,
            NextHops(
                stack.transport,
                resolver,
                flow,
                host,
                addresses=AddressNotes(guard.objection),
                note=lambda _: None,
                profile_for=profile_for,
            ),
        )
        return await cleaner.run(seconds)


class _CleanUp:
    """The requests of one clean-up and their answers."""

    def __init__(
        self,
        snapshot: CallSnapshot,
        new_token: Callable[[], str],
        credentials: Credentials | None,
    ) -> None:
        self._snapshot, self._new_token, self._credentials = snapshot, new_token, credentials
        self._loop = asyncio.get_running_loop()
        self._stack: SipStack | None = None
        self._hops: NextHops | None = None
        self._invite_flow: Flow | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._sent: list[str] = []
        self._answers: list[tuple[str, int]] = []
        self._failures: list[str] = []
        self._final: int | None = None
        self._settled = asyncio.Event()
        if not snapshot.pending:
            self._settled.set()

    def attach(self, stack: SipStack, flow: Flow, hops: NextHops) -> None:
        self._stack, self._invite_flow, self._hops = stack, flow, hops

    async def run(self, seconds: float) -> CleanUpFacts:
        try:
            async with asyncio.timeout(seconds):
                await self._cancel()
                self._send(clean_up(self._after_cancel(), self._new_branch))
                await self._answered()
                if not self._let_go:
                    await self._settled.wait()
                    await self._answered()
        except TimeoutError:
            self._failures.append("the peer did not answer in time")
        finally:
            for task in self._work:
                task.cancel()
            if self._work:
                await asyncio.wait(self._work)
        return CleanUpFacts(
            sent=tuple(self._sent),
            answers=tuple(self._answers),
            final=self._final,
            ended=not self._failures,
            failure="; ".join(dict.fromkeys(self._failures)) or None,
        )

    async def _answered(self) -> None:
        while self._work:
            await asyncio.wait(self._work)

    @property
    def _let_go(self) -> bool:
        """Whether a BYE found its dialog: then the INVITE is over too, and need not say so."""
        return any(method == "BYE" and status < 300 for method, status in self._answers)

    async def _cancel(self) -> None:
        """Cancel what may ring still, and give the peer time to say what became of it."""
        if not self._snapshot.pending:
            return
        self._send((cancel_for(self._snapshot.invite_request()),))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINAL_SECONDS):
                await self._settled.wait()

    def _after_cancel(self) -> CallSnapshot:
        """What may be up still: a refusal of the INVITE ends its early dialogs (section 12.3)."""
        dialogs = self._snapshot.dialogs
        if self._final is not None and self._final >= 300:
            dialogs = tuple(each for each in dialogs if each.phase is DialogPhase.CONFIRMED)
        return replace(self._snapshot, pending=False, dialogs=dialogs)

    def event(self, event: Event) -> None:
        """React to what answers the dead process's INVITE, and to a CANCEL."""
        if isinstance(event, StrayResponse):
            response = event.response
            self._send(clean_up_after(self._snapshot, response, self._new_branch))
            ours = response.cseq == self._snapshot.invite_request().cseq
            if ours and response.status >= 200:
                self._final = response.status
                self._settled.set()
        elif isinstance(event, CancelReceived) and self._stack is not None:
            self._stack.respond(event.key, response_to(event.request, 481))

    def answer_request(self, stack: SipStack, event: RequestReceived) -> None:
        """Let the peer hang up by itself; all else finds no dialog."""
        status = 200 if event.request.method == "BYE" else 481
        stack.respond(event.key, response_to(event.request, status, to_tag=self._new_token()))

    def _send(self, requests: Iterable[Request]) -> None:
        requests = tuple(requests)
        if not requests or len(self._sent) + len(requests) > MAX_REQUESTS:
            return
        task = self._loop.create_task(self._send_all(requests))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _send_all(self, requests: tuple[Request, ...]) -> None:
        """Send in order; each waits for its answer beside the others."""
        async with asyncio.TaskGroup() as group:
            for request in requests:
                self._sent.append(request.method)
                flow = await self._flow_of(request)
                if request.method == "ACK" and self._stack is not None:
                    self._stack.send_without_transaction(request, flow)
                else:
                    group.create_task(self._ask(request, flow))

    async def _ask(self, request: Request, flow: Flow) -> None:
        """Send a CANCEL or BYE, and again as a challenge asks."""
        authenticator = Authenticator(self._credentials, self._new_token)
        while True:
            response = await self._response(request, flow)
            if response is None:
                self._settled.set()
                return
            if response.status in (401, 407):
                headers = authenticator.answer(request, response)
                if headers:
                    number = request.cseq.number + 1
                    request = renewed(request, self._new_branch(), number, headers)
                    self._sent.append(request.method)
                    continue
            self._answers.append((request.method, response.status))
            if not (response.status < 300 or response.status in _GONE):
                self._failures.append(f"{request.method} was answered with {response.status}")
            if request.method == "CANCEL" and response.status >= 300:
                # Most likely 481: the INVITE is over at the peer, or never came there.
                self._settled.set()
            return

    async def _response(self, request: Request, flow: Flow) -> Response | None:
        assert self._stack is not None
        seconds = Timers().f
        try:
            return (await self._stack.request(request, flow, seconds=seconds)).response
        except (RequestTimedOut, RequestFailed) as error:
            self._failures.append(f"{request.method}: {error}")
            return None

    async def _flow_of(self, request: Request) -> Flow:
        assert self._hops is not None
        assert self._invite_flow is not None
        if request.method == "CANCEL" or request.via.branch == self._invite_branch:
            return self._invite_flow
        routes = request.headers.get_all("Route")
        hop: Uri = parse_addresses(routes[0])[0].uri if routes else request.uri
        if isinstance(hop, SipUri):
            place = AddressPlace.RECORD_ROUTE if routes else AddressPlace.CONTACT
            await self._hops.find(hop, place)
        return self._hops.flow_to(hop)

    @property
    def _invite_branch(self) -> str | None:
        return self._snapshot.invite_request().via.branch

    def _new_branch(self) -> str:
        return f"z9hG4bK{self._new_token()}"
