"""Loopback addresses, certificates and senders for the tests of channels."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from channels.guarded_network import NameNotFound
from channels.http import HttpSender
from lab.behaviour import CertificateKind
from lab.certificates import Authority, lab_domain
from sip.net.guard import AddressGuard
from tests.support.loopback import LoopbackBlock

AGENT = "Trunkline/test (+https://trunkline.example)"


@dataclass(frozen=True, slots=True)
class Secured:
    """A place with a certificate: its name, its address, and both sides' TLS settings."""

    name: str
    address: str
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def address(loopback: LoopbackBlock) -> str:
    return loopback.address()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.open(Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture
def secured(authority: Authority, address: str) -> Secured:
    pair = authority.server_pair("hook", address, CertificateKind.VALID)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority.ca_file))
    return Secured(lab_domain("hook"), address, server, client)


@pytest.fixture
def sender() -> Callable[..., HttpSender]:
    """Makes senders that know these names, and may reach these addresses beyond public ones."""

    def make(
        *allowed: str,
        names: dict[str, Sequence[str]] | None = None,
        tls: ssl.SSLContext | None = None,
        deadline: float = 5.0,
        reading: float = 0.2,
    ) -> HttpSender:
        async def look_up(host: str) -> Sequence[str]:
            if host not in (names or {}):
                raise NameNotFound(f"the name {host!r} does not resolve")
            return (names or {})[host]

        return HttpSender(
            AddressGuard(tuple(ip_network(each) for each in allowed)),
            user_agent=AGENT,
            tls=tls,
            names=look_up,
            deadline=deadline,
            reading=reading,
        )

    return make
