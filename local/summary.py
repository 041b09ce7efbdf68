"""What a person reads when the system runs: where everything is, and what to try first."""

from __future__ import annotations

import json
import shlex

from local.upfile import UpFile
from sip.uri import SipUri, parse_uri

__all__ = ["first_commands", "summary_of"]

_FIRST_PEER = "asterisk"


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
    """Discover a peer of the lab, ask how that went, and have a pasted destination explained."""
    peer = parse_uri(up.lab.get(_FIRST_PEER) or next(iter(up.lab.values()), "sip:127.0.0.1"))
    host = peer.host if isinstance(peer, SipUri) else str(peer)
    base = f"{up.api_url}/v1/sip"
    return (
        _curl(up, f"{base}/discover?wait=10", {"host": host}),
        _curl(up, f"{base}/discover/status?discovery_id=DISCOVERY_ID"),
        _curl(up, f"{base}/parse-destination", {"input": "tls://your.provider.com"}),
    )


def _curl(up: UpFile, url: str, body: dict[str, str] | None = None) -> str:
    words = ["curl", "-s", url, "-H", f"Authorization: Bearer {up.api_key}"]
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return shlex.join(words)
