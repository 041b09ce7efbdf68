"""The command line: ``trunkline COMMAND``.

Only the module of the command that is called is imported, so that a small command starts fast.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

import typer

__all__ = ["COMMANDS", "application", "main"]

COMMANDS: Final = {
    "up": "commands.up:up",
    "down": "commands.up:down",
    "api": "commands.processes:api",
    "worker": "commands.processes:worker",
    "hep": "commands.processes:hep",
    "migrate": "commands.migrate:migrate",
    "settings": "commands.settings_doc:settings",
    "org": "commands.organizations:app",
    "key": "commands.keys:app",
    "secrets": "commands.secrets:app",
    "probe": "commands.probe:probe",
    "call": "commands.call:call",
    "decode": "commands.decode:decode",
    "export": "commands.state:export",
    "plan": "commands.state:plan",
    "apply": "commands.state:apply",
}
"""Command to the place of its function, or of its sub-commands."""


def application(names: tuple[str, ...] = tuple(COMMANDS)) -> typer.Typer:
    """The command line with these commands."""
    app = typer.Typer(
        name="trunkline",
        help="Self-hosted SIP trunk control plane.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )

    # Without a callback typer would make a lone command the whole program, without its name.
    @app.callback()
    def root() -> None:
        pass

    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def main() -> None:
    """Entry point of ``trunkline``."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    # The shell's completion asks through the environment and may mean any command.
    completing = "_TRUNKLINE_COMPLETE" in os.environ
    known = wanted in COMMANDS and not completing
    application((wanted,) if known else tuple(COMMANDS))()


if __name__ == "__main__":
    main()
