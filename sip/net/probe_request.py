"""The OPTIONS of a probe. What is the same in every probe of a target is made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sip.build import options_request
from sip.header_map import Headers
from sip.headers import MAGIC_COOKIE
from sip.message import Request
from sip.net.probe_report import ProbeIdentity, ProbeTarget
from sip.transaction import Flow
from sip.uri import SipUri

__all__ = ["ProbeRequests"]

MAX_FRAMES = 4096
"""Targets remembered; at about 2 KB each the memory stays below 10 MB."""

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}

# Stands in a frame where each probe has a value of its own: a token, as the real ones are.
_OWN = "own.value.of.each.probe"


@dataclass(frozen=True, slots=True)
class _Frame:
    """A request without the values that are its own."""

    uri: SipUri
    fields: tuple[tuple[str, str], ...]
    gaps: tuple[tuple[int, str, str, str], ...]
    """Of the fields that have an own value: index, name, text before it, text behind it."""


class ProbeRequests:
    """Builds requests for one identity; ``token`` gives a new unpredictable token at each call."""

    def __init__(self, identity: ProbeIdentity, token: Callable[[], str]) -> None:
        self._identity = identity
        self._token = token
        self._frames: dict[tuple[ProbeTarget, tuple[str, int]], _Frame] = {}

    def options(self, target: ProbeTarget, flow: Flow) -> Request:
        """A new OPTIONS for the target, to be sent over the flow."""
        key = (target, flow.local)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= MAX_FRAMES:
                self._frames.clear()
            frame = self._frames[key] = self._frame(target, flow)
        # Branch, tag and Call-ID are each unique by it, and nobody sees one without the others.
        token = self._token()
        fields = [*frame.fields]
        for index, name, before, behind in frame.gaps:
            fields[index] = (name, f"{before}{token}{behind}")
        return Request("OPTIONS", frame.uri, Headers.of_canonical(tuple(fields)))

    def _frame(self, target: ProbeTarget, flow: Flow) -> _Frame:
        transport = target.transport
        address = self._identity.public_address or flow.local[0]
        params = () if transport == "udp" else (("transport", transport),)
        # TLS on its default port is written out: not every peer derives 5061 from the parameter.
        default = DEFAULT_PORT[transport]
        port = None if target.port == default and transport != "tls" else target.port
        request = options_request(
            target_uri=SipUri(scheme="sip", host=target.host, port=port, params=params),
            from_uri=SipUri(
                scheme="sip", user="trunkline", host=self._identity.from_domain or address
            ),
            from_tag=_OWN,
            call_id=_OWN,
            branch=f"{MAGIC_COOKIE}{_OWN}",
            cseq=1,
            via_transport=transport.upper(),
            via_host=address,
            via_port=flow.local[1],
            contact=SipUri(scheme="sip", host=address, port=flow.local[1], params=params),
            user_agent=self._identity.user_agent,
        )
        assert isinstance(request.uri, SipUri)
        fields = request.headers.items()
        gaps = []
        for index, (name, value) in enumerate(fields):
            before, own, behind = value.partition(_OWN)
            if own:
                gaps.append((index, name, before, behind))
        return _Frame(request.uri, fields, tuple(gaps))
