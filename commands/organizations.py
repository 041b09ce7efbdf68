"""``trunkline org``: organizations, straight in the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.accounts import AsJson, Desk, OrgArgument, at_desk, checked, show

if TYPE_CHECKING:
    from datetime import datetime

    from api.schemas.organizations import OrganizationChanges, OrganizationView
    from storage.tables import Organization

__all__ = ["app"]

app = typer.Typer(help="Organizations.", no_args_is_help=True)

# One page of the list is one transaction.
_PAGE = 200
_NONE = "none"

Region = Annotated[str | None, typer.Option(help="us, eu, ca or apac.")]
Emails = Annotated[list[str] | None, typer.Option("--email", help="Gets alerts; repeat it.")]
Phones = Annotated[list[str] | None, typer.Option("--phone", help="E.164, gets alerts; repeat it.")]
Webhooks = Annotated[
    list[str] | None, typer.Option("--webhook", help="URL that gets signed JSON; repeat it.")
]
Slack = Annotated[
    list[str] | None, typer.Option("--slack", help="URL of a Slack incoming webhook; repeat it.")
]
PagerDuty = Annotated[
    list[str] | None,
    typer.Option("--pagerduty", help="PagerDuty's events URL with ?routing_key=; repeat it."),
]
Quiet = Annotated[
    str | None,
    typer.Option(
        "--quiet-hours",
        help="As in '22:00-07:00 Europe/Berlin': alerts below critical wait. 'none' ends them.",
    ),
]


def _fields(
    *,
    name: str | None,
    region: str | None,
    emails: list[str] | None,
    phones: list[str] | None,
    webhooks: list[str] | None,
    slack: list[str] | None,
    pagerduty: list[str] | None,
    quiet: str | None,
) -> dict[str, Any]:
    urls = {"standard": webhooks, "slack": slack, "pagerduty": pagerduty}
    given = {
        "name": name,
        "region": region,
        "alert_emails": emails,
        "alert_phones": phones,
        "webhook_endpoints": [
            {"url": url, "format": form} for form, named in urls.items() for url in named or ()
        ]
        or None,
        "quiet_hours": None if quiet is None else _quiet_hours(quiet),
    }
    fields = {field: value for field, value in given.items() if value is not None}
    return fields | ({"quiet_hours": None} if quiet == _NONE else {})


def _quiet_hours(text: str) -> dict[str, str] | None:
    if text == _NONE:
        return None
    times, _, zone = text.partition(" ")
    start, _, end = times.partition("-")
    return {"start": start, "end": end, "zone": zone.strip()}


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people; need not be unique.")],
    region: Region = None,
    sip: Annotated[bool, typer.Option("--sip", help="Give it the SIP entitlement.")] = False,
    email: Emails = None,
    phone: Phones = None,
    webhook: Webhooks = None,
    slack: Slack = None,
    pagerduty: PagerDuty = None,
    quiet_hours: Quiet = None,
    as_json: AsJson = False,
) -> None:
    """Make an organization."""
    from api.schemas.organizations import OrganizationDraft
    from api.services import organizations
    from storage.ids import new_id

    fields = _fields(
        name=name,
        region=region,
        emails=email,
        phones=phone,
        webhooks=webhook,
        slack=slack,
        pagerduty=pagerduty,
        quiet=quiet_hours,
    )
    draft = checked(OrganizationDraft, fields | {"entitlements": ["SIP"] if sip else []})

    async def work(desk: Desk) -> Organization:
        return await organizations.create(
            desk.session,
            new_id("org"),
            draft,
            actor=desk.actor,
            allowed_networks=desk.settings.allowed_networks,
        )

    _show(at_desk(work), as_json=as_json)


@app.command(name="list")
def every(as_json: AsJson = False) -> None:
    """List all organizations."""
    from api.pagination import PageRequest
    from api.services import organizations

    async def work(desk: Desk) -> list[OrganizationView]:
        views: list[OrganizationView] = []
        cursor: str | None = None
        while True:
            found, cursor = await organizations.page(desk.session, PageRequest(_PAGE, cursor))
            views += [organizations.view_of(each) for each in found]
            if cursor is None:
                return views

    views = at_desk(work)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in views], indent=2))
        return
    for view in views:
        entitled = ",".join(view.entitlements) or "-"
        typer.echo(f"{view.org_id}  {view.region:<4}  {entitled:<4}  {view.name}")


@app.command(name="show")
def show_one(org: OrgArgument, as_json: AsJson = False) -> None:
    """Show one organization."""
    from api.services import organizations

    async def work(desk: Desk) -> Organization:
        return await organizations.get(desk.session, org)

    _show(at_desk(work), as_json=as_json)


@app.command()
def update(
    org: OrgArgument,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    region: Region = None,
    email: Emails = None,
    phone: Phones = None,
    webhook: Webhooks = None,
    slack: Slack = None,
    pagerduty: PagerDuty = None,
    quiet_hours: Quiet = None,
    as_json: AsJson = False,
) -> None:
    """Replace what is given; a repeated option replaces the whole list, --webhook, --slack and --pagerduty
    one list together."""
    from api.schemas.organizations import OrganizationChanges

    fields = _fields(
        name=name,
        region=region,
        emails=email,
        phones=phone,
        webhooks=webhook,
        slack=slack,
        pagerduty=pagerduty,
        quiet=quiet_hours,
    )
    _change(org, checked(OrganizationChanges, fields), as_json=as_json)


@app.command()
def entitle(
    org: OrgArgument,
    entitlements: Annotated[
        list[str] | None, typer.Argument(metavar="[SIP]", help="The complete list; none takes all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set the entitlements; API processes follow within five seconds."""
    from api.schemas.organizations import OrganizationChanges

    changes = checked(OrganizationChanges, {"entitlements": entitlements or []})
    _change(org, changes, as_json=as_json)


@app.command()
def rotate_secret(org: OrgArgument, as_json: AsJson = False) -> None:
    """Make a new secret that signs webhooks from now on, and show it this once."""
    from api.schemas.organizations import SigningSecretView
    from api.services import organizations

    async def work(desk: Desk) -> tuple[str, datetime]:
        return await organizations.rotate_signing_secret(
            desk.session, org, actor=desk.actor, secret_box=desk.secret_box()
        )

    secret, set_at = at_desk(work)
    view = SigningSecretView(signing_secret=secret, set_at=set_at)
    show(view, as_json=as_json, signing_secret=secret)


def _change(org: str, changes: OrganizationChanges, *, as_json: bool) -> None:
    from api.services import organizations

    async def work(desk: Desk) -> Organization:
        return await organizations.change(
            desk.session,
            org,
            changes,
            actor=desk.actor,
            allowed_networks=desk.settings.allowed_networks,
        )

    _show(at_desk(work), as_json=as_json)


def _show(organization: Organization, *, as_json: bool) -> None:
    from api.services import organizations

    show(organizations.view_of(organization), as_json=as_json)
