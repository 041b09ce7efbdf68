"""Every sealed column is known, and what the product sealed in it outlives its key."""

from __future__ import annotations

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from activities.call_journal import read_snapshot, sealed_snapshot
from activities.contracts import TestCallOrder as Order
from api.app import create_app
from domain.porting.order import PortSecrets
from domain.trunk import AuthMode, TrunkDirection, TrunkProfile, TrunkSecrets
from settings import Settings
from sip.dialog_state import CallSnapshot
from storage import calls, organizations, port_seal_keys, port_secrets, trunks
from storage.engine import Database
from storage.port_seal_keys import SealKey
from storage.rotation import rotate, survey
from storage.sealed_columns import SEALED_COLUMNS
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault
from tests.api.tenants import make_tenant
from tests.storage.factories import NOON, queued_call
from tests.storage.port_rows import placed
from tests.storage.sealed_rows import AFTER, BEFORE, DURING, NEW, OLD
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

PLAIN_BYTES = {
    "api_keys.key_hash",
    "health_hours.minutes",
    "health_transitions.reply",
    "health_transitions.request",
    "idempotency_keys.request_hash",
    "sip_messages.data",
    "trunks.fingerprint",
}
"""Hashes, packed minutes, and messages as they were on the wire."""

PASSWORD = "of the PBX, long enough"
REGISTERED = TrunkProfile(
    direction=TrunkDirection.INBOUND, auth_mode=AuthMode.REGISTER, register_username="acme"
)
SNAPSHOT = CallSnapshot(
    "INVITE sip:+12025550123@sip.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n"
    "From: <sip:+14155550100@192.0.2.1>;tag=a\r\n"
    "To: <sip:+12025550123@sip.example.com>\r\n"
    "Call-ID: one@192.0.2.1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Content-Length: 0\r\n\r\n",
    True,
    (),
    "UDP",
    ("192.0.2.1", 5060),
    ("192.0.2.2", 5060),
)


def test_every_column_of_bytes_is_registered_or_known_to_be_plain(
    database_urls: TestDatabase,
) -> None:
    with psycopg.connect(database_urls.admin_url) as admin:
        found = admin.execute(
            """
            SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
               AND NOT relispartition AND attnum > 0 AND NOT attisdropped
               AND (atttypid IN ('bytea'::regtype, 'bytea[]'::regtype) OR attname ~ 'sealed|secret')
               AND atttypid <> 'timestamptz'::regtype
            """
        ).fetchall()
    registered = {str(each) for each in SEALED_COLUMNS}
    assert {name for (name,) in found} == registered | PLAIN_BYTES
    assert registered.isdisjoint(PLAIN_BYTES)


async def test_what_the_product_sealed_opens_afterwards_with_the_new_key_alone(
    database: Database, database_urls: TestDatabase
) -> None:
    tenant = await make_tenant(database)
    org_id = tenant.org_id
    url = f"http://api.test/v1/organizations/{org_id}/signing-secret"
    headers = tenant.operator | {"Idempotency-Key": "once"}

    async def rotate_signing_secret(ring: str) -> str:
        """What the API of this key ring answers to one and the same request."""
        settings = Settings(
            database_url=SecretStr(database_urls.app_url),
            secret_keys=SecretStr(ring),
            temporal_address="127.0.0.1:1",
        )
        transport = httpx.ASGITransport(app=create_app(settings, database=database))
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(url, headers=headers)
        assert answer.status_code == 201, answer.text
        secret: str = answer.json()["data"]["signing_secret"]
        return secret

    shown = await rotate_signing_secret(OLD)
    call = await queued_call(database, org_id)
    order = Order(call_id=call.id, org_id=org_id)
    async with database.tenant(org_id) as session:
        await calls.save_snapshot(session, call.id, sealed_snapshot(BEFORE, order, SNAPSHOT))
    secrets = TrunkSecrets(
        sip_password="of the call", register_password=PASSWORD, client_key="of our certificate"
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, BEFORE)
        trunk = await trunks.create(session, vault, org_id, REGISTERED, secrets, name="kept")
        mark = vault.fingerprint(org_id, REGISTERED, secrets)
        derived = vault.pbx_password(org_id, "acme", PASSWORD)

    account = PortSecrets(account_number="0012-34", pins={"+12025550101": "4711"})
    sealed = port_secrets.seal(BEFORE, org_id, account)
    port = await placed(database, org_id, "+12025550101", secrets_sealed=sealed)
    seal_key = SealKey(
        id="psk_1", key_pem=b"of the installation", certificate_pem="its own", created_at=NOON
    )
    async with database.system() as session:
        await port_seal_keys.add(session, BEFORE, seal_key)

    every = len(SEALED_COLUMNS) + 1
    assert await rotate(database, DURING) == every, "two keys of the installation, one of the rest"

    tally = await survey(database, AFTER)
    assert {str(column): dict(found) for column, found in tally.found.items()} == {
        str(column): {"2026": 2 if column.table.name == "server_keys" else 1}
        for column in SEALED_COLUMNS
    }
    assert await rotate_signing_secret(NEW) == shown
    assert await read_snapshot(database, AFTER, order) == SNAPSHOT
    async with database.tenant(org_id) as session:
        organization = await organizations.get(session, org_id)
        assert organization is not None
        assert organization.signing_secret_sealed is not None
        assert await port_secrets.read(session, AFTER, port.id) == account
        assert await port_seal_keys.newest(session, AFTER) == seal_key
        signing = AFTER.open(
            organization.signing_secret_sealed, purpose="signing_secret", org_id=org_id
        )
        kept = await session.get(Trunk, trunk.id)
        assert kept is not None
        vault = await TrunkVault.opened(session, AFTER)
        assert vault.secrets_of(kept) == secrets
        assert vault.fingerprint(org_id, REGISTERED, secrets) == mark
        assert vault.pbx_password(org_id, "acme", PASSWORD) == derived
        assert kept.pbx_password_sealed is not None
        proven = AFTER.open(kept.pbx_password_sealed, purpose="pbx_password", org_id=org_id)
    assert signing.decode() == shown
    assert proven.decode() == derived
