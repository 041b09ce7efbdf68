"""The system's own name configuration: /etc/resolv.conf and /etc/hosts.

Search lists are not applied: a customer's destination is a full name, and `db` must not become
`db.internal.example`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Generic, TypeVar

from sip.net.dns_exchange import Server

__all__ = ["SystemDns", "SystemNames", "parse_hosts", "parse_resolv_conf"]

# resolv.conf(5): MAXNS.
_MAX_SERVERS = 3
# A block list of a million names is no name configuration; beyond this the file is cut off.
_MAX_FILE_BYTES = 4 * 1024 * 1024

_Parsed = TypeVar("_Parsed")

Hosts = dict[str, tuple[str, ...]]
"""Lower-case name to its addresses in canonical text, in file order."""


@dataclass(frozen=True, slots=True)
class SystemNames:
    """The DNS servers, and the names whose addresses are pinned in the hosts file."""

    servers: tuple[Server, ...]
    hosts: Hosts


def parse_resolv_conf(text: str, port: int = 53) -> tuple[Server, ...]:
    """The `nameserver` lines, at most three; the local machine when there is none (resolv.conf(5))."""
    servers: list[Server] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            servers.append((words[1], port))
    return tuple(servers[:_MAX_SERVERS]) or (("127.0.0.1", port),)


def parse_hosts(text: str) -> Hosts:
    """hosts(5): an address and its names a line; a name may stand in several lines."""
    hosts: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 2 or not _is_address(words[0]):
            continue
        address = str(ip_address(words[0]))
        for name in words[1:]:
            known = hosts.setdefault(name.lower().removesuffix("."), [])
            if address not in known:
                known.append(address)
    return {name: tuple(addresses) for name, addresses in hosts.items()}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class _WatchedFile(Generic[_Parsed]):
    """A file's parsed text, parsed again when its size or time of change differs."""

    def __init__(self, path: Path, parse: Callable[[str], _Parsed]) -> None:
        self._path = path
        self._parse = parse
        self._stamp: tuple[int, int] | None = None
        self._value = parse("")

    def value(self) -> _Parsed:
        try:
            status = self._path.stat()
            stamp = status.st_mtime_ns, status.st_size
            if stamp != self._stamp:
                with self._path.open("rb") as file:
                    content = file.read(_MAX_FILE_BYTES)
                self._value = self._parse(content.decode("utf-8", "replace"))
                self._stamp = stamp
        except OSError:
            self._stamp, self._value = None, self._parse("")
        return self._value


class SystemDns:
    """Reads both files off the event loop, and again when they have changed.

    A file that is missing or cannot be read counts as empty. `port` is the port of the servers, which
    resolv.conf cannot say.
    """

    def __init__(
        self,
        resolv_conf: Path = Path("/etc/resolv.conf"),
        hosts: Path = Path("/etc/hosts"),
        port: int = 53,
    ) -> None:
        self._servers = _WatchedFile(resolv_conf, partial(parse_resolv_conf, port=port))
        self._hosts = _WatchedFile(hosts, parse_hosts)

    async def read(self) -> SystemNames:
        return await asyncio.to_thread(self._read)

    def _read(self) -> SystemNames:
        return SystemNames(self._servers.value(), self._hosts.value())
