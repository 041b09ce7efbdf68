"""A real baresip: a phone that rings or answers, registers if told so, and plays a tone."""

from __future__ import annotations

import asyncio
import math
import re
import struct
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.behaviour import CertificateKind
from lab.certificates import Authority, lab_domain
from local.process import ManagedProcess
from tests.support.kamailio import PROXY_PASSWORD, Kamailio
from tests.support.listening import listens
from tests.support.programs import require_program, run_program

__all__ = ["PHONE_USER", "TONE_HZ", "Phone", "PhoneMedia", "run_baresip"]

PHONE_USER = "phone"
TONE_HZ = 440
"""Another than the one our user agent sends."""

_RATE = 8000
_TONE_SECONDS = 30
_PORT = 5060
_TLS_PORT = 5061
_POLL = 0.02
_MODULES = Path("/usr/lib/baresip/modules")


class PhoneMedia(StrEnum):
    """What the phone wants of media; the values are its ``mediaenc`` parameter."""

    PLAIN = ""
    SRTP_IF_OFFERED = "srtp"
    SRTP_ONLY = "srtp-mand"
    """488 to an offer without keys."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A running phone; its certificate is for ``address`` and ``domain``, signed by ``ca_file``."""

    address: str
    domain: str
    ca_file: Path
    process: ManagedProcess
    log: Path

    def port(self, transport: str) -> int:
        """Where it listens; ``transport`` is udp, tcp or tls."""
        return _TLS_PORT if transport == "tls" else _PORT

    def said(self) -> str:
        """What it wrote so far, its trace of SIP messages with it."""
        return self.log.read_text(errors="replace")

    async def says(self, pattern: str, *, seconds: float = 5.0) -> re.Match[str]:
        """Wait until the phone wrote something. Raises ``TimeoutError``."""
        give_up = time.monotonic() + seconds
        while (found := re.search(pattern, self.said())) is None:
            if time.monotonic() > give_up:
                raise TimeoutError(f"the phone did not write {pattern!r}")
            await asyncio.sleep(_POLL)
        return found


@asynccontextmanager
async def run_baresip(
    address: str,
    folder: Path,
    *,
    media: PhoneMedia = PhoneMedia.PLAIN,
    codecs: str = "PCMU,PCMA",
    answers: bool = True,
    registrar: Kamailio | None = None,
    over: str = "udp",
) -> AsyncIterator[Phone]:
    """Run a phone on an address of its own until the block ends. Raises ``StartFailed``.

    With ``answers`` it picks up at once, else it rings. With a ``registrar`` it has registered there
    over ``over`` (udp, tcp or tls) when the block begins.
    """
    program = require_program("baresip", "baresip-core")
    authority = Authority.open(folder / "certificates")
    pair = authority.server_pair("phone", address, CertificateKind.VALID)
    both = folder / "phone.pem"
    both.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    tone = folder / "tone.wav"
    await asyncio.to_thread(_write_tone, tone)
    (folder / "config").write_text(_config(address, both, tone))
    (folder / "accounts").write_text(_account(address, media, codecs, answers, registrar, over))
    log = folder / "baresip.log"

    async def ready() -> bool:
        if registrar is not None:
            return "[1 binding]" in log.read_text(errors="replace")
        return listens("udp", address, _PORT) and listens("tcp", address, _TLS_PORT)

    command = (program, "-f", str(folder), "-s", "-v")
    async with run_program(command, folder, name="baresip", ready=ready) as process:
        yield Phone(address, lab_domain("phone"), authority.ca_file, process, log)


def _config(address: str, certificate: Path, tone: Path) -> str:
    """The file that baresip reads; a module that is not named here does not exist for it."""
    lines = (
        "poll_method epoll",
        f"sip_listen {address}:{_PORT}",
        f"sip_certificate {certificate}",
        "call_max_calls 8",
        # A name of an interface would be looked up; an address is taken as it is.
        f"net_interface {address}",
        f"audio_source aufile,{tone}",
        "rtp_ports 30000-30200",
        f"module_path {_MODULES}",
        "module g711.so",
        "module aufile.so",
        "module srtp.so",
        "module_tmp account.so",
        "module_app menu.so",
    )
    return "\n".join((*lines, ""))


def _account(
    address: str,
    media: PhoneMedia,
    codecs: str,
    answers: bool,
    registrar: Kamailio | None,
    over: str,
) -> str:
    parameters = [f"audio_codecs={codecs}", f"answermode={'auto' if answers else 'manual'}"]
    if media:
        parameters.append(f"mediaenc={media}")
    if registrar is None:
        return f"<sip:{PHONE_USER}@{address}>;regint=0;{';'.join(parameters)}\n"
    parameters += [
        f'outbound="sip:{registrar.address}:{registrar.port(over)};transport={over}"',
        f"auth_user={PHONE_USER}",
        f"auth_pass={PROXY_PASSWORD}",
        "regint=600",
    ]
    return f"<sip:{PHONE_USER}@{registrar.address};transport={over}>;{';'.join(parameters)}\n"


def _write_tone(path: Path) -> None:
    turns = (2 * math.pi * TONE_HZ * index / _RATE for index in range(_RATE * _TONE_SECONDS))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(turn))) for turn in turns))
