"""``trunkline key``: API keys, straight in the database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.accounts import AsJson, Desk, KeyArgument, OrgArgument, at_desk, checked, show

if TYPE_CHECKING:
    from storage.api_keys import MadeKey
    from storage.tables import ApiKey

__all__ = ["app"]

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command()
def create(
    org: OrgArgument,
    role: Annotated[str, typer.Option(help="viewer, editor or operator.")] = "viewer",
    name: Annotated[str, typer.Option(help="For people.")] = "command line",
    expires_at: Annotated[
        str | None, typer.Option(help="ISO 8601 with a time zone; left out, it never expires.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it this once."""
    from api.schemas.keys import KeyDraft
    from api.services import keys

    draft = checked(KeyDraft, {"name": name, "role": role, "expires_at": expires_at})

    async def work(desk: Desk) -> MadeKey:
        return await keys.create(desk.session, org, draft, actor=desk.actor)

    made = at_desk(work)
    show(keys.view_of(made.key), as_json=as_json, api_key=made.secret)


@app.command(name="list")
def every(org: OrgArgument, as_json: AsJson = False) -> None:
    """List an organization's keys, revoked ones included."""
    from api.services import keys

    async def work(desk: Desk) -> list[ApiKey]:
        return await keys.every(desk.session, org)

    views = [keys.view_of(each) for each in at_desk(work)]
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in views], indent=2))
        return
    for view in views:
        state = _state(view.revoked_at, view.expires_at)
        typer.echo(f"{view.key_id}  {view.role:<8}  ...{view.hint}  {state:<28}  {view.name}")


@app.command()
def revoke(
    org: OrgArgument,
    key: KeyArgument,
    as_json: AsJson = False,
) -> None:
    """End a key's life; API processes follow within five seconds."""
    from api.services import keys

    async def work(desk: Desk) -> ApiKey:
        return await keys.revoke(desk.session, org, key, actor=desk.actor)

    show(keys.view_of(at_desk(work)), as_json=as_json)


def _state(revoked_at: datetime | None, expires_at: datetime | None) -> str:
    if revoked_at is not None:
        return f"revoked {revoked_at:%Y-%m-%d %H:%M} UTC"
    if expires_at is not None:
        return f"until {expires_at:%Y-%m-%d %H:%M} UTC"
    return "-"
