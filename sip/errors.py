"""What can go wrong between two SIP elements.

    SipError
    └── ProtocolError            never raised itself: catch it to catch both sides
        ├── LocalProtocolError   this side was about to break the protocol: a bug or a bad setting here
        └── RemoteProtocolError  the peer broke the protocol

Branch on the class and its attributes, never on the text.
"""

from __future__ import annotations


class SipError(Exception):
    """Root of every error this package raises."""


class ProtocolError(SipError):
    """A rule of the protocol was broken; one of the two subclasses says by whom."""


class LocalProtocolError(ProtocolError):
    """Something this side asked for would break the protocol on the wire, e.g. a header injection."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that is not SIP.

    `message` is for people, `status_hint` is the status with which a server refuses such a request
    (RFC 3261 section 21.4: 400 when nothing fits better), `header` is the canonical name of the
    header field at fault when there is one. A malformed response or ACK is dropped, not answered.
    """

    def __init__(self, message: str, *, status_hint: int = 400, header: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_hint = status_hint
        self.header = header

    def __str__(self) -> str:
        return f"{self.header}: {self.message}" if self.header else self.message
