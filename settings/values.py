"""Values of settings as an operator types them into a shell."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

__all__ = ["CommaSeparated", "Duration", "Network", "split_server"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _split(value: object) -> object:
    """Lists are written with commas: an operator types them into a shell."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaSeparated = BeforeValidator(_split)


def _seconds(value: object) -> object:
    """A bare number is seconds; ISO 8601 is for those who want to be explicit."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]


def split_server(text: str, *, default_port: int = 53) -> tuple[str, int]:
    """Split ``192.0.2.1:5353`` or ``[2001:db8::1]:5353`` or a bare address, which has ``default_port``.

    Raises ``ValueError`` when the address is not an IP address or the port is out of range.
    """
    host, port = text, str(default_port)
    if text.startswith("["):
        host, closing, rest = text[1:].partition("]")
        if not closing or rest[:1] not in ("", ":"):
            raise ValueError(
                f"{text}: an IPv6 address with a port is written as [2001:db8::1]:5353"
            )
        port = rest.removeprefix(":") or str(default_port)
    elif text.count(":") == 1:
        host, port = text.split(":")
    ipaddress.ip_address(host)
    number = int(port)
    if not 0 < number < 65536:
        raise ValueError(f"{text}: the port is out of range")
    return host, number
