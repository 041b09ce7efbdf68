"""A lab: the peers of the catalogue, each on an address of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path
from types import TracebackType

from lab.catalogue import CATALOGUE, CataloguePeer
from lab.certificates import Authority, KeyPair
from lab.errors import LabError
from lab.peer import LabPeer

__all__ = ["Lab", "lab_network"]

LOOPBACK = IPv4Network("127.0.0.0/8")


def lab_network(text: str) -> IPv4Network:
    """The network in CIDR notation. Raises ``LabError`` unless it is a usable part of loopback.

    Only loopback: the peers accept a public password and answer whoever asks.
    """
    try:
        network = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise LabError(f"{text} is not an IPv4 network: {error}") from error
    if not network.subnet_of(LOOPBACK):
        raise LabError(f"{text} is not part of {LOOPBACK}: the lab listens on loopback alone")
    last = max(entry.last_host for entry in CATALOGUE)
    if last >= network.num_addresses - 1:
        prefix = 32 - (last + 1).bit_length()
        raise LabError(
            f"{text} is too small: the lab needs {last} addresses, a /{prefix} or larger"
        )
    return network


def _chosen(names: Collection[str] | None) -> tuple[CataloguePeer, ...]:
    if names is None:
        return CATALOGUE
    known = {entry.name for entry in CATALOGUE}
    unknown = sorted(set(names) - known)
    if unknown:
        raise LabError(f"no such peer: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return tuple(entry for entry in CATALOGUE if entry.name in names)


class Lab:
    """Running peers by name. Use as an async context manager.

    ``directory`` keeps the certificates. Entering raises ``LabError`` for a bad network or name and
    for a port that is taken, and ``OSError`` when the directory cannot be written.
    """

    def __init__(
        self, network: str | IPv4Network, directory: Path, names: Collection[str] | None = None
    ) -> None:
        self._network = network
        self._directory = directory
        self._names = names
        self._peers: dict[str, LabPeer] = {}

    @property
    def peers(self) -> Mapping[str, LabPeer]:
        """The peers that run, by name."""
        return self._peers

    @property
    def ca_file(self) -> Path:
        """Certificate of the authority behind the peers' certificates."""
        return self._directory / "ca.pem"

    @property
    def client_pair(self) -> KeyPair:
        """The certificate that peers accept which demand one."""
        return KeyPair(self._directory / "client.pem", self._directory / "client.key")

    async def __aenter__(self) -> Lab:
        network = lab_network(str(self._network))
        entries = _chosen(self._names)
        authority = Authority.open(self._directory)
        authority.client_pair()
        try:
            for entry in entries:
                address = IPv4Address(int(network.network_address) + entry.host)
                peer = LabPeer(entry.name, str(address), entry.behaviour, authority)
                await peer.start()
                self._peers[entry.name] = peer
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        for peer in self._peers.values():
            await peer.close()
        self._peers.clear()
