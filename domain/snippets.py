"""Configuration of a customer's PBX for one trunk, from the trunk's real values.

The customer pastes it; a password, which is shown only once, stands in angle brackets in capitals. Numbers beyond the first few are left to the PBX's dial plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.codecs import Codec
from domain.snippet_gateways import audiocodes, cisco_cube, three_cx
from domain.snippet_systems import asterisk, freepbx, freeswitch, kamailio
from domain.snippet_values import SnippetValues
from sip.transports import Transport

__all__ = ["Snippet", "SnippetSystem", "SnippetValues", "snippet", "values_of"]


class SnippetSystem(StrEnum):
    """The systems that there is a snippet for."""

    ASTERISK = "asterisk"
    FREEPBX = "freepbx"
    FREESWITCH = "freeswitch"
    KAMAILIO = "kamailio"
    CISCO_CUBE = "cisco-cube"
    THREE_CX = "3cx"
    AUDIOCODES = "audiocodes"


@dataclass(frozen=True, slots=True)
class Snippet:
    """``text`` to paste into ``where``; ``format`` is how an editor would highlight it."""

    system: SnippetSystem
    title: str
    where: str
    format: str
    text: str


@dataclass(frozen=True, slots=True)
class _System:
    title: str
    where: str
    format: str
    write: Callable[[SnippetValues], str]


_SYSTEMS: Final[Mapping[SnippetSystem, _System]] = {
    SnippetSystem.ASTERISK: _System(
        "Asterisk (chan_pjsip)", "/etc/asterisk/pjsip.conf, then `pjsip reload`", "ini", asterisk
    ),
    SnippetSystem.FREEPBX: _System(
        "FreePBX", "Connectivity, Trunks, Add Trunk, Add SIP (chan_pjsip) Trunk", "text", freepbx
    ),
    SnippetSystem.FREESWITCH: _System(
        "FreeSWITCH",
        "conf/sip_profiles/external/, then `sofia profile external rescan`",
        "xml",
        freeswitch,
    ),
    SnippetSystem.KAMAILIO: _System(
        "Kamailio dispatcher",
        "the file of dispatcher's list_file, then `kamcmd dispatcher.reload`",
        "text",
        kamailio,
    ),
    SnippetSystem.CISCO_CUBE: _System("Cisco CUBE", "`configure terminal`", "ios", cisco_cube),
    SnippetSystem.THREE_CX: _System(
        "3CX", "Voice & Chat, Add Trunk, Generic SIP Trunk", "text", three_cx
    ),
    SnippetSystem.AUDIOCODES: _System(
        "AudioCodes Mediant", "the CLI, `configure voip`", "text", audiocodes
    ),
}


def snippet(system: SnippetSystem, values: SnippetValues) -> Snippet:
    """The configuration for one system."""
    entry = _SYSTEMS[system]
    return Snippet(system, entry.title, entry.where, entry.format, entry.write(values))


def values_of(
    *,
    trunk_name: str,
    sip_server: str,
    port: int,
    transport: Transport,
    addresses: tuple[str, ...],
    codecs: tuple[Codec, ...],
    secure_media: bool,
    numbers: tuple[str, ...],
    username: str | None = None,
    registers: bool = False,
) -> SnippetValues:
    """Values that may stand in a configuration: the name becomes an identifier of every system."""
    words = re.sub(r"[^a-z0-9]+", "-", trunk_name.lower()).strip("-")
    return SnippetValues(
        name=f"trunkline-{words}"[:40].rstrip("-") if words else "trunkline",
        sip_server=sip_server,
        port=port,
        transport=transport,
        addresses=addresses,
        codecs=codecs,
        secure_media=secure_media,
        numbers=numbers,
        # A user name is one line of a configuration, whatever an older release let in.
        username=None if username is None else re.sub(r"[\x00-\x1f\x7f]", "", username),
        registers=registers,
    )
