"""A small complete request as bytes, to be varied by the tests of the parser."""

from __future__ import annotations

import pytest

from sip.errors import RemoteProtocolError
from sip.message import parse_message

FIELDS = {
    "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
    "From": "<sip:a@example.com>;tag=1",
    "To": "<sip:b@example.com>",
    "Call-ID": "c@example.com",
    "CSeq": "1 OPTIONS",
}


def wire(*lines: str, start: str = "OPTIONS sip:b@example.com SIP/2.0", without: str = "") -> bytes:
    """A complete request with more header lines; `without` leaves one mandatory field out."""
    fields = [f"{name}: {value}" for name, value in FIELDS.items() if name != without]
    return "\r\n".join([start, *fields, *lines, "", ""]).encode()


def refusal(data: bytes) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(data)
    return caught.value
