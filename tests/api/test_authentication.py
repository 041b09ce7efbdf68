from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from api.authentication import Authenticator
from api.errors import AuthFailure
from storage import api_keys, organizations
from storage.engine import Database
from storage.errors import UnsafeRole
from storage.tables import Role
from tests.api.tenants import Tenant, make_tenant
from tests.support.postgres import TestDatabase

UNKNOWN = api_keys.KEY_PREFIX + "A" * 43


class Clock:
    """Seconds and wall time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.start = datetime.now(UTC)

    def ticks(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds - 1000.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(database: Database, clock: Clock) -> Authenticator:
    return Authenticator(database, size=2, ticks=clock.ticks, now=clock.now)


async def revoke(database: Database, key_id: str) -> None:
    async with database.system() as session:
        await api_keys.revoke(session, key_id, now=datetime.now(UTC))


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {} ", "{}", " {} "])
async def test_a_key_is_accepted_with_and_without_bearer(
    authenticator: Authenticator, tenant: Tenant, form: str
) -> None:
    principal = await authenticator.principal(form.format(tenant.keys[Role.EDITOR]))

    assert principal.org_id == tenant.org_id
    assert principal.role is Role.EDITOR
    assert principal.key_id == tenant.key_ids[Role.EDITOR]
    assert principal.entitlements == {"SIP"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        UNKNOWN,
        f"Bearer {UNKNOWN}",
        f"Basic {UNKNOWN}",
        f"Bearer {UNKNOWN}x",
        f"Bearer {UNKNOWN} extra",
        "Bearer " + UNKNOWN[:9],
        "Bearer " + UNKNOWN[:-1] + "é",
        "Bearer \x00",
        "Bearer \ud800",
        "x" * 10_000,
    ],
)
async def test_anything_else_is_refused(authenticator: Authenticator, header: str | None) -> None:
    with pytest.raises(AuthFailure):
        await authenticator.principal(header)


async def test_a_revoked_key_works_no_longer_than_the_cache_lives(
    authenticator: Authenticator, tenant: Tenant, database: Database, clock: Clock
) -> None:
    key = tenant.keys[Role.VIEWER]
    await authenticator.principal(key)
    await revoke(database, tenant.key_ids[Role.VIEWER])
    clock.seconds += 4.9
    await authenticator.principal(key)
    clock.seconds += 0.1

    with pytest.raises(AuthFailure):
        await authenticator.principal(key)


async def test_a_forgotten_organization_is_looked_up_again(
    authenticator: Authenticator, tenant: Tenant, database: Database
) -> None:
    key = tenant.keys[Role.VIEWER]
    await authenticator.principal(key)
    async with database.system() as session:
        await organizations.change(session, tenant.org_id, entitlements=[])

    assert (await authenticator.principal(key)).entitlements == {"SIP"}
    authenticator.forget(tenant.org_id)
    assert (await authenticator.principal(key)).entitlements == frozenset()


async def test_a_key_that_expires_while_cached_is_refused_at_once(
    authenticator: Authenticator, tenant: Tenant, database: Database, clock: Clock
) -> None:
    async with database.system() as session:
        made = await api_keys.create(
            session,
            tenant.org_id,
            name="short",
            role=Role.VIEWER,
            expires_at=clock.now() + timedelta(seconds=2),
        )
    await authenticator.principal(made.secret)
    clock.seconds += 2

    with pytest.raises(AuthFailure):
        await authenticator.principal(made.secret)


async def test_the_cache_is_bounded_and_drops_the_oldest(
    authenticator: Authenticator, tenant: Tenant, database: Database
) -> None:
    for role in Role:
        await authenticator.principal(tenant.keys[role])
    await revoke(database, tenant.key_ids[Role.VIEWER])
    await revoke(database, tenant.key_ids[Role.OPERATOR])

    assert (await authenticator.principal(tenant.keys[Role.OPERATOR])).role is Role.OPERATOR
    with pytest.raises(AuthFailure):
        await authenticator.principal(tenant.keys[Role.VIEWER])


async def test_nobody_is_let_in_on_a_role_that_reads_past_tenancy(
    database_urls: TestDatabase, tenant: Tenant
) -> None:
    unsafe = Database(database_urls.admin_url)
    try:
        with pytest.raises(UnsafeRole):
            await Authenticator(unsafe).principal(tenant.keys[Role.VIEWER])
    finally:
        await unsafe.dispose()


async def test_the_refusal_names_the_scheme_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/me", headers={"Authorization": UNKNOWN})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json() == {
        "data": None,
        "errors": [{"error": "AUTH_FAILURE", "message": "Unauthorized"}],
    }


async def test_a_stranger_learns_nothing_from_validation(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/organizations", content=b"{not json")

    assert answer.status_code == 401


async def test_a_role_too_low_learns_nothing_from_validation(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.post("/v1/organizations", content=b"{", headers=tenant.viewer)

    assert answer.status_code == 403


async def test_an_organization_without_sip_is_told_so_before_its_role(
    client: httpx.AsyncClient, database: Database
) -> None:
    bare = await make_tenant(database, "Bare", entitlements=())
    answer = await client.post("/v1/sip/parse-destination", json={}, headers=bare.viewer)

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["error"] == "SIP_NOT_ENABLED"


async def test_without_the_database_the_answer_is_503(
    client: httpx.AsyncClient, tenant: Tenant, database_urls: TestDatabase, database: Database
) -> None:
    await database.dispose()
    with psycopg.connect(database_urls.admin_url, autocommit=True, dbname="postgres") as admin:
        closed = f"ALTER DATABASE {database_urls.name} ALLOW_CONNECTIONS "
        admin.execute(closed + "false")
        answer = await client.get("/v1/me", headers=tenant.viewer)
        admin.execute(closed + "true")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["errors"][0]["error"] == "UNAVAILABLE"
