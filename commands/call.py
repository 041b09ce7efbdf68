"""``trunkline call``: a test call without a server, drawn in the terminal while it runs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sip.transports import Transport

if TYPE_CHECKING:
    from domain.call_settings import CallSettings
    from domain.destination import Destination

__all__ = ["PASSWORD_VARIABLE", "call"]

PASSWORD_VARIABLE = "TRUNKLINE_CALL_PASSWORD"
"""Where the password is read from, so that it stands in no list of processes."""

DEFAULT_CALLER = "trunkline"
MAX_RING_SECONDS = 90
"""A call and what surrounds it ends within two minutes."""


def call(
    destination: Annotated[str, typer.Argument(help="Host, address or SIP URI to call.")],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="USER",
            help="Whom to call there: number or extension. Default: the user of the URI, else "
            "TRUNKLINE_TEST_CALLEE, else the caller.",
        ),
    ] = None,
    caller: Annotated[
        str, typer.Option("--from", metavar="USER", help="Who is calling, in From.")
    ] = DEFAULT_CALLER,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="USER",
            help=f"User of digest authentication; the password comes from {PASSWORD_VARIABLE} or "
            "is asked for.",
        ),
    ] = None,
    srtp: Annotated[
        bool | None,
        typer.Option(
            "--srtp/--no-srtp", help="Encrypt media with SDES keys. Default: over TLS only."
        ),
    ] = None,
    transport: Annotated[
        Transport | None, typer.Option(help="Default: what DNS says, else UDP.")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(help="PEM file of authorities to trust beside TRUNKLINE_TLS_CA_FILE."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, max=MAX_RING_SECONDS, help="Seconds to let it ring.")
    ] = 60.0,
    pcap: Annotated[
        Path | None, typer.Option(help="Write the SIP messages to this capture file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Allow loopback and private addresses beside TRUNKLINE_ALLOWED_NETWORKS.",
        ),
    ] = False,
) -> None:
    """Call a SIP endpoint: ladder, proof and what to change.

    Exit 0 when the call works, 1 when it does not, 2 when it was not tried. Ctrl-C hangs up.
    """
    from domain.destination import parse_destination

    parsed = parse_destination(destination)
    if parsed.parsed is None:
        _refuse(parsed.message or "not a destination", parsed.suggestion or "")
    if pcap is not None and not pcap.absolute().parent.is_dir():
        _refuse(f"{pcap.absolute().parent} is not a folder")
    settings = _settings_of(
        parsed.parsed, to=to, caller=caller, user=user, srtp=srtp, transport=transport
    )
    password = _password(user) if user is not None else None

    from commands.call_run import CallOrder, NotTried, run_call

    order = CallOrder(
        settings=settings,
        password=password,
        ca_file=ca_file,
        ring_seconds=timeout,
        private=private,
        pcap=pcap,
        quiet=as_json,
    )
    try:
        works = asyncio.run(run_call(order))
    except NotTried as error:
        _refuse(str(error))
    raise typer.Exit(0 if works else 1)


def _settings_of(
    destination: Destination,
    *,
    to: str | None,
    caller: str,
    user: str | None,
    srtp: bool | None,
    transport: Transport | None,
) -> CallSettings:
    from domain.call_settings import CallSettings, MediaSecurity, is_user_part
    from settings import get_settings

    callee = to or destination.user or get_settings().test_callee or caller
    for text in (callee, caller):
        if not is_user_part(text):
            _refuse(f"{text!r} cannot stand before the @ of a SIP URI")
    chosen = transport or destination.transport
    secure = chosen is Transport.TLS if srtp is None else srtp
    return CallSettings(
        host=destination.host,
        port=destination.port,
        transport=chosen,
        callee=callee,
        caller_number=caller,
        username=user,
        media=MediaSecurity.SRTP if secure else MediaSecurity.PLAIN,
    )


def _password(user: str) -> str:
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is not None:
        return password
    if not sys.stdin.isatty():
        _refuse(f"{PASSWORD_VARIABLE} is not set and there is no terminal to ask on")
    return str(typer.prompt(f"Password of {user}", hide_input=True, err=True))


def _refuse(*lines: str) -> NoReturn:
    for line in filter(None, lines):
        typer.echo(line, err=True)
    raise typer.Exit(2)
