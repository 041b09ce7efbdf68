"""Organizations: operators make and change all of them, customers see their own and set who is alerted, and when."""

from __future__ import annotations

from api.access import Editor, Operator, Viewer
from api.authentication import Principal
from api.changes import ChangeDep
from api.dependencies import (
    AuthenticatorDep,
    By,
    DatabaseDep,
    OrgId,
    SecretBoxDep,
    SettingsDep,
)
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import Forbidden, NotFound
from api.pagination import PageQuery
from api.routing import new_router
from api.schemas.organizations import (
    EXAMPLE_ORGANIZATION,
    EntitlementsInput,
    OrganizationChanges,
    OrganizationDraft,
    OrganizationList,
    OrganizationView,
    SigningSecretView,
)
from api.services import organizations
from storage.ids import new_id
from storage.tables import Role

__all__ = ["router"]

router = new_router("/v1/organizations", tag="Organizations")

# What a customer may set of its own organization; the rest is for operators.
_ALERTING = frozenset({"alert_emails", "alert_phones", "webhook_endpoints", "quiet_hours"})


def _not_theirs(field: str) -> Forbidden:
    return Forbidden(f"{field}: only an operator may change that", field=field)


@router.post(
    "",
    summary="Create an organization",
    status_code=201,
    responses=answer(EXAMPLE_ORGANIZATION, status=201),
)
async def create_organization(
    draft: OrganizationDraft, _: Operator, by: By, change: ChangeDep, settings: SettingsDep
) -> Envelope[OrganizationView]:
    """A new organization without keys. Operators only."""
    org_id = new_id("org")
    session = await change.of(org_id)
    made = await organizations.create(
        session, org_id, draft, actor=by, allowed_networks=settings.allowed_networks
    )
    return Envelope(data=organizations.view_of(made))


@router.get(
    "",
    summary="List organizations",
    responses=answer({"organizations": [EXAMPLE_ORGANIZATION], "next_cursor": None}),
)
async def list_organizations(
    page: PageQuery, _: Operator, database: DatabaseDep
) -> Envelope[OrganizationList]:
    """All organizations, by id, in pages. Operators only."""
    async with database.system() as session:
        found, next_cursor = await organizations.page(session, page)
    views = [organizations.view_of(each) for each in found]
    return Envelope(data=OrganizationList(organizations=views, next_cursor=next_cursor))


@router.get("/{org_id}", summary="Get an organization", responses=answer(EXAMPLE_ORGANIZATION))
async def get_organization(
    org_id: OrgId, principal: Viewer, database: DatabaseDep
) -> Envelope[OrganizationView]:
    """The caller's own organization, or any for an operator."""
    _must_manage(principal, org_id)
    async with database.tenant(org_id) as session:
        found = await organizations.get(session, org_id)
    return Envelope(data=organizations.view_of(found))


@router.patch(
    "/{org_id}",
    summary="Change an organization",
    responses={
        **answer(EXAMPLE_ORGANIZATION),
        **refusals(_not_theirs("entitlements")),
    },
)
async def change_organization(
    org_id: OrgId,
    changes: OrganizationChanges,
    principal: Editor,
    by: By,
    change: ChangeDep,
    settings: SettingsDep,
    authenticator: AuthenticatorDep,
) -> Envelope[OrganizationView]:
    """Replaces the fields that are given. Editors set the recipients and the quiet hours of their own
    organization."""
    _must_manage(principal, org_id)
    if principal.role is not Role.OPERATOR:
        for field in sorted(changes.model_fields_set - _ALERTING):
            raise _not_theirs(field)
    session = await change.of(org_id)
    changed = await organizations.change(
        session, org_id, changes, actor=by, allowed_networks=settings.allowed_networks
    )
    change.after_commit(lambda: authenticator.forget(org_id))
    return Envelope(data=organizations.view_of(changed))


@router.put(
    "/{org_id}/entitlements",
    summary="Set an organization's entitlements",
    responses=answer(EXAMPLE_ORGANIZATION),
)
async def set_entitlements(
    org_id: OrgId,
    wanted: EntitlementsInput,
    _: Operator,
    by: By,
    change: ChangeDep,
    authenticator: AuthenticatorDep,
) -> Envelope[OrganizationView]:
    """Replaces the list; other API processes follow within five seconds. Operators only."""
    changes = OrganizationChanges(entitlements=wanted.entitlements)
    session = await change.of(org_id)
    changed = await organizations.change(session, org_id, changes, actor=by, allowed_networks=())
    change.after_commit(lambda: authenticator.forget(org_id))
    return Envelope(data=organizations.view_of(changed))


@router.post(
    "/{org_id}/signing-secret",
    summary="Create or rotate the webhook signing secret",
    status_code=201,
    responses=answer(
        {
            "signing_secret": "whsec_RVhBTVBMRS1FWEFNUExFLUVYQU1QTEUtRVhBTVBMRS0=",
            "set_at": "2026-03-09T12:00:00Z",
        },
        status=201,
    ),
)
async def rotate_signing_secret(
    org_id: OrgId,
    principal: Editor,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
) -> Envelope[SigningSecretView]:
    """A new secret, shown this once; webhooks are signed with it from now on."""
    _must_manage(principal, org_id)
    session = await change.of(org_id)
    secret, set_at = await organizations.rotate_signing_secret(
        session, org_id, actor=by, secret_box=secret_box
    )
    return Envelope(data=SigningSecretView(signing_secret=secret, set_at=set_at))


def _must_manage(principal: Principal, org_id: str) -> None:
    if not principal.manages(org_id):
        raise NotFound
