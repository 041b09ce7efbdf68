"""What a peer answers, from its behaviour and the request alone: no sockets, no waiting."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace

from lab.behaviour import Behaviour, HeaderFields
from lab.digest_gate import DigestGate
from sip.build import response_to
from sip.message import Request, Response
from sip.uas import refusal_of
from sip.uri import SipUri

__all__ = ["SDP", "SUPPORTED", "Answers"]

SDP = "application/sdp"

SUPPORTED = ("100rel", "timer")
"""Option tags of what is really done in a call (RFC 3262, RFC 4028)."""


class Answers:
    """Responses of one peer at one address. Every one of them carries the peer's banner."""

    def __init__(self, behaviour: Behaviour, address: str) -> None:
        self._behaviour = behaviour
        self._address = address
        self._gate = None if behaviour.digest is None else DigestGate(behaviour.digest)

    @property
    def user_agent(self) -> str:
        """What the peer's own requests name it: its banner, or what shy software would say."""
        return next((value for _, value in self._behaviour.identity.banner), "SIP")

    def new_tag(self) -> str:
        """A random To tag in the shape of the peer's system."""
        shape = self._behaviour.identity.tag_shape
        digits = {"x": "0123456789abcdef", "X": "0123456789ABCDEF"}
        return "".join(secrets.choice(digits.get(sign, sign)) for sign in shape)

    def refusal(
        self, request: Request, *, allowed_methods: Collection[str], merged: bool
    ) -> Response | None:
        """The response to a request that this peer does not act upon, else ``None``."""
        refused = self._behaviour.refusal
        if refused is not None:
            return self.response(request, refused.status, refused.header_fields)
        generic = refusal_of(
            request,
            allowed_methods=allowed_methods,
            supported=SUPPORTED,
            to_tag=self.new_tag(),
            merged=merged,
        )
        return None if generic is None else self.signed(generic)

    def to_options(self, request: Request) -> Response:
        """The response to an OPTIONS outside a dialog (RFC 3261 section 11.2)."""
        if self._behaviour.never_finishes:
            return self.response(request, 100)
        challenge = self.challenge(request)
        if challenge is not None:
            return challenge
        user = request.uri.user if isinstance(request.uri, SipUri) else None
        if user is not None and self._behaviour.found_only_without_user:
            return self.response(request, 404)
        identity = self._behaviour.identity
        if identity.sdp is None:
            return self.response(request, 200, identity.capabilities)
        body = identity.sdp.format(address=self._address).encode()
        return self.response(request, 200, (*identity.capabilities, ("Content-Type", SDP)), body)

    def challenge(self, request: Request) -> Response | None:
        """The 401 or 407 to a request without the account's credentials; ``None`` admits it."""
        fields = None if self._gate is None else self._gate.challenge(request)
        if self._gate is None or fields is None:
            return None
        return self.response(request, self._gate.status, fields)

    def response(
        self,
        request: Request,
        status: int,
        header_fields: HeaderFields = (),
        body: bytes = b"",
        *,
        to_tag: str | None = None,
    ) -> Response:
        """Any response of this peer, banner first; without ``to_tag`` under a new one."""
        banner = self._behaviour.identity.banner
        return response_to(
            request,
            status,
            to_tag=to_tag or self.new_tag(),
            headers=(*banner, *header_fields),
            body=body,
        )

    def signed(self, response: Response) -> Response:
        """The response with the peer's banner."""
        headers = response.headers
        for name, value in self._behaviour.identity.banner:
            headers = headers.with_added(name, value)
        return replace(response, headers=headers)
