"""Which transaction a message belongs to, and where its response goes.

RFC 3261 sections 17.1.3, 17.2.3 and 18.2.2, RFC 3581 section 4.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from sip.errors import LocalProtocolError
from sip.message import Request, Response
from sip.transaction_events import ClientKey, Flow, ServerKey
from sip.via import MAGIC_COOKIE, parse_via

# A Via as it is built here. Anything else, and every Via of a peer, is parsed by the grammar.
_PLAIN_BRANCH: Final = re.compile(r"^SIP/2\.0/[A-Z]+ [^;,\"]*+;branch=([0-9A-Za-z.-]++)(?=;|$)")
_DEFAULT_PORT: Final = 5060
_DEFAULT_PORTS: Final = {"TLS": 5061}  # RFC 3261 section 18.2.2


def client_key_of_request(request: Request) -> ClientKey:
    """Return the key of a request that is about to be sent.

    Raises LocalProtocolError without a branch that starts with the magic cookie (section 8.1.1.7).
    """
    # A request that was built here has no index of its header fields yet, and making one takes
    # longer than to send it.
    for name, value in request.headers:
        if name == "Via":
            plain = _PLAIN_BRANCH.search(value)
            branch = plain[1] if plain else parse_via(value)[0].branch or ""
            if branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
                return ClientKey(branch, request.method)
            break
    raise LocalProtocolError(f"this {request.method} has no branch of its own in its Via")


def client_key_of_response(response: Response) -> ClientKey | None:
    """Return the key of the request that a response answers, None when it answers none of ours.

    A user agent's own request has one Via; a response with more was misrouted (section 8.1.3.3).
    """
    vias = response.vias
    branch = vias[0].branch
    if branch is None or len(vias) != 1:
        return None
    return ClientKey(branch, response.cseq.method)


def server_key_of(request: Request) -> ServerKey:
    """Return the key of a received request (section 17.2.3)."""
    via = request.via
    if via.has_rfc3261_branch:
        return ServerKey(via.branch or "", f"{via.host}:{via.port}", request.method)
    # The To tag is left out: it is the one field in which an ACK differs from its INVITE.
    identity = (
        str(request.uri),
        request.from_.tag or "",
        request.call_id,
        str(request.cseq.number),
        str(via),
    )
    return ServerKey("\n".join(identity), f"{via.host}:{via.port}", request.method)


def invite_key_of(key: ServerKey) -> ServerKey:
    """Return the key of the INVITE that an ACK or CANCEL with `key` refers to (9.2, 17.2.3)."""
    return key._replace(method="INVITE")


def reply_flow(request: Request, flow: Flow) -> Flow:
    """Return where the responses to a request go that came over `flow`.

    A connection carries its own responses. A datagram's go to its source address: to the source
    port when the Via asks by `rport` (RFC 3581), else to the port of sent-by. `maddr` is ignored: it
    is meant for multicast, which never arrives here, and would let a request aim its response.
    """
    if flow.reliable:
        return flow
    via = request.via
    if via.param("rport") is not None:
        return flow
    port = via.port or _DEFAULT_PORTS.get(via.transport, _DEFAULT_PORT)
    if port == flow.remote[1]:
        return flow
    return replace(flow, remote=(flow.remote[0], port))
