"""What ``trunkline org`` and ``trunkline key`` share: the database, the person, refusals, output.

The commands work on the database by the same functions as the API, so they work while no API runs.
"""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy.ext.asyncio import AsyncSession

    from api.services.actor import Actor
    from settings import Settings
    from storage.engine import Database
    from storage.ids import Prefix
    from storage.secret_box import SecretBox

__all__ = [
    "AsJson",
    "Desk",
    "Installation",
    "KeyArgument",
    "OrgArgument",
    "at_desk",
    "at_installation",
    "checked",
    "show",
]

Result = TypeVar("Result")
Model = TypeVar("Model", bound="BaseModel")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _org_id(value: str) -> str:
    return _id("org", value)


def _key_id(value: str) -> str:
    return _id("key", value)


def _id(prefix: Prefix, value: str) -> str:
    from storage.ids import is_id

    if not is_id(prefix, value):
        raise typer.BadParameter(f"an id starts with {prefix}_ and has 22 characters behind it")
    return value


OrgArgument = Annotated[
    str, typer.Argument(metavar="ORG", callback=_org_id, help="Id of the organization.")
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", callback=_key_id, help="Id of the key.")]


@dataclass(frozen=True, slots=True)
class Installation:
    """The database across all organizations, and the settings that go with it."""

    database: Database
    settings: Settings
    key_ring: str | None

    def secret_box(self) -> SecretBox:
        """The box of the key ring. Exits when none is set."""
        from storage.secret_box import SecretBox

        if not self.key_ring:
            _fail("TRUNKLINE_SECRET_KEYS is not set", status=2)
        return SecretBox.from_key_ring(self.key_ring)


@dataclass(frozen=True, slots=True)
class Desk:
    """One transaction across all organizations, and the person who works in it."""

    session: AsyncSession
    settings: Settings
    actor: Actor
    secret_box: Callable[[], SecretBox]
    """See ``Installation.secret_box``."""


def at_desk(work: Callable[[Desk], Awaitable[Result]]) -> Result:
    """The result of ``work``, whose transaction is committed. Exits as ``at_installation`` does."""
    from api.services.actor import Actor

    async def in_one_transaction(place: Installation) -> Result:
        async with place.database.system() as session:
            actor = Actor("command", getpass.getuser())
            return await work(Desk(session, place.settings, actor, place.secret_box))

    return at_installation(in_one_transaction)


def at_installation(work: Callable[[Installation], Awaitable[Result]]) -> Result:
    """The result of ``work``.

    Exits with 1 and the reason when it is refused or the database is away, with 2 for a wrong setting.
    """
    from pydantic import ValidationError

    from api.errors import ApiError
    from settings import get_settings
    from storage.errors import StorageError

    try:
        return asyncio.run(_at_installation(work, get_settings()))
    except ApiError as error:
        _fail("\n".join(item.message for item in error.items))
    except StorageError as error:
        _fail(str(error))
    except ValidationError as error:
        names = ", ".join(f"TRUNKLINE_{str(each['loc'][0]).upper()}" for each in error.errors())
        _fail(f"wrong settings: {names}", status=2)


async def _at_installation(
    work: Callable[[Installation], Awaitable[Result]], settings: Settings
) -> Result:
    from storage.engine import Database

    url, key_ring = _place(settings)
    database = Database(url, pool_size=1, application="trunkline-command")
    try:
        return await work(Installation(database, settings, key_ring))
    finally:
        await database.dispose()


def _place(settings: Settings) -> tuple[str, str | None]:
    """URL and key ring: those of the settings, else those of the one-machine system that runs here."""
    url = settings.database_url.get_secret_value()
    key_ring = settings.secret_keys.get_secret_value() if settings.secret_keys else None
    if "database_url" in settings.model_fields_set:
        return url, key_ring
    from local.files import read_json
    from local.upfile import UpFile

    var = Path(settings.var_dir)
    running = UpFile.read(var)
    if running is None:
        return url, key_ring
    stored = (read_json(var / "secrets.json") or {}).get("key_ring")
    return running.database_url, key_ring or (stored if isinstance(stored, str) else None)


def checked(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """The body that the API would get. Exits with 2 and a line for each wrong field."""
    from pydantic import ValidationError

    from api.validation import refusal_of

    body = dict(fields)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        named = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        _fail("\n".join(item.message for item in refusal_of(named, body).items), status=2)


def show(view: BaseModel, *, as_json: bool, **secrets: str) -> None:
    """Print the view, with secrets that are shown this once."""
    facts = view.model_dump(mode="json") | secrets
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {_readable(value)}")
    if secrets:
        typer.echo("It is shown this once; store it now.", err=True)


def _readable(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(each["url"] if isinstance(each, dict) else str(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_readable(inner)}" for name, inner in value.items())
    return str(value)


def _fail(reason: str, *, status: int = 1) -> NoReturn:
    typer.echo(f"trunkline: {reason}", err=True)
    raise typer.Exit(status)
