"""Dialogs at the side that called (RFC 3261 section 12), and how another process ends a call.

A branch comes from a callable, so the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from sip.build import DEFAULT_MAX_FORWARDS, ack_for_non_2xx, cancel_for
from sip.dialog_state import CallSnapshot, DialogPhase, DialogState, Origin
from sip.headers import NameAddr, Via, parse_addresses
from sip.message import Headers, Request, Response
from sip.uri import SipUri, Uri, parse_uri

__all__ = ["Dialog", "clean_up", "clean_up_after", "credentials_of"]

_CREDENTIALS: Final = ("Authorization", "Proxy-Authorization")
# RFC 3261 section 12.2.1.1, table 1 of section 19.1.1: what a Request-URI must not carry.
_NOT_IN_REQUEST_URI: Final = frozenset({"method"})

NewBranch = Callable[[], str]


class Dialog:
    """One dialog, early or confirmed, which numbers its requests and checks the peer's."""

    def __init__(self, state: DialogState) -> None:
        self._state = state

    @classmethod
    def of_response(cls, invite: Request, response: Response, origin: Origin) -> Dialog:
        """Return the dialog that a 1xx with a tag or a 2xx makes (section 12.1.2).

        Without a Contact that can be called, which a 2xx must have, the target stays that of the
        INVITE, so that the dialog can at least be ended.
        """
        dialog = cls(
            DialogState(
                call_id=invite.call_id,
                local=_untagged(invite.from_),
                local_tag=invite.from_.tag or "",
                remote=_untagged(invite.to),
                remote_tag=response.to.tag or "",
                remote_target=str(invite.uri),
                route_set=(),
                invite_cseq=invite.cseq.number,
                local_cseq=invite.cseq.number,
                remote_cseq=None,
                phase=DialogPhase.EARLY,
                origin=origin,
            )
        )
        dialog._adopt(response)
        if response.status >= 200:
            dialog._state = replace(dialog._state, phase=DialogPhase.CONFIRMED)
        return dialog

    @property
    def state(self) -> DialogState:
        return self._state

    @property
    def id(self) -> tuple[str, str, str]:
        """Call-ID, local tag and remote tag (section 12)."""
        return self._state.call_id, self._state.local_tag, self._state.remote_tag

    @property
    def next_hop(self) -> Uri:
        """Where requests go: the first route, without one the remote target (section 12.2.1.1)."""
        if self._state.route_set:
            return parse_addresses(self._state.route_set[0])[0].uri
        return parse_uri(self._state.remote_target)

    def confirm(self, response: Response) -> None:
        """Take the 2xx: it decides the route set and target again (section 13.2.2.4)."""
        self._adopt(response)
        self._state = replace(self._state, phase=DialogPhase.CONFIRMED)

    def request(
        self,
        method: str,
        new_branch: NewBranch,
        *,
        transport: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """Return the next request of this dialog (section 12.2.1.1); its CSeq is one higher.

        `transport` is that of the Via when it is not the INVITE's. SDP is the only body.
        """
        number = self.take_number()
        return self._build(method, number, new_branch(), transport, headers, body)

    def take_number(self) -> int:
        """Return the next CSeq number, for a request that repeats one with credentials."""
        self._state = replace(self._state, local_cseq=self._state.local_cseq + 1)
        return self._state.local_cseq

    def ack(
        self,
        new_branch: NewBranch,
        *,
        transport: str | None = None,
        credentials: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """Return the ACK to the 2xx: the INVITE's number and credentials (section 13.2.2.4)."""
        number = self._state.invite_cseq
        return self._build("ACK", number, new_branch(), transport, credentials, body)

    def matches(self, request: Request) -> bool:
        """Whether a request of the peer is in this dialog (section 12.2.2)."""
        return (request.call_id, request.to.tag or "", request.from_.tag or "") == self.id

    def takes_number_of(self, request: Request) -> bool:
        """Note the number of a peer's request; False, and 500 to it, when it is out of order."""
        last = self._state.remote_cseq
        if last is not None and request.cseq.number < last:
            return False
        self._state = replace(self._state, remote_cseq=request.cseq.number)
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Take the Contact of a target refresh request that was accepted (section 12.2.2)."""
        for contact in message.contacts[:1]:
            if isinstance(contact.uri, SipUri):
                self._state = replace(self._state, remote_target=str(contact.uri))

    def _adopt(self, response: Response) -> None:
        routes = [
            str(route)
            for value in response.headers.get_all("Record-Route")
            for route in parse_addresses(value)
            if isinstance(route.uri, SipUri)
        ]
        self._state = replace(self._state, route_set=tuple(reversed(routes)))
        self.refresh_target(response)

    def _build(
        self,
        method: str,
        number: int,
        branch: str,
        transport: str | None,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> Request:
        state = self._state
        origin = state.origin
        uri, routes = _addressed(state)
        via = Via(
            transport or origin.via_transport,
            origin.via_host,
            origin.via_port,
            (("branch", branch), ("rport", None)),
        )
        items = [
            ("Via", str(via)),
            ("Max-Forwards", str(DEFAULT_MAX_FORWARDS)),
            *(("Route", route) for route in routes),
            ("From", _tagged(state.local, state.local_tag)),
            ("To", _tagged(state.remote, state.remote_tag)),
            ("Call-ID", state.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", f"<{origin.contact}>"),
            ("User-Agent", origin.user_agent),
            *headers,
        ]
        if method == "BYE":
            items.remove(("Contact", f"<{origin.contact}>"))  # table 2 of section 20 has none
        if body:
            items.append(("Content-Type", "application/sdp"))
        return Request(method, uri, Headers(items), body)


def _addressed(state: DialogState) -> tuple[Uri, tuple[str, ...]]:
    """Return Request-URI and Route by section 12.2.1.1."""
    target = parse_uri(state.remote_target)
    if not state.route_set:
        return _as_request_uri(target), ()
    first = parse_addresses(state.route_set[0])[0].uri
    if isinstance(first, SipUri) and first.param("lr") is not None:
        return _as_request_uri(target), state.route_set
    # A strict router takes its own URI from the request line and leaves the target to be the last.
    return _as_request_uri(first), (*state.route_set[1:], f"<{target}>")


def _as_request_uri(uri: Uri) -> Uri:
    if not isinstance(uri, SipUri):
        return uri
    kept = tuple(pair for pair in uri.params if pair[0].lower() not in _NOT_IN_REQUEST_URI)
    return replace(uri, params=kept, headers=())


def _untagged(address: NameAddr) -> str:
    return str(replace(address, params=tuple(p for p in address.params if p[0].lower() != "tag")))


def _tagged(address: str, tag: str) -> str:
    return f"{address};tag={tag}" if tag else address


def clean_up(snapshot: CallSnapshot, new_branch: NewBranch) -> tuple[Request, ...]:
    """Return what ends a call whose process died, in the order to be sent.

    While the final answer is unknown a CANCEL, under the INVITE's branch as section 9.1 has it. For
    each dialog an ACK and a BYE, for early ones too: a 2xx may have come since, and a caller may
    end an early dialog by BYE (section 15). An ACK without 2xx is ignored. Whoever sends these
    passes the responses to `clean_up_after`.
    """
    invite = snapshot.invite_request()
    requests = [cancel_for(invite)] if snapshot.pending else []
    for state in snapshot.dialogs:
        dialog = Dialog(state)
        requests += _ack_and_bye(dialog, invite, new_branch)
    return tuple(requests)


def clean_up_after(
    snapshot: CallSnapshot, response: Response, new_branch: NewBranch
) -> tuple[Request, ...]:
    """Return what a response to the dead process's INVITE asks for during the clean-up.

    A refusal, 487 after the CANCEL for one, gets its ACK. A 2xx of a dialog that the snapshot does
    not hold gets ACK and BYE, of one that it holds the ACK alone: `clean_up` sent its BYE. A second
    copy gives a second pair, whose BYE the peer answers with 481.
    """
    invite = snapshot.invite_request()
    ours = (invite.call_id, invite.from_.tag, invite.cseq)
    if (response.call_id, response.from_.tag, response.cseq) != ours or response.status < 200:
        return ()
    if response.status >= 300:
        return (ack_for_non_2xx(invite, response),)
    for state in snapshot.dialogs:
        if state.remote_tag == (response.to.tag or ""):
            dialog = Dialog(state)
            dialog.confirm(response)
            return _ack_and_bye(dialog, invite, new_branch)[:1]
    return _ack_and_bye(
        Dialog.of_response(invite, response, _origin_of(invite)), invite, new_branch
    )


def credentials_of(invite: Request) -> tuple[tuple[str, str], ...]:
    """Return the header fields that an ACK repeats from its INVITE (section 13.2.2.4)."""
    return tuple((name, value) for name, value in invite.headers if name in _CREDENTIALS)


def _ack_and_bye(dialog: Dialog, invite: Request, new_branch: NewBranch) -> tuple[Request, ...]:
    return (
        dialog.ack(new_branch, credentials=credentials_of(invite)),
        dialog.request("BYE", new_branch),
    )


def _origin_of(invite: Request) -> Origin:
    via = invite.via
    contact = str(invite.contacts[0].uri)
    agent = invite.headers.get("User-Agent") or ""
    return Origin(via.transport, via.host, via.port, contact, agent)
