"""Reaching the peer of a call again, from a process that did not place it."""

from __future__ import annotations

from typing import Final

from sip.dialog_state import CallSnapshot
from sip.net.guard import AddressGuard
from sip.net.stack import SipStack
from sip.net.tls import TlsProfile, tls_facts
from sip.transaction import Flow
from sip.uri import SipUri

__all__ = ["host_of", "reconnected"]

CONNECT_SECONDS: Final = 4.0


async def reconnected(
    stack: SipStack, guard: AddressGuard, snapshot: CallSnapshot, profile: TlsProfile
) -> Flow:
    """A flow like that of the INVITE. Raises one of `call_targets.CONNECT_FAILURES`."""
    remote = snapshot.remote
    if snapshot.transport == "UDP":
        guard.check(remote[0])
        try:
            return Flow("UDP", stack.transport.listen_udp(snapshot.local), remote)
        except OSError:
            # Another host, or the port has a new owner: answers to CANCEL and BYE come here still.
            return stack.transport.udp_flow(remote)
    tls = profile if snapshot.transport == "TLS" else None
    flow = await stack.transport.stream_flow(remote, tls, seconds=CONNECT_SECONDS)
    session = stack.transport.ssl_object(flow)
    if tls is not None and tls.verify and session is not None:
        facts = tls_facts(session, tls)
        if not facts.verifies:
            raise ConnectionError(facts.problem)
    return flow


def host_of(snapshot: CallSnapshot) -> str:
    """The name that the INVITE's Request-URI has for the peer."""
    uri = snapshot.invite_request().uri
    return uri.host if isinstance(uri, SipUri) else snapshot.remote[0]
