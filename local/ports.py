"""Ports of the one-machine system: claimed before anything starts, so that a clash is one line."""

from __future__ import annotations

import errno
import ipaddress
import random
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from lab.catalogue import CATALOGUE
from settings import Network

__all__ = ["PortsUnavailable", "Wanted", "claim_ports", "lab_network_in_use"]

# Free ports come from between the usual RTP range and the range the kernel takes for outgoing
# connections: a restarted process must get its port again, whatever connected in the meantime.
_FREE_PORTS = range(20_001, 32_768)
_TRIES = 200
_SIP_PORT = 5060


class PortsUnavailable(Exception):
    """Some ports cannot be had; the text is one line that names the settings."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port somebody asked for: the setting's name, the address, the number (0 is any)."""

    setting: str
    host: str
    port: int


def claim_ports(wanted: Sequence[Wanted]) -> dict[str, int]:
    """Port by setting: the wanted one when it is free, a free one for 0.

    Raises ``PortsUnavailable`` for ports that are taken or refused, all of them in one line.
    """
    claimed: dict[str, int] = {}
    problems: list[str] = []
    for want in wanted:
        if want.port == 0:
            continue
        if want.port in claimed.values():
            problems.append(f"{want.setting}={want.port} is wanted twice")
            continue
        problem = _problem(want)
        if problem is not None:
            problems.append(problem)
        claimed[want.setting] = want.port
    if problems:
        raise PortsUnavailable(
            "; ".join(problems) + "; set another port, or 0 to have a free one picked"
        )
    for want in wanted:
        if want.port == 0:
            claimed[want.setting] = _free_port(want, taken=set(claimed.values()))
    return claimed


def lab_network_in_use(network: Network) -> str | None:
    """One line when somebody already answers SIP inside the lab's network, else ``None``."""
    hosts: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address] = network.hosts()
    taken = max(entry.last_host for entry in CATALOGUE)
    for address in islice(hosts, taken):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            if _refusal(str(address), _SIP_PORT, kind) == errno.EADDRINUSE:
                return (
                    f"{address}:{_SIP_PORT} is in use, the lab needs it: "
                    "set TRUNKLINE_LAB_NETWORK to another loopback block, such as 127.0.61.0/24"
                )
    return None


def _problem(want: Wanted) -> str | None:
    refusal = _refusal(want.host, want.port, socket.SOCK_STREAM)
    if refusal is None:
        return None
    if refusal == errno.EADDRINUSE:
        return f"port {want.port} on {want.host} is in use ({want.setting}={want.port})"
    return f"cannot listen on {want.host}:{want.port}: {_refusal_text(refusal)} ({want.setting})"


def _refusal_text(refusal: int) -> str:
    """What the operator sees for an errno of bind or listen."""
    if refusal == errno.EADDRNOTAVAIL:
        return "not an address of this machine"
    if refusal == errno.EACCES:
        return "ports below 1024 need a privilege"
    return errno.errorcode.get(refusal, str(refusal))


def _refusal(host: str, port: int, kind: socket.SocketKind) -> int | None:
    """The errno with which the machine refuses to listen there; ``None`` when it does not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # Servers set it too: connections in TIME_WAIT must not look like a listener.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    except OSError as error:
        return error.errno
    return None


def _free_port(want: Wanted, taken: set[int]) -> int:
    for port in random.sample(_FREE_PORTS, _TRIES):
        if port not in taken and _refusal(want.host, port, socket.SOCK_STREAM) is None:
            return port
    raise PortsUnavailable(f"no free port on {want.host} for {want.setting}")
