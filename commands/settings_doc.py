"""``trunkline settings``: the page ``docs/settings.md``, written from the settings themselves."""

from __future__ import annotations

import types
from datetime import timedelta
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from settings import Settings

__all__ = ["page", "settings"]

_HEAD = """\
# Settings

Every setting is an environment variable with the prefix `TRUNKLINE_`. This page is written by
`trunkline settings > docs/settings.md` from the package `settings`; a test keeps it current.

`make up` decides the ones of the parts it starts itself: setting `TRUNKLINE_DATABASE_URL` or
`TRUNKLINE_TEMPORAL_ADDRESS` makes it use that server instead of an embedded one, and where
`TRUNKLINE_ALLOWED_NETWORKS` is not set it allows `127.0.0.0/8` and `::1`.

| Variable | Takes | Default | Meaning |
|---|---|---|---|
"""


def settings() -> None:
    """Print every setting with its meaning, as docs/settings.md."""
    typer.echo(page(), nl=False)


def page() -> str:
    """The whole page, ending with a newline."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    rows = [
        f"| `{prefix}{name.upper()}` | {_kind(field.annotation)} | {_default(field)} "
        f"| {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _kind(annotation: Any) -> str:
    """What to write into the variable, in plain words."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        kinds = {_kind(part) for part in get_args(annotation) if part is not type(None)}
        return " or ".join(sorted(kinds))
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if origin is tuple:
        return f"{_kind(get_args(annotation)[0])}, several with commas"
    words = {
        bool: "`true` or `false`",
        int: "number",
        str: "text",
        SecretStr: "secret",
        timedelta: "duration",
    }
    return words.get(annotation, "network")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "unset"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():g}` (seconds)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
