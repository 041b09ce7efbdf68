"""A real Kamailio on a loopback address of its own, over UDP, TCP and TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.behaviour import CertificateKind
from lab.certificates import Authority, lab_domain
from local.process import ManagedProcess
from tests.support.programs import answers_options, require_program, run_program

__all__ = [
    "PASSWORD",
    "PROXY_PASSWORD",
    "REALM",
    "Kamailio",
    "OptionsManner",
    "run_hep_collector",
    "run_hep_exporter",
    "run_kamailio",
    "run_proxy",
    "run_traffic_proxy",
]

REALM = "trunkline.test"
PASSWORD = "open sesame"
"""Of every user, as the configuration file has it."""
PROXY_PASSWORD = "open-sesame"
"""The same of the proxy's."""

_CONFIGURATION = Path(__file__).with_name("kamailio.cfg")
_PROXY_CONFIGURATION = Path(__file__).with_name("kamailio_calls.cfg")
_TRAFFIC_CONFIGURATION = Path(__file__).with_name("kamailio_traffic.cfg")
_HEP_CONFIGURATION = Path(__file__).with_name("kamailio_hep.cfg")
_UDP_PORT = 5060
_TCP_PORT = 5060
_TLS_PORT = 5061


class OptionsManner(StrEnum):
    """What becomes of OPTIONS and REGISTER; the values are switches of the configuration file."""

    OPEN = "OPEN"
    CHALLENGED_BY_SERVER = "CHALLENGE_AS_SERVER"
    """401 with WWW-Authenticate."""
    CHALLENGED_BY_PROXY = "CHALLENGE_AS_PROXY"
    """407 with Proxy-Authenticate."""
    DROPPED = "DROP"


@dataclass(frozen=True, slots=True)
class Kamailio:
    """A running process; its certificate is for ``address`` and ``domain``, signed by ``ca_file``."""

    address: str
    domain: str
    ca_file: Path
    process: ManagedProcess

    def port(self, transport: str) -> int:
        """Where it listens; ``transport`` is udp, tcp or tls."""
        return {"udp": _UDP_PORT, "tcp": _TCP_PORT, "tls": _TLS_PORT}[transport]


@asynccontextmanager
async def run_kamailio(
    address: str,
    folder: Path,
    *,
    manner: OptionsManner = OptionsManner.OPEN,
    algorithm: str = "MD5",
) -> AsyncIterator[Kamailio]:
    """Run Kamailio until the block ends; ``algorithm`` (MD5 or SHA-256) is that of its challenges.

    Skips the test, or fails it in CI, where Kamailio is not installed. Raises ``StartFailed``.
    """
    async with _run(_CONFIGURATION, address, folder, algorithm, (manner.value,)) as running:
        yield running


@asynccontextmanager
async def run_proxy(
    address: str, folder: Path, *, challenge: int | None = None, algorithm: str = "MD5"
) -> AsyncIterator[Kamailio]:
    """Run a registrar and proxy for phones that sends Record-Route, as ``run_kamailio`` does.

    ``challenge`` (401 or 407) is what an INVITE without credentials gets. Phones register with digest
    where it is MD5, the one algorithm they all know.
    """
    manners = {401: ("CHALLENGE_AS_SERVER",), 407: ("CHALLENGE_AS_PROXY",), None: ()}[challenge]
    if algorithm == "MD5":
        manners = (*manners, "PHONES_REGISTER_WITH_DIGEST")
    async with _run(_PROXY_CONFIGURATION, address, folder, algorithm, manners) as running:
        yield running


@asynccontextmanager
async def run_hep_exporter(
    address: str, folder: Path, collector: tuple[str, int], transport: str
) -> AsyncIterator[Kamailio]:
    """Run one that answers OPTIONS and sends every message to a HEP collector over udp, tcp or tls.

    Its number is 228 and its key "open sesame". Otherwise as ``run_kamailio``.
    """
    uri = f"sip:{collector[0]}:{collector[1]};transport={transport}"
    async with _run(_HEP_CONFIGURATION, address, folder, "MD5", (f'TRACE_TO="{uri}"',)) as running:
        yield running


@asynccontextmanager
async def run_traffic_proxy(
    address: str, folder: Path, *, collector: tuple[str, int], answers: str, rings: str
) -> AsyncIterator[Kamailio]:
    """Run a proxy between SIPps that exports every message to a HEP collector over UDP.

    ``answers`` and ``rings`` are the SIP URIs that calls go to. Otherwise as ``run_kamailio``.
    """
    defines = (
        f'TRACE_TO="sip:{collector[0]}:{collector[1]};transport=udp"',
        f'ANSWERS="{answers}"',
        f'RINGS="{rings}"',
    )
    async with _run(_TRAFFIC_CONFIGURATION, address, folder, "MD5", defines) as running:
        yield running


@asynccontextmanager
async def run_hep_collector(address: str, folder: Path) -> AsyncIterator[Kamailio]:
    """Run one that logs what arrives at its UDP port in HEP, as ``run_kamailio`` does."""
    manner = f'COLLECT="text://{folder}"'
    async with _run(_HEP_CONFIGURATION, address, folder, "MD5", (manner,)) as running:
        yield running


@asynccontextmanager
async def _run(
    configuration: Path, address: str, folder: Path, algorithm: str, manners: tuple[str, ...]
) -> AsyncIterator[Kamailio]:
    program = require_program("kamailio", "kamailio kamailio-tls-modules")
    authority = Authority.open(folder / "certificates")
    pair = authority.server_pair("kamailio", address, CertificateKind.VALID)
    definitions = (
        f"UDP_LISTEN=udp:{address}:{_UDP_PORT}",
        f"TCP_LISTEN=tcp:{address}:{_TCP_PORT}",
        f"TLS_LISTEN=tls:{address}:{_TLS_PORT}",
        f'CERTIFICATE="{pair.certificate}"',
        f'PRIVATE_KEY="{pair.key}"',
        f'ALGORITHM="{algorithm}"',
        *manners,
    )
    command = (
        *(program, "-DD", "-E", "-f", str(configuration), "-m", "64", "-M", "8"),
        *("-Y", str(folder), "-P", str(folder / "kamailio.pid"), "-w", str(folder)),
        *(part for each in definitions for part in ("-A", each)),
    )

    async def ready() -> bool:
        for transport, port in (("udp", _UDP_PORT), ("tcp", _TCP_PORT), ("tls", _TLS_PORT)):
            if not await answers_options(transport, address, port, user="ready"):
                return False
        return True

    async with run_program(command, folder, name="kamailio", ready=ready) as process:
        yield Kamailio(address, lab_domain("kamailio"), authority.ca_file, process)
