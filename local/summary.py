"""What a person reads when the system runs: where everything is, and what to try first."""

from __future__ import annotations

import json
import shlex
from typing import Any

from local.upfile import UpFile
from sip.uri import SipUri, parse_uri

__all__ = ["first_commands", "summary_of"]

_FIRST_PEER = "asterisk"
_NUMBER = "+14155550100"


def summary_of(up: UpFile) -> str:
    """Addresses, the key and three commands, as plain text."""
    rows = {
        "API": f"{up.api_url}/v1/sip",
        "Dashboard": up.dashboard_url,
        "Temporal UI": up.temporal_ui_url or "(not ours: TRUNKLINE_TEMPORAL_UI_URL is not set)",
        "Mail": f"{up.mail_url}  (SMTP {up.smtp_url.removeprefix('smtp://')})",
        "Lab": ", ".join(up.lab),
        "API key": up.api_key,
    }
    lines = [f"  {name:<12} {value}" for name, value in rows.items()]
    commands = [f"  {command}" for command in first_commands(up)]
    return "\n".join(["Trunkline is up.", "", *lines, "", "Try:", "", *commands])


def first_commands(up: UpFile) -> tuple[str, str, str]:
    """Discover a peer of the lab, attach a number to it, and call it."""
    uri = up.lab.get(_FIRST_PEER) or next(iter(up.lab.values()), "sip:127.0.0.1")
    peer = parse_uri(uri)
    host = peer.host if isinstance(peer, SipUri) else str(peer)
    base = f"{up.api_url}/v1/sip"
    outbound = {"type": "outbound", "sip_endpoint": uri}
    attached = {"phone_number": _NUMBER, "service": "sip", "directions": [outbound]}
    return (
        _curl(up, f"{base}/discover?wait=10", {"host": host}),
        _curl(up, f"{base}/attach", attached),
        _curl(up, f"{base}/test-call", {"phone_number": _NUMBER}),
    )


def _curl(up: UpFile, url: str, body: dict[str, Any] | None = None) -> str:
    words = ["curl", "-s", url, "-H", f"Authorization: Bearer {up.api_key}"]
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return shlex.join(words)
