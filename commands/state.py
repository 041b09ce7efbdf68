"""``trunkline export``, ``plan`` and ``apply``: the whole configuration in a file.

They talk to the API, so a key is all they need.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from commands.state_api import Plan, StateApi

__all__ = ["KEY_VARIABLE", "URL_VARIABLE", "apply", "export", "plan"]

Result = TypeVar("Result")

URL_VARIABLE = "TRUNKLINE_API_URL"
KEY_VARIABLE = "TRUNKLINE_API_KEY"

FAILED = 1
CHANGES = 2
"""Exit code of changes that are planned and not made."""

Url = Annotated[
    str,
    typer.Option(envvar=URL_VARIABLE, metavar="URL", help="The API, such as http://127.0.0.1:8000"),
]
Key = Annotated[
    str,
    typer.Option(
        envvar=KEY_VARIABLE,
        metavar="KEY",
        help="API key. The variable keeps it out of the list of processes.",
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The configuration; - is stdin.")]


def export(
    url: Url = "",
    key: Key = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")
    ] = None,
) -> None:
    """Write everything that is configured as YAML.

    Passwords read ********; applied to the same organization, they stay as they are.
    """
    from commands.state_file import as_yaml

    text = as_yaml(_asked(_api(url, key).export))
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"{output}: {error.strerror}")


def plan(
    file: File,
    url: Url = "",
    key: Key = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Show what a file would change, and change nothing.

    Exit 0 when nothing differs, 2 when something does, 1 when it cannot be told.
    """
    found = _planned(_api(url, key), file)
    if as_json:
        typer.echo(json.dumps(found.changes, indent=2))
    else:
        _show(found)
    raise typer.Exit(CHANGES if found.changes else 0)


def apply(
    file: File,
    url: Url = "",
    key: Key = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make the configuration what a file says; what is not in the file is taken away.

    Shows the changes and asks first. Exit 0 when everything is as the file says, 2 when the answer
    was no, 1 when it failed: then nothing is changed.
    """
    if not yes and (str(file) == "-" or not sys.stdin.isatty()):
        _fail("there is no terminal to ask on; give --yes")
    api = _api(url, key)
    found = _planned(api, file)
    _show(found)
    if not found.changes:
        return
    if not yes and not typer.confirm("Apply these changes?"):
        raise typer.Exit(CHANGES)
    made = _asked(lambda: api.apply(found))
    typer.echo("Applied.")
    for username, password in made:
        typer.echo(f"Password for the PBX that {username} registers at: {password}")
    if made:
        typer.echo("It is shown this once; store it now.", err=True)


def _api(url: str, key: str) -> StateApi:
    from commands.state_api import StateApi

    for value, option, variable in ((url, "--url", URL_VARIABLE), (key, "--key", KEY_VARIABLE)):
        if not value.strip():
            _fail(f"give {option}, or set {variable}")
    return StateApi(url.strip(), key.strip())


def _planned(api: StateApi, file: Path) -> Plan:
    from commands.state_file import WrongFile, read_yaml

    try:
        document = read_yaml(file)
    except WrongFile as error:
        _fail(str(error))
    return _asked(lambda: api.plan(document))


def _asked(call: Callable[[], Result]) -> Result:
    from commands.state_api import ApiFailed

    try:
        return call()
    except ApiFailed as error:
        _fail(*error.lines)


def _show(found: Plan) -> None:
    from rich.console import Console

    from commands.state_screen import plan_lines

    console = Console(highlight=False, soft_wrap=True)
    for line in plan_lines(found.changes):
        console.print(line)


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(f"trunkline: {line}", err=True)
    raise typer.Exit(FAILED)
